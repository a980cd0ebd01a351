package patchbay

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// ConnectedAccounts finds and ends the accounts that users connected. Get it from a Client.
type ConnectedAccounts struct{ t *transport }

// AccountStatus says whether an account can be used.
type AccountStatus string

// The states of an account. Only an ACTIVE one can be used.
const (
	StatusInitializing AccountStatus = "INITIALIZING" // a link was made, nobody opened it yet
	StatusInitiated    AccountStatus = "INITIATED"    // the user is at it
	StatusActive       AccountStatus = "ACTIVE"
	StatusFailed       AccountStatus = "FAILED"
	StatusExpired      AccountStatus = "EXPIRED"
	StatusInactive     AccountStatus = "INACTIVE" // switched off by the project
	StatusRevoked      AccountStatus = "REVOKED"
)

// ConnectedAccount is a user's account in an app. Its id stays, however often the user signs in again.
type ConnectedAccount struct {
	ID           string        `json:"id"` // "ca_…"
	WordID       string        `json:"word_id"`
	Alias        string        `json:"alias"`
	UserID       string        `json:"user_id"`
	Toolkit      ToolkitRef    `json:"toolkit"`
	AuthConfig   AuthConfig    `json:"auth_config"`
	Status       AccountStatus `json:"status"`
	StatusReason string        `json:"status_reason"`
	CreatedAt    time.Time     `json:"created_at"`
	UpdatedAt    time.Time     `json:"updated_at"`
}

// AccountFilter narrows a list of accounts; zero values do not filter.
type AccountFilter struct {
	Toolkits    []string
	UserIDs     []string
	Statuses    []AccountStatus
	AuthConfigs []string
	Limit       int
	Cursor      string
}

func (f AccountFilter) query() url.Values {
	statuses := make([]string, len(f.Statuses))
	for i, status := range f.Statuses {
		statuses[i] = string(status)
	}
	return queryOf("toolkit_slugs", comma(f.Toolkits), "user_ids", comma(f.UserIDs), "statuses", comma(statuses),
		"auth_config_ids", comma(f.AuthConfigs), "account_type", "ALL", "limit", number(f.Limit), "cursor", f.Cursor)
}

// List gives one page of accounts, newest first.
func (s ConnectedAccounts) List(ctx context.Context, f AccountFilter) (Page[ConnectedAccount], error) {
	return list[ConnectedAccount](ctx, s.t, "/connected_accounts", f.query())
}

// All goes through all accounts that match.
func (s ConnectedAccounts) All(ctx context.Context, f AccountFilter) iter.Seq2[ConnectedAccount, error] {
	return all[ConnectedAccount](ctx, s.t, "/connected_accounts", f.query())
}

// Get gives an account. Its credentials stay on the server.
func (s ConnectedAccounts) Get(ctx context.Context, id string) (ConnectedAccount, error) {
	var account ConnectedAccount
	path, err := accountPath(id, "")
	if err != nil {
		return account, err
	}
	err = s.t.get(ctx, path, nil, &account)
	return account, err
}

// NewLink describes a connection to start outside any session.
type NewLink struct {
	AuthConfigID string            `json:"auth_config_id"`
	UserID       string            `json:"user_id"`
	CallbackURL  string            `json:"callback_url,omitempty"`
	Alias        string            `json:"alias,omitempty"`
	Data         map[string]string `json:"connection_data,omitempty"` // fields of the account that are known already
}

// Link starts a connection: send the user to the link's URL, then Wait.
func (s ConnectedAccounts) Link(ctx context.Context, n NewLink) (*Link, error) {
	link := &Link{t: s.t}
	if err := s.t.post(ctx, "/connected_accounts/link", n, link); err != nil {
		return nil, err
	}
	return link, nil
}

// NewAccount is an account whose credentials the application holds.
type NewAccount struct {
	AuthConfigID string            `json:"auth_config_id"`
	UserID       string            `json:"user_id"`
	Alias        string            `json:"alias,omitempty"`
	Scheme       string            `json:"scheme,omitempty"` // empty: the auth config's
	Values       map[string]string `json:"values"`           // access_token, refresh_token, expires_at, api_key, …
}

