package connect

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// AuthConfig gives one auth config with its credentials.
func (s *Service) AuthConfig(ctx context.Context, c tenant.Caller, id string) (AuthConfig, error) {
	return s.store.AuthConfig(ctx, c.ProjectID, id)
}

// ListAuthConfigs gives the project's auth configs, newest first.
func (s *Service) ListAuthConfigs(ctx context.Context, c tenant.Caller, f AuthConfigFilter) ([]AuthConfig, Page, error) {
	return s.store.ListAuthConfigs(ctx, c.ProjectID, f)
}

// AuthConfigPatch changes what is not nil.
type AuthConfigPatch struct {
	Name                                *string
	Credentials                         Fields // merged over the stored ones
	Scopes, UserScopes                  *[]string
	Shared                              Fields // merged over the stored ones; an empty value removes one
	ToolsForCreation, ToolsForExecution *[]string
	ProxyURL, ProxyKey                  *string
	VerifierURL                         *string
	ShowSecrets                         *bool
	EnabledForSessions                  *bool
	Enabled                             *bool
}

// UpdateAuthConfig changes an auth config. Accounts that are connected keep their grants: other scopes or another app matter
// from the next time somebody connects.
func (s *Service) UpdateAuthConfig(ctx context.Context, c tenant.Caller, id string, p AuthConfigPatch) (AuthConfig, error) {
	if err := s.checkPatch(ctx, c, id, p); err != nil {
		return AuthConfig{}, err
	}
	return s.store.UpdateAuthConfig(ctx, c.ProjectID, id, func(cfg *AuthConfig) error {
		if p.Name != nil && strings.TrimSpace(*p.Name) != "" {
			cfg.Name = strings.TrimSpace(*p.Name)
		}
		set(&cfg.Scopes, p.Scopes)
		set(&cfg.UserScopes, p.UserScopes)
		if err := s.setAccess(c, cfg, p); err != nil {
			return err
		}
		set(&cfg.ShowSecrets, p.ShowSecrets)
		set(&cfg.EnabledForSessions, p.EnabledForSessions)
		set(&cfg.Enabled, p.Enabled)
		if p.ProxyURL != nil {
			if err := setProxy(cfg, *p.ProxyURL, deref(p.ProxyKey)); err != nil {
				return err
			}
		}
		if len(p.Credentials) > 0 {
			cfg.Credentials = over(cfg.Credentials, withoutRedacted(p.Credentials))
		}
		if len(p.Shared) > 0 {
			cfg.Shared = over(cfg.Shared, withoutRedacted(p.Shared))
			for name, v := range cfg.Shared {
				if v.Empty() {
					delete(cfg.Shared, name)
				}
			}
		}
		cfg.UpdatedAt = s.now().UTC()
		return nil
	})
}

// checkPatch refuses credentials for a managed auth config, and emptying a field that is required.
func (s *Service) checkPatch(ctx context.Context, c tenant.Caller, id string, p AuthConfigPatch) error {
	cfg, err := s.store.AuthConfig(ctx, c.ProjectID, id)
	if err != nil {
		return err
	}
	if cfg.Managed && len(p.Credentials) > 0 {
		return fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "Auth config %s uses the OAuth app of this server's operator; it takes no credentials.", id).
			WithFix("Create an auth config of type use_custom_auth for credentials of your own.")
	}
	faults := make(map[string]string)
	if len(p.Credentials) > 0 {
		t, err := s.toolkit(c, cfg.Toolkit)
		if err != nil {
			return err
		}
		declared, _, err := s.offered(t, cfg.Scheme)
		if err != nil {
			return err
		}
		_, wrong := checkFields(declared.ConfigFields, plain(over(cfg.Credentials, withoutRedacted(p.Credentials))))
		for name, problem := range wrong {
			faults[name] = problem
		}
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "Auth config %s cannot be changed like this.", id).
			WithFix("Mend these fields: %s.", fieldNames(faults)).WithDetails(lines(faults)...)
	}
	return nil
}

// withoutRedacted drops values that were shown masked and come back as they were shown.
func withoutRedacted(fields Fields) Fields {
	kept := make(Fields, len(fields))
	for name, v := range fields {
		if v.Reveal() != Redacted {
			kept[name] = v
		}
	}
	return kept
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

// How much time ending the grants of a deleted auth config may take, and how many are ended at once.
const (
	revokeAllTimeout  = 20 * time.Second
	revokeAllAtOnce   = 8
	revokeAllPageSize = 200
)

// DeleteAuthConfig ends the grants of its accounts at the provider where that is possible, and removes it and them.
func (s *Service) DeleteAuthConfig(ctx context.Context, c tenant.Caller, id string) (Revocation, error) {
	if _, err := s.store.AuthConfig(ctx, c.ProjectID, id); err != nil {
		return Revocation{}, err
	}
	ctx = context.WithoutCancel(ctx) // what was ended must not stay behind as accounts that seem to work
	said, err := s.revokeAll(ctx, c, id)
	if err != nil {
		return Revocation{}, err
	}
	return said, s.store.DeleteAuthConfig(ctx, c.ProjectID, id)
}

func (s *Service) revokeAll(ctx context.Context, c tenant.Caller, configID string) (Revocation, error) {
	limited, cancel := context.WithTimeout(ctx, revokeAllTimeout)
	defer cancel()
	var (
		all    Revocation
		total  int
		ended  int
		mu     sync.Mutex
		wg     sync.WaitGroup
		places = make(chan struct{}, revokeAllAtOnce)
	)
	f := AccountFilter{AuthConfigIDs: []string{configID}, Limit: revokeAllPageSize}
	for {
		accounts, page, err := s.store.ListAccounts(ctx, c.ProjectID, f)
		if err != nil {
			return Revocation{}, err
		}
		for _, a := range accounts {
			if a.Status == Revoked || a.ConnectedAt.IsZero() { // in every other state it may hold a grant that works
				continue
			}
			places <- struct{}{}
			wg.Go(func() {
				defer func() { <-places }()
				s.leave(limited, a)
				r := s.revoke(limited, a)
				mu.Lock()
				defer mu.Unlock()
				total++
				if len(r.Tokens) > 0 {
					ended++
					all.Tokens = append(all.Tokens, r.Tokens...)
				}
			})
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			break
		}
	}
	wg.Wait()
	all.Note = fmt.Sprintf("%d of %d connected accounts were revoked at the provider.", ended, total)
	return all, nil
}
