package tenant

import "time"

// Project is the boundary nothing crosses: keys, auth configs, accounts and sessions belong to exactly one.
type Project struct {
	ID             string
	OrganisationID string
	Name           string
	CreatedAt      time.Time
}

// Key is a project's API key, or one person's. Only its hash is kept; the key itself is shown once, when it is made.
type Key struct {
	ID        string
	ProjectID string
	UserID    string // of a personal key, which is this user's alone; empty: the key opens the whole project
	Name      string
	Hint      string // the first and last characters, to tell keys apart in a list
	Hash      string // hex SHA-256 of the key
	CreatedAt time.Time
	RevokedAt time.Time // zero while the key works
}
