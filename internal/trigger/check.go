package trigger

import (
	"context"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Checked says whether Upsert would succeed.
type Checked struct {
	AccountID string
	Config    map[string]any
	Problem   *fault.Error // why it would fail; nil: it would not, as far as can be told without making anything
	Warnings  []string
	Found     int // elements that are in the list now; of polls only
}

// Check tries a configuration without keeping anything: the provider is asked what it can be asked without changing anything
// there. Only a failure to try is an error.
func (s *Service) Check(ctx context.Context, c tenant.Caller, w Wanted) (Checked, error) {
	t, a, config, err := s.resolve(ctx, c, w)
	if err != nil {
		return Checked{Problem: fault.From(err)}, internal(err)
	}
	out := Checked{AccountID: a.ID, Config: config, Warnings: missingScopes(t, a)}
	i := Instance{
		ID: "check", ProjectID: c.ProjectID, UserID: a.UserID, Toolkit: t.Toolkit.Slug, Trigger: t.Slug, Kind: t.Kind,
		AccountID: a.ID, AuthConfigID: a.AuthConfigID, Config: config,
	}
	if t.Kind == catalog.KindWebhook {
		err = s.checkWebhook(ctx, c, t, &i, a)
	} else {
		_, _, err = s.look(ctx, c, &i, 1)
		if i.Position.Sweep != nil {
			out.Found = len(i.Position.Sweep.Keys)
		} else {
			out.Found = len(i.Position.Seen)
		}
	}
	if err != nil {
		out.Problem = fault.From(refusal(t, err))
		return out, internal(out.Problem)
	}
	return out, nil
}

func (s *Service) checkWebhook(ctx context.Context, c tenant.Caller, t *catalog.TriggerType, i *Instance, a connect.ConnectedAccount) error {
	if _, _, err := s.route(ctx, c, t, i, a); err != nil {
		return err
	}
	if t.Generic || t.Webhook.About == nil {
		return nil
	}
	_, err := s.ask(ctx, c, i, t.Webhook.About, with(i.Config, nil))
	return err
}

// internal gives only those errors that are not an answer to what was asked.
func internal(err error) error {
	switch fault.From(err).Kind {
	case fault.Internal, fault.Canceled, fault.Timeout:
		return err
	}
	return nil
}

// missingScopes names what the type needs and the account was not granted, where its grant says what it holds.
func missingScopes(t *catalog.TriggerType, a connect.ConnectedAccount) []string {
	warnings := []string{}
	if len(a.Scopes) == 0 {
		return warnings
	}
	lacks := func(scope string) bool { return !slices.Contains(a.Scopes, scope) }
	for _, scope := range t.Scopes.All {
		if lacks(scope) {
			warnings = append(warnings, "The account was not granted the scope "+scope+".")
		}
	}
	for _, choice := range t.Scopes.Any {
		if !slices.ContainsFunc(choice, func(scope string) bool { return !lacks(scope) }) {
			warnings = append(warnings, "The account was granted none of the scopes "+joined(choice)+".")
		}
	}
	return warnings
}
