package imports

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/job"
)

// Store keeps imports. A missing row, or one of another project, is a fault of kind NotFound. Requests and descriptions are sealed.
type Store interface {
	// CreateImport stores an import with the description that came along, if one did.
	CreateImport(ctx context.Context, i Import, description []byte) error
	Import(ctx context.Context, projectID, id string) (Import, error)
	// Imports gives all of a project's, the newest first.
	Imports(ctx context.Context, projectID string) ([]Import, error)
	// ImportDescription gives the description that came along; nil when none did.
	ImportDescription(ctx context.Context, projectID, id string) ([]byte, error)
	DeleteImport(ctx context.Context, projectID, id string) error
	DeleteImportsBefore(ctx context.Context, before time.Time) (int, error) // that ended before it

	// ClaimImports leases up to n imports that are due, of each project only the one that was queued first among those that have not
	// ended; they count as begun once more.
	ClaimImports(ctx context.Context, l job.Lease, n int) ([]Import, error)
	RenewImport(ctx context.Context, l job.Lease, i Import) (bool, error)
	// NextImport gives when the earliest import is due that could be claimed; zero for none.
	NextImport(ctx context.Context, now time.Time) (time.Time, error)
	// ProgressImport stores how far an import is, if the owner of the lease still has it.
	ProgressImport(ctx context.Context, l job.Lease, i Import) error
	// SettleImport stores what came of a try and gives the lease up; false, and nothing is stored, when the owner has it no more. The
	// description is deleted when the import has ended.
	SettleImport(ctx context.Context, l job.Lease, i Import) (bool, error)
}
