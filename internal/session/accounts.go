package session

import (
	"context"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// standing is how the user of a session stands to one toolkit: which accounts the session lets them use there, and which of
// them a call would use.
type standing struct {
	toolkit *catalog.Toolkit
	connect.Choices
}

func (s *Service) standing(ctx context.Context, c tenant.Caller, v *View, kit *catalog.Toolkit) (standing, error) {
	if kit.NoAuth() {
		return standing{toolkit: kit}, nil
	}
	choices, err := s.accounts.Choices(ctx, project(c), v.selection(kit.Slug, ""))
	return standing{kit, choices}, err
}

// ready reports whether the toolkit's tools can run now. Where the session wants accounts to be named and there are
// several, they can.
func (st standing) ready() bool { return st.toolkit.NoAuth() || len(st.usable()) > 0 }

// usable gives the accounts that work, the one that is used by default first.
func (st standing) usable() []connect.ConnectedAccount {
	var out []connect.ConnectedAccount
	for _, choice := range st.All {
		if choice.Problem == nil {
			out = append(out, choice.Account)
		}
	}
	slices.SortStableFunc(out, func(a, b connect.ConnectedAccount) int { return b.ConnectedAt.Compare(a.ConnectedAt) })
	return out
}

// problem says for a person or a model why no account can be used; empty when one can.
func (st standing) problem() string {
	if st.ready() || st.Problem == nil {
		return ""
	}
	return fault.From(st.Problem).Message
}

// mustChoose reports whether a call has to name its account.
func (st standing) mustChoose() bool {
	return st.Problem != nil && fault.From(st.Problem).Slug == fault.SlugAccountRequired
}

// AccountInfo is an account as a model sees it: never a credential.
type AccountInfo struct {
	ID        string            `json:"id"`
	WordID    string            `json:"word_id,omitempty"`
	Alias     string            `json:"alias,omitempty"`
	User      *connect.Identity `json:"user_info,omitempty"`
	Status    connect.Status    `json:"status"`
	Reason    string            `json:"status_reason,omitempty"`
	CreatedAt string            `json:"created_at"`
	Default   bool              `json:"is_default"`
	Type      string            `json:"account_type,omitempty"`
}

// infos describes all accounts of a standing. The default is the one that a call without a name uses; there is none where
// calls have to name one.
func (st standing) infos() []AccountInfo {
	out := make([]AccountInfo, 0, len(st.All))
	for _, choice := range st.All {
		a := choice.Account
		if a.Status == "" { // a pinned id behind which there is nothing any more
			continue
		}
		out = append(out, AccountInfo{
			ID: a.ID, WordID: a.WordID, Alias: a.Alias, User: identity(a), Status: a.Status, Reason: a.StatusReason,
			CreatedAt: stamp(a.CreatedAt), Default: st.Used != nil && st.Used.ID == a.ID, Type: a.Type,
		})
	}
	return out
}

// identity is nil where nobody knows whose account it is, so that the answer has no empty member.
func identity(a connect.ConnectedAccount) *connect.Identity {
	if a.Identity == (connect.Identity{}) {
		return nil
	}
	return &a.Identity
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// connectedToolkits gives the toolkits in which the user of a session has an account that works.
func (s *Service) connectedToolkits(ctx context.Context, c tenant.Caller, v *View) (map[string]bool, error) {
	accounts, err := s.accounts.AccountsOf(ctx, project(c), v.Session.UserID)
	if err != nil {
		return nil, err
	}
	config := v.Session.Config
	connected := make(map[string]bool, len(accounts))
	for _, a := range accounts {
		chosen := config.AuthConfigs[a.Toolkit]
		if a.Status == connect.Active && a.Type != connect.Shared && (chosen == "" || chosen == a.AuthConfigID) {
			connected[a.Toolkit] = true
		}
	}
	for slug := range config.ConnectedAccounts {
		kit, ok := v.Catalog.Toolkit(slug)
		if !ok {
			continue
		}
		st, err := s.standing(ctx, c, v, kit)
		if err != nil {
			return nil, err
		}
		connected[kit.Slug] = st.ready()
	}
	return connected, nil
}
