package tenant

import (
	"context"
	"time"
)

// Store keeps projects, their settings and keys. A missing row is a fault of kind NotFound.
type Store interface {
	EnsureProject(ctx context.Context, p Project) (Project, error)    // keeps an existing one of the same name
	ListProjects(ctx context.Context) ([]Project, error)              // oldest first
	Settings(ctx context.Context, projectID string) (Settings, error) // the zero value where nothing was chosen
	// UpdateSettings reads, changes and writes in one step: change may run again when somebody else wrote in between.
	UpdateSettings(ctx context.Context, projectID string, change func(*Settings) error) (Settings, error)
	CreateKey(ctx context.Context, k Key) error // Conflict when the key exists, in whatever project
	KeyByHash(ctx context.Context, hash string) (Key, error)
	ListKeys(ctx context.Context, projectID string) ([]Key, error)
	RevokeKey(ctx context.Context, projectID, keyID string, at time.Time) (Key, error) // keeps an earlier revocation; what was allowed with it ends too
}
