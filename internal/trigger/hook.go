package trigger

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// route decides at which endpoint the calls for an instance arrive: that of the whole app, if somebody set one up for the
// account's app, else one of its own. Own is true when it has to be stored with the instance.
func (s *Service) route(ctx context.Context, c tenant.Caller, t *catalog.TriggerType, i *Instance, a connect.ConnectedAccount) (e Endpoint, own bool, err error) {
	if !t.Generic && t.Webhook.Mine != nil {
		e, err = s.appEndpoint(ctx, c, i.Toolkit, a)
		if !fault.Is(err, fault.NotFound) {
			return e, false, err
		}
	}
	if t.NeedsEndpoint() {
		return Endpoint{}, false, s.needsEndpoint(ctx, c, t, a)
	}
	now := s.now().UTC()
	return Endpoint{
		ID: id.New(id.WebhookEndpoint), ProjectID: i.ProjectID, Toolkit: i.Toolkit, InstanceID: i.ID, CreatedAt: now, UpdatedAt: now,
		Data: map[string]secret.Value{SigningSecret: secret.Hide(id.NewSecret("whsec"))},
	}, true, nil
}

// appEndpoint finds the endpoint that was set up for the app under which an account was connected.
func (s *Service) appEndpoint(ctx context.Context, c tenant.Caller, toolkit string, a connect.ConnectedAccount) (Endpoint, error) {
	clientID, err := s.o.Connections.ClientID(ctx, c, a)
	if err != nil {
		return Endpoint{}, err
	}
	if clientID != "" {
		e, err := s.store.EndpointFor(ctx, c.ProjectID, toolkit, clientID)
		if !fault.Is(err, fault.NotFound) {
			return e, err
		}
	}
	return s.store.EndpointFor(ctx, c.ProjectID, toolkit, a.AuthConfigID)
}

func (s *Service) needsEndpoint(ctx context.Context, c tenant.Caller, t *catalog.TriggerType, a connect.ConnectedAccount) error {
	clientID, err := s.o.Connections.ClientID(ctx, c, a)
	if err != nil {
		return err
	}
	if clientID == "" {
		clientID = a.AuthConfigID
	}
	return fault.New(fault.Unprocessable, fault.SlugEndpointNeeded, "%s sends its events to one address for the whole app, and none is set up here for the app of account %s.", t.Toolkit.Name, a.ID).
		WithFix(`POST /api/v3.1/webhook_endpoints {"toolkit_slug": %q, "client_id": %q}, enter the webhook_url of the answer at %s, and create the trigger again. %s`,
			t.Toolkit.Slug, clientID, t.Toolkit.Name, t.Instructions)
}

// attach makes the provider send an instance's events. What it answered is kept in the instance; a secret that the provider
// chose goes to the endpoint.
func (s *Service) attach(ctx context.Context, c tenant.Caller, t *catalog.TriggerType, i *Instance, e Endpoint, from string) error {
	if t.Generic {
		return nil
	}
	own := e.InstanceID != ""
	tool, more := t.Webhook.About, map[string]any{}
	if own {
		tool = t.Webhook.Create
		more = map[string]any{"webhook_url": from + e.Path(), "signing_secret": e.secret().Reveal(), "events": anyList(t.Events)}
	}
	if tool == nil {
		return nil
	}
	data, err := s.ask(ctx, c, i, tool, with(i.Config, more))
	if err != nil {
		return refusal(t, err)
	}
	chosen, _ := data["secret"].(string)
	delete(data, "secret")
	i.Hook = data
	if chosen == "" || !own {
		return nil
	}
	_, err = s.store.UpdateEndpoint(ctx, i.ProjectID, e.ID, func(e *Endpoint) error {
		e.Data, e.UpdatedAt = map[string]secret.Value{SigningSecret: secret.Hide(chosen)}, s.now().UTC()
		return nil
	})
	return err
}

// anyList gives texts as expressions know lists.
func anyList(texts []string) []any {
	out := make([]any, len(texts))
	for n, t := range texts {
		out[n] = t
	}
	return out
}

// refusal tells what the provider said; other failures stay as they are.
func refusal(t *catalog.TriggerType, err error) error {
	var r *refused
	if errors.As(err, &r) {
		return r.fault(t)
	}
	return err
}

// detach removes what attach made at the provider. That it is gone already is as good.
func (s *Service) detach(ctx context.Context, c tenant.Caller, i *Instance) error {
	if i.Kind != catalog.KindWebhook || len(i.Hook) == 0 {
		return nil
	}
	t, err := s.Type(c, i.Trigger)
	if err != nil || t.Generic || t.Webhook.Remove == nil {
		return err
	}
	e, err := s.store.Endpoint(ctx, i.ProjectID, i.EndpointID)
	if err != nil || e.InstanceID == "" { // of the whole app: nothing was made
		return err
	}
	_, err = s.ask(ctx, c, i, t.Webhook.Remove, with(i.Config, map[string]any{"hook": i.Hook}))
	var r *refused
	if errors.As(err, &r) && (r.status == http.StatusNotFound || r.status == http.StatusGone) {
		err = nil
	}
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a webhook was left at its provider", slog.String("trigger", i.ID),
			slog.String("toolkit", i.Toolkit), slog.String("error", err.Error()))
		return refusal(t, err)
	}
	return nil
}

// removeFor bounds the asking of one provider to remove a webhook while somebody waits.
const removeFor = 15 * time.Second

// AccountLeaves removes the instances of an account that is about to be deleted, first at the provider, while the account's
// credential still works. It is for connect.Options.Leaving.
func (s *Service) AccountLeaves(ctx context.Context, a connect.ConnectedAccount) {
	c := tenant.Caller{ProjectID: a.ProjectID}
	err := s.eachOf(ctx, a, func(i Instance) error {
		removing, cancel := context.WithTimeout(ctx, removeFor)
		defer cancel()
		gone := s.detach(removing, c, &i)
		return errors.Join(gone, s.store.DeleteInstance(context.WithoutCancel(ctx), i.ProjectID, i.ID))
	})
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "triggers of a deleted account were not removed everywhere", slog.String("account", a.ID),
			slog.String("error", err.Error()))
	}
}

// lower gives a header's name as expressions know it.
func lower(name string) string { return strings.ToLower(name) }
