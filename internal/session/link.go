package session

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// LinkRequest is the body of POST …/link.
type LinkRequest struct {
	Toolkit, CallbackURL, Alias, Origin string
	AccountType                         string
	ACL                                 *connect.ACL
}

// Link starts a connection for the session's user.
func (s *Service) Link(ctx context.Context, c tenant.Caller, id string, r LinkRequest) (connect.Link, error) {
	view, err := s.Open(ctx, c, id)
	if err != nil {
		return connect.Link{}, err
	}
	if c.Restricted() && !view.Session.Config.ManageConnections.Enable {
		return connect.Link{}, restriction("The holder of this session's token cannot start connections: manage_connections.enable is off.").
			WithFix("Start the link with a project API key, or set manage_connections.enable to true: %s.", howToChange)
	}
	kit, err := view.toolkit(r.Toolkit)
	if err != nil {
		return connect.Link{}, err
	}
	if pins := view.Session.Config.ConnectedAccounts[kit.Slug]; len(pins) > 0 {
		return connect.Link{}, fault.New(fault.Invalid, fault.SlugSessionInvalid, "The session pins %s to %s, so it would not use another account.", kit.Slug, strings.Join(pins, ", ")).
			WithCode(fault.CodeSessionInvalid).
			WithFix("Take connected_accounts.%s out of the session first (%s), or connect the pinned account again: POST /api/v3.1/connected_accounts/%s/refresh.", kit.Slug, howToChange, pins[0])
	}
	return s.startLink(ctx, c, view, kit, r)
}

// startLink makes the link for a toolkit that is not pinned. A connection that was begun and not finished is begun again
// under the same account, so that an agent that asks twice leaves nothing behind; so is one that has died, by package connect.
func (s *Service) startLink(ctx context.Context, c tenant.Caller, v *View, kit *catalog.Toolkit, r LinkRequest) (connect.Link, error) {
	config, err := s.accounts.AuthConfigFor(ctx, project(c), kit.Slug, v.Session.Config.AuthConfigs[kit.Slug], true)
	if err != nil {
		return connect.Link{}, err
	}
	st, err := s.standing(ctx, c, v, kit)
	if err != nil {
		return connect.Link{}, err
	}
	if begun, ok := st.begun(config.ID, r); ok {
		return s.linkAccount(ctx, c, v, begun, r)
	}
	if m := v.Session.Config.MultiAccount; m.Enable && len(st.usable()) >= m.limit() {
		return connect.Link{}, fault.New(fault.Invalid, fault.SlugSessionInvalid, "User %s has %d %s accounts already, as many as this session allows.", v.Session.UserID, len(st.usable()), kit.Name).
			WithCode(fault.CodeSessionInvalid).
			WithFix("Remove one of them, or raise multi_account.max_accounts_per_toolkit (at most 10): %s.", howToChange)
	}
	link, err := s.accounts.CreateLink(ctx, project(c), connect.NewLink{
		AuthConfigID: config.ID, UserID: v.Session.UserID, CallbackURL: v.callback(r), Alias: r.Alias,
		AccountType: r.AccountType, ACL: r.ACL, Origin: r.Origin,
	})
	return v.ownLink(link), err
}

// begun finds the account of a connection that was started in the same way and not finished yet.
func (st standing) begun(authConfigID string, r LinkRequest) (connect.ConnectedAccount, bool) {
	for _, choice := range st.All {
		a := choice.Account
		if pending(a.Status) && a.AuthConfigID == authConfigID && a.Alias == r.Alias && r.AccountType != connect.Shared {
			return a, true
		}
	}
	return connect.ConnectedAccount{}, false
}

func pending(status connect.Status) bool {
	return status == connect.Initializing || status == connect.Initiated
}

// linkAccount makes a link that connects an account again under its own id. One that works goes on working meanwhile.
func (s *Service) linkAccount(ctx context.Context, c tenant.Caller, v *View, a connect.ConnectedAccount, r LinkRequest) (connect.Link, error) {
	link, err := s.accounts.CreateLink(ctx, project(c), connect.NewLink{
		AccountID: a.ID, UserID: a.UserID, CallbackURL: v.callback(r), Origin: r.Origin,
	})
	return v.ownLink(link), err
}

func (v *View) callback(r LinkRequest) string {
	return cmp.Or(r.CallbackURL, v.Session.Config.ManageConnections.CallbackURL)
}

// ownLink puts the application's own page in front of a link, if the session names one.
func (v *View) ownLink(link connect.Link) connect.Link {
	if base := v.Session.Config.LinkURLOverwrite; base != "" && link.Token != "" {
		link.URL = strings.TrimSuffix(base, "/") + "/link/" + url.PathEscape(link.Token)
	}
	return link
}
