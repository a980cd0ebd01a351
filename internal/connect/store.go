package connect

import (
	"context"
	"errors"
	"time"
)

// ErrWordIDTaken is the cause of the Conflict that CreateAccount gives when another account of the project has the word id:
// choose another and try again.
var ErrWordIDTaken = errors.New("word id is taken")

// Store keeps auth configs, accounts and connection requests, sealed where they hold secrets. A missing row, or one of
// another project, is a fault of kind NotFound. Lists are newest first unless the filter says otherwise and are paged
// by key: pass the cursor of one page to get the next; an empty cursor back means the end.
type Store interface {
	CreateAuthConfig(ctx context.Context, c AuthConfig) error
	AuthConfig(ctx context.Context, projectID, id string) (AuthConfig, error)
	UpdateAuthConfig(ctx context.Context, projectID, id string, update func(*AuthConfig) error) (AuthConfig, error)
	DeleteAuthConfig(ctx context.Context, projectID, id string) error // its accounts go with it
	ListAuthConfigs(ctx context.Context, projectID string, f AuthConfigFilter) ([]AuthConfig, Page, error)

	CreateAccount(ctx context.Context, a ConnectedAccount) error // Conflict when the alias is taken, or the word id (ErrWordIDTaken)
	Account(ctx context.Context, projectID, id string) (ConnectedAccount, error)
	// UpdateAccount reads, changes and writes in one step: update may run again when somebody else wrote in between.
	UpdateAccount(ctx context.Context, projectID, id string, update func(*ConnectedAccount) error) (ConnectedAccount, error)
	DeleteAccount(ctx context.Context, projectID, id string) error
	// AccountWasDeleted reports whether the project once had an account under this id.
	AccountWasDeleted(ctx context.Context, projectID, id string) (bool, error)
	ListAccounts(ctx context.Context, projectID string, f AccountFilter) ([]ConnectedAccount, Page, error)
	// AccountsToRefresh gives ACTIVE accounts of all projects whose token is about to end, soonest first.
	AccountsToRefresh(ctx context.Context, f DueFilter) ([]ConnectedAccount, error)
	// ClaimRefresh takes the right to refresh an account if nobody has it, or if its lease still stands as that of an owner who
	// was found dead (docs/decisions/0100). It gives how the lease stands then: the right was taken if the owner is its owner.
	ClaimRefresh(ctx context.Context, projectID, accountID, owner string, dead Lease) (Lease, error)
	// RenewRefresh shows that the owner of a lease lives; false when it is no longer the owner.
	RenewRefresh(ctx context.Context, projectID, accountID, owner string) (bool, error)
	// ReleaseRefresh gives the right back, if the owner still has it, and notes when to try next.
	ReleaseRefresh(ctx context.Context, projectID, accountID, owner string, next Retry) error

	CreateRequest(ctx context.Context, r ConnectionRequest) error
	RequestByToken(ctx context.Context, tokenHash string) (ConnectionRequest, error)
	RequestByState(ctx context.Context, stateHash string) (ConnectionRequest, error)
	RequestByClaim(ctx context.Context, projectID, claimHash string) (ConnectionRequest, error)
	// UpdateRequest compares and swaps like UpdateAccount; it is how a link or a state is used exactly once.
	UpdateRequest(ctx context.Context, tokenHash string, update func(*ConnectionRequest) error) (ConnectionRequest, error)
	// EndRequests ends the requests of an account that are still open, forgets what they held, and says how many there were.
	EndRequests(ctx context.Context, projectID, accountID string, now time.Time) (int, error)
	// ExpireRequests marks accounts that wait although their request ended, or ends later than farthest, as EXPIRED and says
	// which. What was held for such a request is forgotten.
	ExpireRequests(ctx context.Context, now, farthest time.Time, reason string) ([]StatusChange, error)
}

// AuthConfigFilter narrows ListAuthConfigs; zero values do not filter.
type AuthConfigFilter struct {
	Toolkits     []string
	Managed      *bool
	ShowDisabled bool
	ForSessions  bool // only those enabled for sessions
	Search       string
	Limit        int
	Cursor       string
}

// AccountFilter narrows ListAccounts; zero values do not filter.
type AccountFilter struct {
	IDs           []string
	Toolkits      []string
	Statuses      []Status
	UserIDs       []string
	AuthConfigIDs []string
	Type          string // Private, Shared or empty for both
	OrderUpdated  bool   // order by updated_at instead of created_at
	Ascending     bool
	Limit         int
	Cursor        string
}

// DueFilter says which accounts are to be refreshed.
type DueFilter struct {
	EndsBefore   time.Time        // of the token
	Now          time.Time        // accounts whose next try is later are left out …
	LongestPause time.Duration    // … unless it is later than that: then a clock was wrong when it was set
	After        ConnectedAccount // the last of the page before; zero: from the beginning
	Limit        int
}

// Lease is the right to refresh an account, as it stands in the store.
type Lease struct {
	Owner string // empty: nobody has it
	Beat  int64  // raised by its owner while it lives
	Retry Retry
}

// Retry is what failed refreshes of an account leave for the next try; zero after one that went well.
type Retry struct {
	Failures int
	After    time.Time
}

// StatusChange is an account whose status was changed, and from which.
type StatusChange struct {
	ProjectID, AccountID string
	Before               Status
}

// Page is where a list stands.
type Page struct {
	Next  string // cursor of the next page; empty at the end
	Total int    // rows that match the filter over all pages
}
