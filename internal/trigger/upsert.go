package trigger

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Wanted is what somebody wants to be watched.
type Wanted struct {
	Trigger   string // slug of the type
	UserID    string // whose newest ACTIVE account, when AccountID is empty
	AccountID string
	Config    map[string]any
	Version   string // of the toolkit; empty or "latest" for the newest
	From      string // origin under which this server is reached: providers are given addresses below it
}

// Made is an instance as it was just made or found.
type Made struct {
	Instance
	New      bool
	URL      string // where its calls arrive, when somebody has to enter that at the provider
	Secret   string // to be entered there too; told once
	Endpoint string // id of the endpoint, when it is the instance's own
}

// Upsert watches something for an account: it makes an instance, or finds the one that does that already and enables it. The
// provider is asked before anything is answered, so that what cannot work fails here and not later.
func (s *Service) Upsert(ctx context.Context, c tenant.Caller, w Wanted) (Made, error) {
	t, a, config, err := s.resolve(ctx, c, w)
	if err != nil {
		return Made{}, err
	}
	known, err := s.store.InstanceLike(ctx, c.ProjectID, a.ID, t.Slug, fingerprint(config))
	if fault.Is(err, fault.NotFound) {
		return s.create(ctx, c, t, a, config, w.From)
	}
	if err != nil {
		return Made{}, err
	}
	known, err = s.enable(ctx, c, known, w.From)
	return Made{Instance: known}, err
}

// resolve checks what is wanted, and finds the type, the account and the configuration that are meant.
func (s *Service) resolve(ctx context.Context, c tenant.Caller, w Wanted) (*catalog.TriggerType, connect.ConnectedAccount, map[string]any, error) {
	none := connect.ConnectedAccount{}
	t, err := s.Type(c, w.Trigger)
	if err != nil {
		return nil, none, nil, err
	}
	if !t.Toolkit.HasVersion(w.Version) {
		return nil, none, nil, fault.New(fault.NotFound, fault.SlugTriggerTypeNotFound, "Toolkit %s has no version %q.", t.Toolkit.Slug, w.Version).
			WithFix("Ask for %q or leave the version out.", "latest")
	}
	if w.UserID == "" && w.AccountID == "" {
		return nil, none, nil, fault.New(fault.Invalid, fault.SlugTriggerInvalid, "Nothing says whose %s is to be watched.", t.Toolkit.Name).
			WithFix("Give connected_account_id, or user_id for the newest active account of that user.")
	}
	a, err := s.o.Connections.Select(ctx, c, connect.Selection{UserID: w.UserID, Toolkit: t.Toolkit.Slug, AccountID: w.AccountID})
	if err != nil {
		return nil, none, nil, err
	}
	config, err := s.checkConfig(c, t, w.Config)
	return t, a, config, err
}

// checkConfig coerces and checks a configuration, and fills in its defaults.
func (s *Service) checkConfig(c tenant.Caller, t *catalog.TriggerType, given map[string]any) (map[string]any, error) {
	config, _, err := s.o.Runner.Check(t.Settings, given)
	if err != nil {
		f := fault.From(err)
		if f.Kind != fault.Invalid {
			return nil, err
		}
		bad := fault.New(fault.Invalid, fault.SlugTriggerInvalid, "The configuration of %s is not valid: %s.", t.Slug, joined(f.Details)).WithDetails(f.Details...)
		return nil, bad.WithFix("GET /api/v3.1/triggers_types/%s says in config what it takes.", t.Slug)
	}
	if minutes, ok := number(config["interval"]); ok && time.Duration(minutes*float64(time.Minute)) < s.o.MinInterval {
		return nil, badConfig("interval: %v minutes is less than this server allows (%s); its operator can change triggers.min_interval", minutes, s.o.MinInterval)
	}
	if t.Generic && t.Kind == catalog.KindPoll {
		var g catalog.GenericPollConfig
		if err := convert(config, &g); err != nil {
			return nil, err
		}
		tool, err := s.pollable(c, t, g)
		if err != nil {
			return nil, err
		}
		if _, err := genericPaths(g); err != nil {
			return nil, err
		}
		if _, _, err := s.o.Runner.Check(tool, g.Arguments); err != nil {
			return nil, badConfig("arguments: %s", fault.From(err).Message)
		}
	}
	return config, nil
}

