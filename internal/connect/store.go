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
	// AccountsToRefresh gives ACTIVE accounts of all projects whose token ends before the given time, soonest first.
	AccountsToRefresh(ctx context.Context, endsBefore time.Time, limit int) ([]ConnectedAccount, error)
	// ClaimRefresh takes the right to refresh an account until the lease ends; false when another node has it.
	ClaimRefresh(ctx context.Context, projectID, accountID, owner string, now, until time.Time) (bool, error)
	ReleaseRefresh(ctx context.Context, projectID, accountID, owner string) error

	CreateRequest(ctx context.Context, r ConnectionRequest) error
	RequestByToken(ctx context.Context, tokenHash string) (ConnectionRequest, error)
	RequestByState(ctx context.Context, stateHash string) (ConnectionRequest, error)
	// UpdateRequest compares and swaps like UpdateAccount; it is how a link or a state is used exactly once.
	UpdateRequest(ctx context.Context, tokenHash string, update func(*ConnectionRequest) error) (ConnectionRequest, error)
	// ExpireRequests marks accounts whose unfinished request ended before now as EXPIRED and gives how many.
	ExpireRequests(ctx context.Context, now time.Time, reason string) (int, error)
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

// Page is where a list stands.
type Page struct {
	Next  string // cursor of the next page; empty at the end
	Total int    // rows that match the filter over all pages
}
