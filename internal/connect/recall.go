package connect

import (
	"context"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// userAccounts holds the accounts of one user, by project. It is filled once; when an account of the user changes, the whole
// of it is dropped, so that a reader in between fills something that nobody sees any more.
type userAccounts struct {
	mu       sync.Mutex
	projects map[string][]ConnectedAccount
}

// AccountsOf gives all accounts of a user, private and shared, newest first. Warm calls read memory only. The result is
// shared: do not change it.
func (s *Service) AccountsOf(ctx context.Context, c tenant.Caller, userID string) ([]ConnectedAccount, error) {
	u, _ := s.users.Load(userID, func() (*userAccounts, error) {
		return &userAccounts{projects: make(map[string][]ConnectedAccount)}, nil
	})
	u.mu.Lock()
	defer u.mu.Unlock()
	if held, ok := u.projects[c.ProjectID]; ok {
		return held, nil
	}
	accounts, _, err := s.store.ListAccounts(ctx, c.ProjectID, AccountFilter{UserIDs: []string{userID}})
	if err != nil {
		return nil, err
	}
	u.projects[c.ProjectID] = accounts
	return accounts, nil
}

// account finds an account in memory or in the store. Its lists and maps are shared: do not change them.
func (s *Service) account(ctx context.Context, projectID, id string) (ConnectedAccount, error) {
	read := func() (ConnectedAccount, error) { return s.store.Account(ctx, projectID, id) }
	a, err := s.accounts.Load(id, read)
	if err == nil && a.ProjectID != projectID {
		return read() // which says that this project has no such account
	}
	return a, err
}

// config finds an auth config in memory or in the store. Its lists and maps are shared: do not change them.
func (s *Service) config(ctx context.Context, projectID, id string) (AuthConfig, error) {
	read := func() (AuthConfig, error) { return s.store.AuthConfig(ctx, projectID, id) }
	c, err := s.configs.Load(id, read)
	if err == nil && c.ProjectID != projectID {
		return read()
	}
	return c, err
}

// forget drops what a change made old.
func (s *Service) forget(change notify.Change) {
	switch change.Kind {
	case notify.ConnectedAccount:
		s.accounts.Drop(change.ID)
		s.prepared.Drop(change.ID)
		if change.Owner != "" {
			s.users.Drop(change.Owner)
		} else {
			s.users.Clear()
		}
	case notify.AuthConfig, notify.Everything: // what is derived from a config hangs on many accounts, and configs seldom change
		s.configs.Clear()
		s.accounts.Clear()
		s.prepared.Clear()
		s.users.Clear()
	}
}
