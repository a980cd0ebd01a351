package trigger

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// How soon a poll is due again when it is not the interval that decides.
const (
	goOn          = 2 * time.Second // when there was more than one look reads
	recheck       = 5 * time.Minute // of an account that cannot be used: the word that it can may have been missed
	longestPause  = time.Hour       // between looks that fail
	lookFor       = 2 * time.Minute // the longest that one look may take, all its requests together
	errorsToShow  = 300             // characters of a failure that are kept
	firstLookSize = 3               // pages that are read while somebody waits for the instance to be made
)

// The outcomes that Options.Looked is told.
const (
	lookFound   = "found"
	lookNothing = "nothing"
	lookFailed  = "failed"
)

// poll does one look at the list of an instance, and stores what came of it.
func (s *Service) poll(ctx context.Context, l job.Lease, i Instance) error {
	c := tenant.Caller{ProjectID: i.ProjectID}
	usable, err := s.checkAccount(ctx, c, &i)
	if err != nil { // not given up: it is due again when the lease ends, and not before
		return err
	}
	if !usable {
		return s.settle(ctx, l, i, nil)
	}
	looking, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	found, more, err := s.look(looking, c, &i, 0)
	if ctx.Err() != nil { // the server stops, or the lease is lost: whoever is next looks again
		return ctx.Err()
	}
	events := i.messages(found)
	if err != nil {
		return s.failed(ctx, l, i, events, err)
	}
	now := s.now().UTC()
	i.Failures, i.LookedAt, i.DueAt = 0, now, now.Add(s.o.Jitter(s.interval(&i)))
	if more {
		i.DueAt = now.Add(goOn)
	}
	s.o.Looked(outcome(events), len(events))
	return s.settle(ctx, l, i, events)
}

func outcome(events []event.Event) string {
	if len(events) > 0 {
		return lookFound
	}
	return lookNothing
}

// settle stores the end of a look, even when the server is about to stop.
func (s *Service) settle(ctx context.Context, l job.Lease, i Instance, events []event.Event) error {
	_, err := s.store.FinishPoll(context.WithoutCancel(ctx), l, i, events)
	return err
}

// look reads a list from where the poll stands: as many pages as one look may, or most if that is not 0. What it gives was
// found even when it fails on the way. More says that the rest is for the next look.
func (s *Service) look(ctx context.Context, c tenant.Caller, i *Instance, most int) (found []element, more bool, err error) {
	t, err := s.Type(c, i.Trigger)
	if err != nil {
		return nil, false, err
	}
	source, err := s.list(c, t, i)
	if err != nil {
		return nil, false, err
	}
	if most == 0 {
		most = source.pages
	}
	sweep := newSweeper(source.rules, &i.Position, s.now().UTC())
	defer func() { s.notePassedBy(ctx, i, sweep.passedBy) }()
	for range most {
		p, err := source.read(ctx, sweep.since(), i.Position.Sweep.Page, i.Position.Mark)
		if err != nil {
			return sweep.inOrder(), false, err
		}
		ended, err := sweep.take(p)
		if err != nil || ended {
			return sweep.inOrder(), false, err
		}
	}
	return sweep.inOrder(), true, nil
}

// notePassedBy tells the operator of elements that a declaration does not fit.
func (s *Service) notePassedBy(ctx context.Context, i *Instance, problems []error) {
	if len(problems) == 0 {
		return
	}
	s.log.LogAttrs(ctx, slog.LevelError, "elements of a list could not be made events", slog.String("trigger", i.ID), slog.String("type", i.Trigger),
		slog.Int("elements", len(problems)), slog.String("error", problems[0].Error()))
}

// interval is how long an instance waits between two looks.
func (s *Service) interval(i *Instance) time.Duration {
	minutes, ok := number(i.Config["interval"])
	if !ok {
		return s.o.Interval
	}
	return max(time.Duration(minutes*float64(time.Minute)), s.o.MinInterval)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// jitter keeps polls that were made together from staying together.
func jitter(d time.Duration) time.Duration {
	tenth := d / 10
	if tenth <= 0 {
		return d
	}
	return d - tenth + rand.N(2*tenth)
}

// failed decides what a look that failed means: another try later, or the end.
func (s *Service) failed(ctx context.Context, l job.Lease, i Instance, events []event.Event, cause error) error {
	s.o.Looked(lookFailed, len(events))
	now := s.now().UTC()
	i.Failures++
	s.log.LogAttrs(ctx, slog.LevelWarn, "a list could not be read", slog.String("trigger", i.ID), slog.String("type", i.Trigger),
		slog.Int("failures", i.Failures), slog.String("error", cause.Error()))
	pause := s.interval(&i) << min(i.Failures, 10)
	i.DueAt = now.Add(s.o.Jitter(min(pause, longestPause)))
	if lasting(cause) { // perhaps only the page is: providers forget their tokens
		i.Position.restart()
	}
	if !lasting(cause) || i.Failures < s.o.Patience {
		return s.settle(ctx, l, i, events)
	}
	if err := s.settle(ctx, l, i, events); err != nil {
		return err
	}
	reason := PollingFailure
	var r *refused
	if errors.As(cause, &r) && (r.status == 401 || r.status == 403) {
		reason = RefusedByProvider
	}
	return s.giveUp(context.WithoutCancel(ctx), i, Disabled, reason, describe(cause))
}

// lasting reports whether a failure will stay however often the look is repeated.
func lasting(err error) bool {
	var r *refused
	if errors.As(err, &r) {
		return r.lasting()
	}
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.Unprocessable)
}

