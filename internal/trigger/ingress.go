package trigger

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Call is a provider's call at an endpoint.
type Call struct {
	Toolkit  string // as the address says it
	Endpoint string
	Header   http.Header
	Body     []byte
}

// Answer is what a provider is told.
type Answer struct {
	Text    string // to a handshake; empty: the outcome is told as JSON
	Outcome string
	Events  int
}

// The outcomes of calls, as Options.Received is told them. All but the first four are refusals, of which nothing is stored.
const (
	Accepted        = "accepted"  // became events
	Ignored         = "ignored"   // was good, and nobody watches for it
	Shaken          = "handshake" // was the provider trying the address
	Repeated        = "repeated"  // came before
	BadSignature    = "bad_signature"
	Stale           = "stale"
	Malformed       = "malformed"
	TooLarge        = "too_large" // told by whoever reads the body
	UnknownEndpoint = "unknown_endpoint"
)

// MaxCall is how long the body of a call may be. Bytes.
const MaxCall = 4 << 20

// ReceiptsFor is for how long a call is known to have come before. Providers repeat what was not acknowledged for some days.
const ReceiptsFor = 14 * 24 * time.Hour

// Refuse counts a call that whoever reads requests did not let through.
func (s *Service) Refuse(outcome string) { s.o.Received("", outcome) }

// Receive takes a provider's call: it checks the proof, answers handshakes, and stores the events of the instances that watch
// for it, all before it answers. A call that came before is answered as if it were new, so that the provider stops repeating it.
func (s *Service) Receive(ctx context.Context, call Call) (Answer, error) {
	e, err := s.store.EndpointCalled(ctx, call.Endpoint)
	if err == nil && !strings.EqualFold(e.Toolkit, call.Toolkit) || fault.Is(err, fault.NotFound) || !id.Has(id.WebhookEndpoint, call.Endpoint) {
		s.o.Received("", UnknownEndpoint)
		return Answer{}, fault.New(fault.NotFound, fault.SlugEndpointNotFound, "There is no webhook endpoint here.")
	}
	if err != nil {
		return Answer{}, err
	}
	answer, err := s.receive(ctx, e, call)
	if outcome := outcomeOf(answer, err); outcome != "" {
		s.o.Received(e.Toolkit, outcome)
	}
	return answer, err
}

func outcomeOf(a Answer, err error) string {
	switch {
	case err == nil:
		return a.Outcome
	case errors.Is(err, errStale):
		return Stale
	case errors.Is(err, errBadSignature), errors.Is(err, errNoSecret), errors.Is(err, errDisabled):
		return BadSignature
	case fault.Is(err, fault.Invalid):
		return Malformed
	}
	return ""
}

func (s *Service) receive(ctx context.Context, e Endpoint, call Call) (Answer, error) {
	c := tenant.Caller{ProjectID: e.ProjectID}
	env, err := s.read(call)
	if err != nil {
		return Answer{}, err
	}
	instances, err := s.store.EndpointInstances(ctx, e.ProjectID, e.ID)
	if err != nil {
		return Answer{}, err
	}
	signature, handshakes, err := s.proofOf(c, e, instances)
	if err != nil {
		return Answer{}, err
	}
	if answer, done, err := s.introduce(ctx, e, handshakes, env); done || err != nil {
		return answer, err
	}
	if signature != nil {
		if err := verify(signature, e.secret(), env, call.Body, s.now()); err != nil {
			return Answer{}, refuse(err)
		}
	}
	if answer, done, err := shake(handshakes, env); done || err != nil {
		return answer, err
	}
	events, err := s.events(ctx, c, e, instances, env)
	if err != nil {
		return Answer{}, err
	}
	return s.keep(ctx, e, receiptOf(signature, env, call.Body), events)
}

// Receipt tells a signed call when it comes again.
type Receipt struct {
	Digest string        // empty: the call is not signed, and may well be like another
	For    time.Duration // for how long the same digest is the same call
}

// receiptOf gives the digest of what was signed, so that nobody who overheard a call can send it again under another id, but where the
// id is said to be what tells calls apart.
func receiptOf(signature *catalog.Signature, env *mapping.Env, body []byte) Receipt {
	if signature == nil || signature.HMAC == "" {
		return Receipt{}
	}
	sum := sha256.Sum256(body)
	if delivery := env.Header[signature.Delivery]; signature.Delivery != "" && delivery != "" {
		sum = sha256.Sum256(append(sum[:], delivery...))
	}
	return Receipt{Digest: base64.RawURLEncoding.EncodeToString(sum[:]), For: cmp.Or(signature.AlikeFor, ReceiptsFor)}
}

