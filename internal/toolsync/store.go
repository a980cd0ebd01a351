package toolsync

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/job"
)

// Watch is what is known of a registered MCP server beside the toolkit that was made of it. There is one for each that was synced.
type Watch struct {
	ProjectID string
	Toolkit   string // slug
	AccountID string // whose credential lists the tools; empty: none is needed
	Seen      Seen
	Revision  string    // of the changes that were told of; empty: none
	Problem   string    // why the newest look failed; empty: it did not
	Failures  int       // looks in a row that failed
	CheckedAt time.Time // of the newest look that did not
	DueAt     time.Time // of the next
}

// Seen is how a server's tools differ from the approved ones: the same when both are the same.
type Seen struct {
	Tools []catalog.DefinedTool `json:"tools,omitempty"` // new, or other than approved
	Gone  []string              `json:"gone,omitempty"`  // approved, and no longer listed: the server's names
}

// Store is what the package needs of package store.
type Store interface {
	// PutWatch stores a watch, in place of the toolkit's former one, and ends the lease on it.
	PutWatch(ctx context.Context, w Watch) error
	// Watch gives the watch of a toolkit; false when it was never synced.
	Watch(ctx context.Context, projectID, toolkit string) (Watch, bool, error)
	// Watches gives those of a project, by toolkit.
	Watches(ctx context.Context, projectID string) ([]Watch, error)
	// DeleteWatch forgets a toolkit's.
	DeleteWatch(ctx context.Context, projectID, toolkit string) error
	// HastenWatch makes the next look due at a time, unless it is due before; false when there is none to hasten.
	HastenWatch(ctx context.Context, projectID, toolkit string, due time.Time) (bool, error)

	// ClaimWatches leases looks that are due.
	ClaimWatches(ctx context.Context, l job.Lease, n int) ([]Watch, error)
	// RenewWatch prolongs a lease; false when the owner has it no more.
	RenewWatch(ctx context.Context, l job.Lease, w Watch) (bool, error)
	// NextWatch gives when the earliest look that nobody holds is due; zero when there is none.
	NextWatch(ctx context.Context, now time.Time) (time.Time, error)
	// FinishWatch stores what a look found with the events that tell of it, and gives the lease up; nothing is stored when the owner
	// has it no more. A look that was asked for meanwhile stays due.
	FinishWatch(ctx context.Context, l job.Lease, w Watch, events []event.Event) error
}
