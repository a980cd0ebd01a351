package trigger

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Endpoint is an address at which a provider calls. It is the app's, entered there by the operator (a Slack app's, say), or one
// instance's own.
type Endpoint struct {
	ID         string // we_…
	ProjectID  string
	Toolkit    string
	ClientID   string // of the app at the provider; empty when it is an instance's own
	InstanceID string // whose own it is; empty when it is a whole app's
	Data       map[string]secret.Value
	Confirmed  bool // a call with a good signature came
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Version    int64
}

// Members of Endpoint.Data that mean something; others are kept for whoever put them there.
const (
	SigningSecret     = "webhook_signing_secret"
	VerificationToken = "verification_token" // the signing secret, when the provider says it and wants to see it entered
)

// hidden stands in place of secrets.
const hidden = connect.Redacted

// Shown gives Data as it may be shown. What the provider said in its handshake is shown until it is confirmed: people have to
// enter it there.
func (e Endpoint) Shown() map[string]string {
	if len(e.Data) == 0 {
		return nil
	}
	shown := make(map[string]string, len(e.Data))
	for name, v := range e.Data {
		if name == VerificationToken && !e.Confirmed {
			shown[name] = v.Reveal()
		} else {
			shown[name] = hidden
		}
	}
	return shown
}

// secret gives what calls are signed with.
func (e Endpoint) secret() secret.Value {
	if s, ok := e.Data[SigningSecret]; ok {
		return s
	}
	return e.Data[VerificationToken]
}

// Path is where the provider calls, below the server's origin.
func (e Endpoint) Path() string {
	return "/api/v3.1/webhook_ingress/" + e.Toolkit + "/" + e.ID + "/trigger_event"
}

// CreateEndpoint makes the endpoint of an app, or gives the one that there is (contract section 12.3).
func (s *Service) CreateEndpoint(ctx context.Context, c tenant.Caller, toolkit, clientID string) (Endpoint, error) {
	tk, err := s.toolkit(c, toolkit)
	if err != nil {
		return Endpoint{}, err
	}
	if clientID == "" {
		return Endpoint{}, fault.New(fault.Invalid, fault.SlugInvalid, "client_id is missing: it says whose accounts the calls concern.").
			WithFix("Give the client id of the %s app, or the id of the auth config (ac_…) whose accounts it is.", tk.Name)
	}
	known, err := s.store.EndpointFor(ctx, c.ProjectID, tk.Slug, clientID)
	if !fault.Is(err, fault.NotFound) {
		return known, err
	}
	now := s.now().UTC()
	e := Endpoint{ID: id.New(id.WebhookEndpoint), ProjectID: c.ProjectID, Toolkit: tk.Slug, ClientID: clientID, CreatedAt: now, UpdatedAt: now}
	err = s.store.CreateEndpoint(ctx, e)
	if fault.Is(err, fault.Conflict) { // made by somebody else meanwhile
		return s.store.EndpointFor(ctx, c.ProjectID, tk.Slug, clientID)
	}
	return e, err
}

// Endpoint gives one endpoint of an app.
func (s *Service) Endpoint(ctx context.Context, c tenant.Caller, endpointID string) (Endpoint, error) {
	return s.store.Endpoint(ctx, c.ProjectID, endpointID)
}

// ListEndpoints gives the endpoints of a toolkit's apps, or of all toolkits' when none is named.
func (s *Service) ListEndpoints(ctx context.Context, c tenant.Caller, toolkit string) ([]Endpoint, error) {
	return s.store.ListEndpoints(ctx, c.ProjectID, strings.ToLower(toolkit))
}

// SetEndpointData stores secrets of an endpoint: over those that are there, or in place of all. An empty text takes one away.
func (s *Service) SetEndpointData(ctx context.Context, c tenant.Caller, endpointID string, data map[string]string, replace bool) (Endpoint, error) {
	return s.store.UpdateEndpoint(ctx, c.ProjectID, endpointID, func(e *Endpoint) error {
		set := map[string]secret.Value{}
		if !replace {
			maps.Copy(set, e.Data)
		}
		for name, v := range data {
			switch {
			case v == "":
				delete(set, name)
			case v == hidden: // shown before and sent back unchanged
				if old, ok := e.Data[name]; ok {
					set[name] = old
				}
			default:
				set[name] = secret.Hide(v)
			}
		}
		e.Data, e.UpdatedAt = set, s.now().UTC()
		return nil
	})
}

// SetupField is one value that an endpoint needs.
type SetupField struct {
	Name, Title, Description string
	Required, Secret         bool
}

// SetupFields says what the endpoint of a toolkit's app needs before it takes calls.
func (s *Service) SetupFields(c tenant.Caller, toolkit string) ([]SetupField, error) {
	tk, err := s.toolkit(c, toolkit)
	if err != nil {
		return nil, err
	}
	fields := []SetupField{}
	w := appWebhook(tk)
	if w == nil || w.Signature == nil {
		return fields, nil
	}
	field := SetupField{Name: SigningSecret, Title: "Signing secret", Required: true, Secret: true,
		Description: "What " + tk.Name + " signs its calls with. It is shown where the address of the webhook is entered."}
	for _, h := range w.Handshakes {
		if h.Secret != nil {
			field.Required = false
			field.Description = tk.Name + " says it in its first call; then data.verification_token is what to enter there."
		}
	}
	return append(fields, field), nil
}

// appWebhook gives how calls to the endpoint of a toolkit's app are proved; nil when it declares none.
func appWebhook(tk *catalog.Toolkit) *catalog.Webhook {
	for _, t := range tk.Triggers {
		if t.Webhook != nil && t.Webhook.Mine != nil {
			return t.Webhook
		}
	}
	return nil
}
