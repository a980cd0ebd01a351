package session

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
)

// Whose credentials a session uses is checked when they are named: what belongs to others is refused, what has merely died is
// warned of.

func (c *configCheck) authConfigs(ctx context.Context) error {
	if c.config.AuthConfigs == nil {
		return nil
	}
	out := make(map[string]string, len(c.config.AuthConfigs))
	for _, slug := range slices.Sorted(maps.Keys(c.config.AuthConfigs)) {
		t, ok := c.toolkit("auth_configs", slug)
		if !ok {
			continue
		}
		authConfigID := c.config.AuthConfigs[slug]
		if err := c.authConfig(ctx, "auth_configs."+t.Slug, t.Slug, authConfigID); err != nil {
			return err
		}
		out[t.Slug] = authConfigID
	}
	c.config.AuthConfigs = out
	return nil
}

func (c *configCheck) authConfig(ctx context.Context, line, toolkit, authConfigID string) error {
	if !id.Has(id.AuthConfig, authConfigID) {
		c.fault("%s: %q is not the id of an auth config (ac_…)", line, authConfigID)
		return nil
	}
	a, err := c.service.accounts.AuthConfig(ctx, c.caller, authConfigID)
	switch {
	case fault.Is(err, fault.NotFound):
		c.fault("%s: this project has no auth config %s", line, authConfigID)
	case err != nil:
		return err
	case a.Toolkit != toolkit:
		c.fault("%s: %s is an auth config of %s", line, authConfigID, a.Toolkit)
	case !a.Enabled:
		c.warn(warnConfigUnusable, "%s: %s is disabled, so %s cannot be used until it is enabled.", line, authConfigID, toolkit)
	case !a.EnabledForSessions:
		c.warn(warnConfigUnusable, "%s: %s is not enabled for sessions (is_enabled_for_tool_router), so %s cannot be used until it is.", line, authConfigID, toolkit)
	}
	return nil
}

func (c *configCheck) connectedAccounts(ctx context.Context) error {
	if c.config.ConnectedAccounts == nil {
		return nil
	}
	found, err := c.pinnedAccounts(ctx)
	if err != nil {
		return err
	}
	out := make(map[string][]string, len(c.config.ConnectedAccounts))
	for _, slug := range slices.Sorted(maps.Keys(c.config.ConnectedAccounts)) {
		t, ok := c.toolkit("connected_accounts", slug)
		if !ok {
			continue
		}
		pins := slices.Clone(c.config.ConnectedAccounts[slug])
		slices.Sort(pins)
		if len(slices.Compact(pins)) != len(c.config.ConnectedAccounts[slug]) {
			c.pinFault("connected_accounts.%s: an account is named twice", t.Slug)
		}
		if err := c.pinsOf(ctx, t.Slug, c.config.ConnectedAccounts[slug], found); err != nil {
			return err
		}
		out[t.Slug] = c.config.ConnectedAccounts[slug]
	}
	c.config.ConnectedAccounts = out
	return nil
}

// pinnedAccounts reads all pinned accounts at once.
func (c *configCheck) pinnedAccounts(ctx context.Context) (map[string]connect.ConnectedAccount, error) {
	var ids []string
	for _, pins := range c.config.ConnectedAccounts {
		for _, pin := range pins {
			if id.Has(id.ConnectedAccount, pin) {
				ids = append(ids, pin)
			}
		}
	}
	found := make(map[string]connect.ConnectedAccount, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	accounts, _, err := c.service.accounts.ListAccounts(ctx, c.caller, connect.AccountFilter{IDs: ids, Limit: len(ids)})
	for _, a := range accounts {
		found[a.ID] = a
	}
	return found, err
}

func (c *configCheck) pinsOf(ctx context.Context, toolkit string, pins []string, found map[string]connect.ConnectedAccount) error {
	line := "connected_accounts." + toolkit
	limit := 1
	if c.config.MultiAccount.Enable {
		limit = c.config.MultiAccount.limit()
	}
	switch {
	case len(pins) == 0:
		c.pinFault("%s: the list is empty; leave the toolkit out to pin nothing", line)
	case len(pins) > 1 && limit == 1:
		c.pinFault("%s: %d accounts are pinned, but multi_account is off; pin one, or set multi_account.enable", line, len(pins))
	case len(pins) > limit:
		c.pinFault("%s: %d accounts are pinned, more than multi_account.max_accounts_per_toolkit (%d)", line, len(pins), limit)
	}
	shared := 0
	for _, pin := range pins {
		a, ok := found[pin]
		if !ok {
			if err := c.missingPin(ctx, line, toolkit, pin); err != nil {
				return err
			}
			continue
		}
		if a.Type == connect.Shared {
			shared++
		}
		c.pin(line, toolkit, a)
	}
	if shared > 1 {
		c.pinFault("%s: %d SHARED accounts are pinned; a session takes one for each toolkit", line, shared)
	}
	return nil
}

// missingPin tells an account that is gone, which only costs the session that toolkit, from an id that never was this
// project's, which is a mistake or worse.
func (c *configCheck) missingPin(ctx context.Context, line, toolkit, pin string) error {
	if !id.Has(id.ConnectedAccount, pin) {
		c.pinFault("%s: %q is not the id of a connected account (ca_…)", line, pin)
		return nil
	}
	gone := slices.Contains(c.kept[toolkit], pin)
	if !gone {
		var err error
		if gone, err = c.service.accounts.WasDeleted(ctx, c.caller, pin); err != nil {
			return err
		}
	}
	if !gone {
		c.pinFault("%s: this project has no connected account %s", line, pin)
		return nil
	}
	c.warn(warnAccountUnusable, "%s: account %s was deleted, so %s cannot be used in this session. Take the pin out, or pin another account.", line, pin, toolkit)
	return nil
}

func (c *configCheck) pin(line, toolkit string, a connect.ConnectedAccount) {
	switch {
	case a.Toolkit != toolkit:
		c.pinFault("%s: %s is an account of %s", line, a.ID, a.Toolkit)
	case a.UserID != c.userID && a.Type != connect.Shared:
		c.pinFault("%s: %s is another user's account; only SHARED accounts can be pinned for other users", line, a.ID)
	case a.UserID != c.userID && !a.ACL.Lets(c.userID, a.UserID):
		c.pinFault("%s: %s is shared, but its ACL does not let user %q use it", line, a.ID, c.userID)
	case a.Status != connect.Active:
		c.warn(warnAccountUnusable, "%s: account %s is %s%s, so %s cannot be used in this session until it is connected again.",
			line, a.ID, a.Status, because(a.StatusReason), toolkit)
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + strings.TrimSuffix(reason, ".") + ")"
}