// Import makes an account from credentials that the application holds, and gives it as it was stored. The provider is asked
// whether it takes them; an access token that has ended is renewed with the refresh token beside it.
func (s ConnectedAccounts) Import(ctx context.Context, n NewAccount) (ConnectedAccount, error) {
	val := map[string]string{"status": string(StatusActive)}
	for name, v := range n.Values {
		val[name] = v
	}
	body := map[string]any{
		"auth_config": map[string]string{"id": n.AuthConfigID},
		"connection": map[string]any{
			"user_id": n.UserID, "alias": n.Alias, "state": map[string]any{"authScheme": n.Scheme, "val": val},
		},
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := s.t.post(ctx, "/connected_accounts", body, &made); err != nil {
		return ConnectedAccount{}, err
	}
	return s.Get(ctx, made.ID)
}

// SetEnabled switches an account on or off.
func (s ConnectedAccounts) SetEnabled(ctx context.Context, id string, enabled bool) error {
	path, err := accountPath(id, "/status")
	if err != nil {
		return err
	}
	return s.t.patch(ctx, path, map[string]bool{"enabled": enabled}, nil)
}

// Revocation says what ended at the provider.
type Revocation struct {
	Tokens  []string         `json:"revoked_tokens"`
	Account ConnectedAccount `json:"connected_account"`
	Outcome string           `json:"outcome"`      // "ended_at_provider", "nothing_to_end", "by_hand" (the provider offers no way) or "unconfirmed"
	Message string           `json:"message"`      // the same for a person
	Links   int              `json:"links_closed"` // open links to the account, which lead nowhere now
}

// Revoke ends the grant at the provider and keeps the account as REVOKED.
func (s ConnectedAccounts) Revoke(ctx context.Context, id string) (Revocation, error) {
	var answer Revocation
	path, err := accountPath(id, "/revoke")
	if err != nil {
		return answer, err
	}
	err = s.t.post(ctx, path, nil, &answer)
	return answer, err
}

// End makes an account REVOKED from whatever state, with its secrets gone, also where the provider offers no way to revoke. A
// provider that offers one and does not confirm is an error, and the account stays, to be tried again; unless forced.
func (s ConnectedAccounts) End(ctx context.Context, id string, forced bool) (Revocation, error) {
	var answer Revocation
	path, err := accountPath(id, "/revoke")
	if err != nil {
		return answer, err
	}
	mode := "final"
	if forced {
		mode = "forced"
	}
	err = s.t.do(ctx, request{method: http.MethodPost, path: path, query: queryOf("mode", mode)}, &answer)
	return answer, err
}

// Delete removes an account.
func (s ConnectedAccounts) Delete(ctx context.Context, id string) error {
	path, err := accountPath(id, "")
	if err != nil {
		return err
	}
	return s.t.delete(ctx, path, nil)
}

// Link is a connection that waits for its user.
type Link struct {
	URL       string `json:"redirect_url"` // for the user's browser; works once, for ten minutes
	AccountID string `json:"connected_account_id"`

	t *transport
}

// Wait gives the account as soon as the user has connected it. It asks the server every second until then, or until the
// context ends. A connection that can no longer come about is a *ConnectionError.
func (l *Link) Wait(ctx context.Context) (ConnectedAccount, error) {
	accounts := ConnectedAccounts{l.t}
	for {
		account, err := accounts.Get(ctx, l.AccountID)
		if err != nil {
			return account, err
		}
		switch account.Status {
		case StatusActive:
			return account, nil
		case StatusFailed, StatusExpired, StatusRevoked:
			return account, &ConnectionError{Account: account}
		}
		if err := pause(ctx, time.Second); err != nil {
			return account, fmt.Errorf("patchbay: still waiting for the user to connect %s: %w", account.Toolkit.Slug, err)
		}
	}
}

func accountPath(id, rest string) (string, error) {
	escaped, err := segment("the account's id", id)
	return "/connected_accounts/" + escaped + rest, err
}
