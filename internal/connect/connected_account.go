package connect

import "time"

// Status of a ConnectedAccount; the words are the contract's.
type Status string

// The seven states; the package documentation draws how they follow one another.
const (
	Initializing Status = "INITIALIZING" // a link exists, the user has not begun
	Initiated    Status = "INITIATED"    // the user opened the link
	Active       Status = "ACTIVE"
	Failed       Status = "FAILED"   // denied, or the token exchange failed
	Expired      Status = "EXPIRED"  // the link timed out, or the grant can no longer be refreshed
	Inactive     Status = "INACTIVE" // switched off by the project
	Revoked      Status = "REVOKED"
)

// Account types.
const (
	Private = "PRIVATE"
	Shared  = "SHARED" // usable by other users as its ACL says, and only when pinned in a session
)

// ConnectedAccount is one user's grant at a provider. Its id never changes, however often the user signs in again.
type ConnectedAccount struct {
	ID           string // ca_…
	WordID       string // readable and unique in the project, for example "gmail_calm-otter"
	Alias        string // chosen by the application; unique per project, user and toolkit
	ProjectID    string
	UserID       string
	Toolkit      string
	AuthConfigID string
	Scheme       string

	Status       Status
	StatusReason string // why, for a person; empty when there is nothing to explain
	Values       Fields // tokens, keys and connection fields; sealed at rest
	Scopes       []string
	TokenExpiry  time.Time // when the access token ends; zero when it does not or nobody said
	Identity     Identity  // whose account this is, as the provider says

	Type string // Private or Shared
	ACL  ACL    // only meaningful when Shared

	CreatedAt   time.Time
	UpdatedAt   time.Time
	ConnectedAt time.Time // last time it became ACTIVE; zero before the first
	Version     int64     // raised by every write; writes compare and swap on it
}

// Identity is whose account it is at the provider, found by the toolkit's identity probe after connecting.
type Identity struct {
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
	Email  string `json:"email,omitempty"`
	Avatar string `json:"avatar,omitempty"`
}

// ACL says which other users may use a Shared account: not the denied, then everybody, then the allowed.
type ACL struct {
	AllowAll bool     `json:"allow_all_users"`
	Allowed  []string `json:"allowed_user_ids"`
	Denied   []string `json:"not_allowed_user_ids"`
}