func refuse(why error) error {
	return fault.New(fault.Unauthorized, fault.SlugCallRefused, "The call is refused: %s.", why).Because(why)
}

// keep stores a call once. Calls that are not signed are told apart by the keys of their events alone.
func (s *Service) keep(ctx context.Context, e Endpoint, r Receipt, events []event.Event) (Answer, error) {
	if r.Digest != "" && !e.Confirmed {
		if _, err := s.store.UpdateEndpoint(ctx, e.ProjectID, e.ID, func(e *Endpoint) error {
			e.Confirmed, e.UpdatedAt = true, s.now().UTC()
			return nil
		}); err != nil {
			return Answer{}, err
		}
	}
	if len(events) == 0 {
		return Answer{Outcome: Ignored}, nil
	}
	first, err := s.store.Receive(ctx, e, r, events)
	switch {
	case err != nil:
		return Answer{}, err
	case !first:
		return Answer{Outcome: Repeated}, nil
	}
	return Answer{Outcome: Accepted, Events: len(events)}, nil
}

// read decodes a call for expressions.
func (s *Service) read(call Call) (*mapping.Env, error) {
	env := &mapping.Env{Header: make(map[string]string, len(call.Header)), Now: s.now()}
	for name, values := range call.Header {
		env.Header[lower(name)] = strings.Join(values, ", ")
	}
	kind, _, _ := mime.ParseMediaType(call.Header.Get("Content-Type"))
	body := bytes.TrimSpace(call.Body)
	switch {
	case len(body) == 0:
		env.Body = map[string]any{}
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, malformed(err)
		}
		env.Body = ofForm(form)
	case body[0] == '{' || body[0] == '[' || strings.HasSuffix(kind, "json"):
		v, err := mapping.DecodeJSON(body)
		if err != nil {
			return nil, malformed(err)
		}
		env.Body = v
	default:
		env.Body = strings.ToValidUTF8(string(call.Body), "\uFFFD")
	}
	return env, nil
}

func malformed(err error) error {
	return fault.New(fault.Invalid, fault.SlugInvalid, "The body of the call cannot be read.").Because(err)
}

// ofForm gives a form as an object; a member payload that holds JSON, as some providers send it, is the whole of it.
func ofForm(form url.Values) any {
	if len(form) == 1 && form.Has("payload") {
		if v, err := mapping.DecodeJSON([]byte(form.Get("payload"))); err == nil {
			return v
		}
	}
	object := make(map[string]any, len(form))
	for name, values := range form {
		object[name] = values[0]
	}
	return object
}

// proofOf says how calls at an endpoint are proved: as the type of the instance whose own it is says, or as the toolkit does
// for whole apps.
func (s *Service) proofOf(c tenant.Caller, e Endpoint, instances []Instance) (*catalog.Signature, []catalog.Handshake, error) {
	if e.InstanceID == "" {
		tk, err := s.toolkit(c, e.Toolkit)
		if err != nil {
			return nil, nil, err
		}
		if w := appWebhook(tk); w != nil {
			return w.Signature, w.Handshakes, nil
		}
		return nil, nil, refuse(errBadSignature)
	}
	if len(instances) == 0 {
		return nil, nil, refuse(errDisabled)
	}
	t, err := s.Type(c, instances[0].Trigger)
	if err != nil {
		return nil, nil, err
	}
	if !t.Generic {
		return t.Webhook.Signature, t.Webhook.Handshakes, nil
	}
	var g catalog.GenericWebhookConfig
	err = convert(instances[0].Config, &g)
	return genericSignature(g), nil, err
}

// introduce answers the one call that is not signed: in which the provider says what the others will be signed with. It is
// taken until the first of those came.
func (s *Service) introduce(ctx context.Context, e Endpoint, handshakes []catalog.Handshake, env *mapping.Env) (Answer, bool, error) {
	for _, h := range handshakes {
		if h.Secret == nil {
			continue
		}
		if met, err := h.When.True(env); err != nil || !met {
			continue
		}
		said, err := h.Secret.Eval(env)
		if err != nil || mapping.AsText(said) == "" {
			return Answer{}, true, malformed(err)
		}
		if e.Confirmed || e.Data[SigningSecret] != (secret.Value{}) {
			return Answer{}, true, refuse(errBadSignature)
		}
		_, err = s.store.UpdateEndpoint(ctx, e.ProjectID, e.ID, func(e *Endpoint) error {
			if e.Data == nil {
				e.Data = map[string]secret.Value{}
			}
			e.Data[VerificationToken], e.UpdatedAt = secret.Hide(mapping.AsText(said)), s.now().UTC()
			return nil
		})
		return Answer{Outcome: Shaken}, true, err
	}
	return Answer{}, false, nil
}

