package legacy

import "time"

// Server is a stored template: a fixed list of tools over some toolkits, for any number of users.
type Server struct {
	ID            string // a UUID
	ProjectID     string
	Name          string
	Toolkits      []string // slugs, in the order in which they were given
	AuthConfigIDs []string // at most one per toolkit
	AllowedTools  []string // as they were given, older names included; empty: all tools of the toolkits
	ManagedAuth   bool     // a call that finds no account answers a link that connects one
	Version       int      // raised by every change: instances made from an older one are brought up to date when they are used
	Instances     int      // how many there are; only read, never written
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Instance is one visitor of a server and the session that serves them.
type Instance struct {
	ID            string // a UUID
	ProjectID     string
	ServerID      string
	ServerVersion int // that the session was made from
	Visitor       Visitor
	SessionID     string // empty until somebody comes
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Visitor is who a server's URL names: ?user_id=, or ?connected_account_id= for the owner of one account, or both.
type Visitor struct {
	UserID    string
	AccountID string // the one account to use, empty: whichever the user has
	Helpers   bool   // include_composio_helper_actions: the tool that manages connections is listed too
}
