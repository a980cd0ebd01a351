package tenant

import "context"

// Store keeps projects and keys. A missing row is a fault of kind NotFound.
type Store interface {
	EnsureProject(ctx context.Context, p Project) (Project, error) // keeps an existing one
	ListProjects(ctx context.Context) ([]Project, error)
	CreateKey(ctx context.Context, k Key) error
	KeyByHash(ctx context.Context, hash string) (Key, error)
	ListKeys(ctx context.Context, projectID string) ([]Key, error)
	RevokeKey(ctx context.Context, projectID, keyID string) (Key, error)
}
