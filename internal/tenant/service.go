package tenant

import "context"

// Service makes and checks keys. Options and construction: see New.
type Service struct{}

// Authenticate finds the caller behind a project key. A wrong or revoked key is a fault of kind Unauthorized. Warm calls
// read memory only.
func (s *Service) Authenticate(ctx context.Context, key string) (Caller, error) {
	panic("being written")
}

// CreateKey makes a key for a project and returns it once, in the clear.
func (s *Service) CreateKey(ctx context.Context, projectID, name string) (Key, string, error) {
	panic("being written")
}

// AdoptKey makes the given key exist (PATCHBAY_API_KEY); it is no error if it does already.
func (s *Service) AdoptKey(ctx context.Context, projectID, name, key string) (Key, error) {
	panic("being written")
}

// ListKeys gives a project's keys, newest first, revoked ones included.
func (s *Service) ListKeys(ctx context.Context, caller Caller) ([]Key, error) { panic("being written") }

// RevokeKey ends a key at once, on every node.
func (s *Service) RevokeKey(ctx context.Context, caller Caller, keyID string) (Key, error) {
	panic("being written")
}
