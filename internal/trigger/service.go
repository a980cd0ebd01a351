package trigger

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Runner sends the requests to providers; *execute.Runner is one.
type Runner interface {
	Run(ctx context.Context, c tenant.Caller, call execute.Call) (execute.Result, error)
	Check(t *catalog.Tool, given map[string]any) (values map[string]any, notes []string, err error)
}

// Connections knows the accounts; *connect.Service is one.
type Connections interface {
	Account(ctx context.Context, c tenant.Caller, id string) (connect.ConnectedAccount, error)
	Select(ctx context.Context, c tenant.Caller, sel connect.Selection) (connect.ConnectedAccount, error)
	// ClientID gives the client id under which an account's app is known at its provider; empty when it has none.
	ClientID(ctx context.Context, c tenant.Caller, a connect.ConnectedAccount) (string, error)
}

// Options of a Service.
type Options struct {
	Store       Store                                    // required
	Catalog     func(projectID string) *catalog.Snapshot // required; asked once per operation
	Connections Connections                              // required
	Runner      Runner                                   // required

	Interval    time.Duration // between two looks at a list, where the instance says nothing; 0: a minute
	MinInterval time.Duration // the least that an instance can ask for; 0: a minute
	Workers     int           // polls at the same time on this node; 0: 16
	LeaseFor    time.Duration // how long a killed node's polls lie; 0: 30 seconds
	Patience    int           // looks in a row that may fail for good before an instance is disabled; 0: 12

	// Received is told what became of each call of a provider: see the outcomes in ingress.go. For metrics; nil: nobody is told.
	Received func(toolkit, outcome string)
	// Looked is told how each look went (found, nothing, failed) and how many events it found. Nil: nobody is told.
	Looked func(outcome string, events int)

	Jitter func(time.Duration) time.Duration // adds a little chance to an interval; nil: up to a tenth either way
	Now    func() time.Time                  // nil: time.Now
	Log    *slog.Logger                      // nil: nothing is logged
}

// The defaults that Options speak of.
const (
	defaultInterval = time.Minute
	defaultPatience = 12
)

// Service is the one door to trigger instances and webhook endpoints. It is safe for concurrent use. Start it to have lists
// looked at; Stop it at the end.
type Service struct {
	o     Options
	store Store
	now   func() time.Time
	log   *slog.Logger
	polls *job.Loop[Instance]
}

// New checks the options and makes a service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Catalog == nil || o.Connections == nil || o.Runner == nil {
		return nil, errors.New("trigger: Store, Catalog, Connections and Runner are required")
	}
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.MinInterval <= 0 {
		o.MinInterval = defaultInterval
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.Received == nil {
		o.Received = func(string, string) {}
	}
	if o.Looked == nil {
		o.Looked = func(string, int) {}
	}
	if o.Jitter == nil {
		o.Jitter = jitter
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, store: o.Store, now: o.Now, log: o.Log}
	var err error
	s.polls, err = job.New(job.Options[Instance]{
		Name: "poll", Key: func(i Instance) string { return i.ID },
		Claim: o.Store.ClaimPolls, Renew: o.Store.RenewPoll, Next: o.Store.NextPoll, Do: s.poll,
		Workers: o.Workers, LeaseFor: o.LeaseFor, Now: o.Now, Log: o.Log,
	})
	return s, err
}

// Start begins to look at lists.
func (s *Service) Start() { s.polls.Start() }

// Stop ends it and waits for looks on their way.
func (s *Service) Stop() { s.polls.Stop() }

// Lag is for how long the poll that is due the longest has waited.
func (s *Service) Lag() time.Duration { return s.polls.Lag() }

// Type finds a trigger type of the project. One that does not exist is a fault with the names of its toolkit.
func (s *Service) Type(c tenant.Caller, slug string) (*catalog.TriggerType, error) {
	snapshot := s.o.Catalog(c.ProjectID)
	if t, ok := snapshot.TriggerType(slug); ok {
		return t, nil
	}
	f := fault.New(fault.NotFound, fault.SlugTriggerTypeNotFound, "There is no trigger type %q.", slug)
	if near := typesLike(snapshot, slug); len(near) > 0 {
		return nil, f.WithFix("There are %s.", strings.Join(near, ", "))
	}
	return nil, f.WithFix("GET /api/v3.1/triggers_types lists what there is.")
}

// typesLike names the trigger types of the toolkit that a slug begins with.
func typesLike(snapshot *catalog.Snapshot, slug string) []string {
	toolkit, _, _ := strings.Cut(slug, "_")
	tk, ok := snapshot.Toolkit(toolkit)
	if !ok {
		return nil
	}
	var names []string
	for _, t := range append(tk.Triggers[:len(tk.Triggers):len(tk.Triggers)], tk.GenericTriggers()...) {
		names = append(names, t.Slug)
	}
	return names
}

// Types gives the trigger types of the named toolkits, or of all. The generic ones are among them when their toolkit is named.
func (s *Service) Types(c tenant.Caller, toolkits []string) []*catalog.TriggerType {
	snapshot := s.o.Catalog(c.ProjectID)
	types := []*catalog.TriggerType{}
	if len(toolkits) == 0 {
		for _, tk := range snapshot.Toolkits() {
			types = append(types, tk.Triggers...)
		}
		return types
	}
	for _, slug := range toolkits {
		if tk, ok := snapshot.Toolkit(slug); ok {
			types = append(append(types, tk.Triggers...), tk.GenericTriggers()...)
		}
	}
	return types
}

func (s *Service) toolkit(c tenant.Caller, slug string) (*catalog.Toolkit, error) {
	snapshot := s.o.Catalog(c.ProjectID)
	if tk, ok := snapshot.Toolkit(slug); ok {
		return tk, nil
	}
	f := fault.New(fault.NotFound, fault.SlugToolkitNotFound, "There is no toolkit %q.", slug)
	if near := snapshot.NearestToolkits(slug, 3); len(near) > 0 {
		return nil, f.WithFix("Did you mean %s?", strings.Join(near, ", "))
	}
	return nil, f.WithFix("List the toolkits to see what there is.")
}