func joined(lines []string) string {
	out := ""
	for n, line := range lines {
		if n > 0 {
			out += "; "
		}
		out += line
	}
	return out
}

// create makes an instance. It is stored before the provider is asked, as one that is not set up yet, so that whatever
// happens there belongs to something that is known here.
func (s *Service) create(ctx context.Context, c tenant.Caller, t *catalog.TriggerType, a connect.ConnectedAccount, config map[string]any, from string) (Made, error) {
	now := s.now().UTC()
	i := Instance{
		ID: id.New(id.TriggerInstance), ProjectID: c.ProjectID, UserID: a.UserID, Toolkit: t.Toolkit.Slug, Trigger: t.Slug, Kind: t.Kind,
		AccountID: a.ID, AuthConfigID: a.AuthConfigID, Config: config, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	i.stop(Disabled, Unfinished, "It was never set up at the provider.", now)
	made := Made{New: true}
	var own *Endpoint
	if t.Kind == catalog.KindWebhook {
		e, isOwn, err := s.route(ctx, c, t, &i, a)
		if err != nil {
			return Made{}, err
		}
		i.EndpointID = e.ID
		if isOwn {
			own, made.Endpoint = &e, e.ID
		}
		if t.Generic {
			made.URL, made.Secret = from+e.Path(), e.secret().Reveal()
		}
	}
	if err := s.store.CreateInstance(ctx, i, own); err != nil {
		if !fault.Is(err, fault.Conflict) {
			return Made{}, err
		}
		known, err := s.store.InstanceLike(ctx, c.ProjectID, a.ID, t.Slug, fingerprint(config)) // the same was wanted twice at once
		return Made{Instance: known}, err
	}
	enabled, err := s.setUp(ctx, c, t, i, from)
	if err != nil {
		return Made{}, joinErr(err, s.store.DeleteInstance(context.WithoutCancel(ctx), i.ProjectID, i.ID))
	}
	made.Instance = enabled
	return made, nil
}

// joinErr keeps the first error what it is; the second is only its company.
func joinErr(first, second error) error {
	if second == nil {
		return first
	}
	f := *fault.From(first)
	return f.Because(second)
}

// enable puts an instance into service; one that is already is left alone.
func (s *Service) enable(ctx context.Context, c tenant.Caller, i Instance, from string) (Instance, error) {
	if i.Status == Active {
		return i, nil
	}
	t, err := s.Type(c, i.Trigger)
	if err != nil {
		return Instance{}, err
	}
	a, err := s.o.Connections.Select(ctx, c, connect.Selection{UserID: i.UserID, Toolkit: i.Toolkit, AccountID: i.AccountID})
	if err != nil {
		return Instance{}, err
	}
	if i.Status == Paused && a.Status == connect.Active {
		i, err = s.resume(ctx, i)
		s.polls.Kick()
		return i, err
	}
	return s.setUp(ctx, c, t, i, from)
}

// setUp has the provider watched: its webhook made, or its list read a first time, to know what is there already.
func (s *Service) setUp(ctx context.Context, c tenant.Caller, t *catalog.TriggerType, i Instance, from string) (Instance, error) {
	var events []event.Event
	more := false
	if t.Kind == catalog.KindWebhook {
		e, err := s.store.Endpoint(ctx, i.ProjectID, i.EndpointID)
		if err == nil {
			err = s.attach(ctx, c, t, &i, e, from)
		}
		if err != nil {
			return Instance{}, err
		}
	} else {
		i.Position = Position{}
		found, rest, err := s.look(ctx, c, &i, firstLookSize)
		if err != nil {
			return Instance{}, refusal(t, err)
		}
		events, more = i.messages(found), rest
	}
	stored, err := s.store.UpdateInstance(context.WithoutCancel(ctx), i.ProjectID, i.ID, func(now *Instance) ([]event.Event, error) {
		at := s.now().UTC()
		now.Hook, now.Position = i.Hook, i.Position
		now.start(at)
		if t.Kind == catalog.KindPoll {
			now.LookedAt, now.DueAt = at, at.Add(s.o.Jitter(s.interval(now)))
			if more {
				now.DueAt = at.Add(goOn)
			}
		}
		return events, nil
	})
	if err != nil { // nobody will know of what was made
		return Instance{}, joinErr(err, s.detach(context.WithoutCancel(ctx), c, &i))
	}
	s.polls.Kick()
	return stored, nil
}