// describe says to a person what went wrong.
func describe(err error) string {
	message := fault.From(err).Message
	var r *refused
	if errors.As(err, &r) {
		message = r.message
	}
	if len(message) > errorsToShow {
		message = strings.ToValidUTF8(message[:errorsToShow], "") + "…"
	}
	return message
}

// giveUp takes an instance out of service and tells so.
func (s *Service) giveUp(ctx context.Context, i Instance, status Status, reason Reason, why string) error {
	_, err := s.store.UpdateInstance(ctx, i.ProjectID, i.ID, func(i *Instance) ([]event.Event, error) {
		if i.Status != Active {
			return nil, errSame
		}
		i.stop(status, reason, why, s.now().UTC())
		if status == Disabled {
			i.DueAt = time.Time{}
		}
		e, err := i.stopped()
		return []event.Event{e}, err
	})
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

// errSame is given by an update that finds nothing to do.
var errSame = errors.New("nothing to change")

// checkAccount pauses an instance whose account cannot be used, and lets it go on when it can again.
func (s *Service) checkAccount(ctx context.Context, c tenant.Caller, i *Instance) (usable bool, err error) {
	a, err := s.o.Connections.Account(ctx, c, i.AccountID)
	if err != nil {
		return false, err
	}
	now := s.now().UTC()
	if a.Status == connect.Active {
		if i.Status == Paused {
			*i, err = s.resume(ctx, *i)
		}
		return err == nil && i.Status == Active, err
	}
	if i.Status == Active {
		if err := s.giveUp(ctx, *i, Paused, ConnectionExpired, whyPaused(a)); err != nil {
			return false, err
		}
		i.Status = Paused
	}
	i.DueAt = now.Add(recheck)
	return false, nil
}

// resume lets a paused instance go on from where it stood.
func (s *Service) resume(ctx context.Context, i Instance) (Instance, error) {
	return s.store.UpdateInstance(ctx, i.ProjectID, i.ID, func(i *Instance) ([]event.Event, error) {
		if i.Status == Paused {
			i.start(s.now().UTC())
			if i.Kind == catalog.KindPoll {
				i.DueAt = s.now().UTC()
			}
		}
		return nil, nil
	})
}

func whyPaused(a connect.ConnectedAccount) string {
	why := "The connected account " + a.ID + " is " + string(a.Status)
	if a.StatusReason != "" {
		why += ": " + a.StatusReason
	}
	return why
}

// AccountChanged pauses the instances of an account that stopped working, and lets them go on when it works again. It is for
// connect.Options.StatusChanged; what it misses is found by the polls themselves, and by enabling.
func (s *Service) AccountChanged(ctx context.Context, before connect.Status, a connect.ConnectedAccount) {
	if before != connect.Active && a.Status != connect.Active {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := s.eachOf(ctx, a, func(i Instance) error {
		switch {
		case a.Status == connect.Active && i.Status == Paused:
			_, err := s.resume(ctx, i)
			return err
		case a.Status != connect.Active && i.Status == Active:
			return s.giveUp(ctx, i, Paused, ConnectionExpired, whyPaused(a))
		}
		return nil
	})
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "triggers do not know of a changed account", slog.String("account", a.ID), slog.String("error", err.Error()))
	}
	s.polls.Kick()
}

// eachOf does something with every instance of an account.
func (s *Service) eachOf(ctx context.Context, a connect.ConnectedAccount, do func(Instance) error) error {
	instances, _, err := s.store.ListInstances(ctx, a.ProjectID, Filter{AccountIDs: []string{a.ID}, ShowStopped: true})
	if err != nil {
		return err
	}
	var failures []error
	for _, i := range instances {
		failures = append(failures, do(i))
	}
	return errors.Join(failures...)
}