// shake answers a signed handshake.
func shake(handshakes []catalog.Handshake, env *mapping.Env) (Answer, bool, error) {
	for _, h := range handshakes {
		if h.Secret != nil {
			continue
		}
		met, err := h.When.True(env)
		if err != nil {
			return Answer{}, false, err
		}
		if !met {
			continue
		}
		answer := Answer{Outcome: Shaken}
		if h.Answer != nil {
			v, err := h.Answer.Eval(env)
			if err != nil {
				return Answer{}, false, err
			}
			answer.Text = mapping.AsText(v)
		}
		return answer, true, nil
	}
	return Answer{}, false, nil
}

// events makes the events of all instances that a call concerns.
func (s *Service) events(ctx context.Context, c tenant.Caller, e Endpoint, instances []Instance, env *mapping.Env) ([]event.Event, error) {
	var events []event.Event
	for _, i := range instances {
		found, err := s.concerns(c, e, &i, env)
		if err != nil { // a declaration that does not fit this call must not keep the others from theirs
			s.log.LogAttrs(ctx, slog.LevelError, "a call could not be made an event", slog.String("trigger", i.ID),
				slog.String("type", i.Trigger), slog.String("error", err.Error()))
			continue
		}
		if len(found) == 0 {
			continue
		}
		usable, err := s.usable(ctx, c, i)
		if err != nil {
			return nil, err
		}
		if usable {
			events = append(events, i.messages(found)...)
		}
	}
	return events, nil
}

// usable reports whether an instance may make events just now. One that was paused goes on if its account works again.
func (s *Service) usable(ctx context.Context, c tenant.Caller, i Instance) (bool, error) {
	a, err := s.o.Connections.Account(ctx, c, i.AccountID)
	if err != nil || a.Status != connect.Active {
		return false, err
	}
	if i.Status == Paused {
		_, err = s.resume(ctx, i)
	}
	return err == nil, err
}

// concerns gives what a call means to one instance.
func (s *Service) concerns(c tenant.Caller, e Endpoint, i *Instance, call *mapping.Env) ([]element, error) {
	t, err := s.Type(c, i.Trigger)
	if err != nil {
		return nil, err
	}
	env := *call
	env.Input = with(i.Config, map[string]any{"hook": i.Hook})
	if t.Generic {
		return genericEvent(i, &env)
	}
	if t.Webhook.Mine != nil && e.InstanceID == "" {
		if mine, err := t.Webhook.Mine.True(&env); err != nil || !mine {
			return nil, err
		}
	}
	items := []any{nil}
	if t.Event.Each != nil {
		v, err := t.Event.Each.Eval(&env)
		if err != nil {
			return nil, err
		}
		items, _ = v.([]any)
	}
	var found []element
	for _, item := range items {
		env.Item = item
		one, wanted, err := judge(&t.Event, &env)
		if err != nil {
			return nil, err
		}
		if wanted {
			found = append(found, one)
		}
	}
	return found, nil
}

// genericEvent is a call of any app, as it came.
func genericEvent(i *Instance, env *mapping.Env) ([]element, error) {
	var g catalog.GenericWebhookConfig
	if err := convert(i.Config, &g); err != nil {
		return nil, err
	}
	for source, want := range g.Match {
		path, err := mapping.ParsePath(source)
		if err != nil || mapping.AsText(path.Get(env.Body)) != mapping.AsText(want) {
			return nil, err
		}
	}
	e := element{}
	if g.EventIDHeader != "" {
		e.key = env.Header[lower(g.EventIDHeader)]
	}
	if path, err := mapping.ParsePath(g.EventIDPath); e.key == "" && g.EventIDPath != "" && err == nil {
		e.key = text(path.Get(env.Body))
	}
	if e.key == "" {
		e.key = id.New("call") // nothing says that it is the same as another
	}
	headers := map[string]any{}
	for name, v := range env.Header {
		if !telling[name] && name != lower(g.SignatureHeader) {
			headers[name] = v
		}
	}
	e, _, err := e.with(map[string]any{"body": env.Body, "headers": headers})
	return []element{e}, err
}

// telling are headers that prove something, and are nobody else's business.
var telling = map[string]bool{"authorization": true, "cookie": true, "proxy-authorization": true}
