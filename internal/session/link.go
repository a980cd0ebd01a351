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

// Link starts a connection for the session's user. An account of theirs that does not work is connected again under its
// own id; otherwise a new account is made.
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
	link, _, err := s.startLink(ctx, c, view, kit, r)
	return link, err
}

// startLink makes the link for a toolkit that is not pinned, and says whether it connects an earlier account again.
func (s *Service) startLink(ctx context.Context, c tenant.Caller, v *View, kit *catalog.Toolkit, r LinkRequest) (_ connect.Link, again bool, _ error) {
	config, err := s.accounts.AuthConfigFor(ctx, project(c), kit.Slug, v.Session.Config.AuthConfigs[kit.Slug], true)
	if err != nil {
		return connect.Link{}, false, err
	}
	st, err := s.standing(ctx, c, v, kit)
	if err != nil {
		return connect.Link{}, false, err
	}
	if dead, ok := st.reusable(config.ID, r); ok {
		link, err := s.linkAccount(ctx, c, v, dead, r)
		return link, true, err
	}
	if m := v.Session.Config.MultiAccount; m.Enable && len(st.usable()) >= m.limit() {
		return connect.Link{}, false, fault.New(fault.Invalid, fault.SlugSessionInvalid, "User %s has %d %s accounts already, as many as this session allows.", v.Session.UserID, len(st.usable()), kit.Name).
			WithCode(fault.CodeSessionInvalid).
			WithFix("Remove one of them, or raise multi_account.max_accounts_per_toolkit (at most 10): %s.", howToChange)
	}
	link, err := s.accounts.CreateLink(ctx, project(c), connect.NewLink{
		AuthConfigID: config.ID, UserID: v.Session.UserID, CallbackURL: v.callback(r), Alias: r.Alias,
		AccountType: r.AccountType, ACL: r.ACL, Origin: r.Origin,
	})
	return v.ownLink(link), false, err
}

// reusable finds an account that was begun or has died and can be connected under its old id, so that references to it go
// on working and no dead rows pile up.
func (st standing) reusable(authConfigID string, r LinkRequest) (connect.ConnectedAccount, bool) {
	if r.AccountType == connect.Shared {
		return connect.ConnectedAccount{}, false
	}
	var found connect.ConnectedAccount
	for _, choice := range st.All {
		a := choice.Account
		switch {
		case a.AuthConfigID != authConfigID, a.Type == connect.Shared, r.Alias != "" && a.Alias != r.Alias:
		case a.Status == connect.Active, a.Status == connect.Inactive, a.Status == "":
		case a.UpdatedAt.After(found.UpdatedAt):
			found = a
		}
	}
	return found, found.ID != ""
}

// linkAccount makes a link that connects an account again under its own id.
func (s *Service) linkAccount(ctx context.Context, c tenant.Caller, v *View, a connect.ConnectedAccount, r LinkRequest) (connect.Link, error) {
	link, err := s.accounts.CreateLink(ctx, project(c), connect.NewLink{
		AuthConfigID: a.AuthConfigID, UserID: a.UserID, AccountID: a.ID, CallbackURL: v.callback(r), Origin: r.Origin,
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
