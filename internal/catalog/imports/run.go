package imports

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/intake"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
)

// do tries an import and stores what came of it.
func (s *Service) do(ctx context.Context, lease job.Lease, i Import) error {
	if i.Attempts > maxAttempts {
		i.fail(fault.New(fault.Unprocessable, fault.SlugInvalid, "The server ended %d times while it was importing this.", maxAttempts).
			WithFix("Import a part of it, for example by tag or path."), s.now())
		return s.settle(ctx, lease, i)
	}
	own, ended := s.running.begin(ctx, i.ID)
	defer ended()
	timed, cancel := context.WithTimeout(own, longest)
	defer cancel()
	result, err := s.bring(timed, lease, &i)
	switch {
	case err == nil:
		i.Status, i.Result, i.FinishedAt, i.DueAt = Succeeded, result, s.now(), time.Time{}
	case own.Err() != nil || errors.Is(err, errLost): // stopped, cancelled, or somebody else has it
		i.Status, i.Attempts = Queued, i.Attempts-1
		return s.settle(ctx, lease, i)
	case timed.Err() != nil:
		i.fail(fault.New(fault.Timeout, fault.SlugTimeout, "The import took longer than %s.", longest).WithFix("Import a part of it, for example by tag or path."), s.now())
	case final(err) || i.Attempts >= maxAttempts:
		i.fail(err, s.now())
	default:
		i.Status, i.DueAt = Queued, s.now().Add(retryAfter<<(i.Attempts-1))
	}
	if err != nil && !final(err) {
		s.log.LogAttrs(ctx, slog.LevelError, "an import could not be done", slog.String("project", i.ProjectID), slog.String("import", i.ID), slog.String("error", err.Error()))
	}
	return s.settle(ctx, lease, i)
}

func (s *Service) settle(ctx context.Context, lease job.Lease, i Import) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	held, err := s.store.SettleImport(ctx, lease, i)
	if held && i.Ended() {
		s.ended(i)
	}
	return err
}

// final reports whether another try would come to the same.
func final(err error) bool {
	f := fault.From(err)
	return f.Kind != fault.Internal && f.Kind != fault.Unavailable && f.Kind != fault.Canceled
}

func (i *Import) fail(err error, now time.Time) {
	f := fault.From(err)
	i.Status, i.Failure, i.FinishedAt, i.DueAt = Failed, &Failure{f.Message, f.Fix}, now, time.Time{}
}

// bring has the toolkit made and stored.
func (s *Service) bring(ctx context.Context, lease job.Lease, i *Import) (result *Result, err error) {
	defer func() { // whatever a description brings about, it is this import's matter and nobody else's
		if p := recover(); p != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "an import panicked", slog.String("import", i.ID), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = fault.New(fault.Unprocessable, fault.SlugInvalid, "The description cannot be imported: the importer failed on it.").Because(fmt.Errorf("panic: %v", p))
		}
	}()
	keep := &keeper{service: s, lease: lease, of: i}
	o, err := s.options(ctx, lease, i, keep)
	if err != nil {
		return nil, err
	}
	description, err := s.store.ImportDescription(ctx, i.ProjectID, i.ID)
	if err != nil {
		return nil, err
	}
	var out intake.Outcome
	switch {
	case i.Request.Kind == GraphQL && description != nil:
		out, err = o.GraphQLText(ctx, description, "")
	case i.Request.Kind == GraphQL:
		out, err = o.GraphQL(ctx, i.Request.URL)
	case description != nil:
		out, err = o.OpenAPIText(ctx, description, "")
	default:
		out, err = o.OpenAPI(ctx, i.Request.URL)
	}
	if err != nil {
		return nil, err
	}
	return keep.result(out), nil
}

func (s *Service) options(ctx context.Context, lease job.Lease, i *Import, keep *keeper) (*intake.Options, error) {
	r := i.Request
	o := &intake.Options{
		Reader: intake.Reader{Client: s.client, Header: http.Header{}, Most: MaxDescription, NoFiles: true},
		Sink:   keep, Slug: r.Slug, Name: r.Name, BaseURL: r.BaseURL,
		Again: true, // what was asked for may be another than the last time; the catalog tells whether the outcome is
	}
	for name, value := range r.Header {
		o.Reader.Header.Set(name, value)
	}
	var err error
	if o.Filter, err = openapi.ParseFilter(r.Filter); err != nil {
		return nil, err
	}
	if r.Auth != "" {
		if o.Auth, err = intake.ParseAuth(r.Auth); err != nil {
			return nil, err
		}
	}
	told := s.now()
	o.Progress = func(done, total int) {
		if i.Done, i.Total = done, total; s.now().Sub(told) < time.Second {
			return
		}
		told = s.now()
		if err := s.store.ProgressImport(ctx, lease, *i); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "the progress of an import was not stored", slog.String("import", i.ID), slog.String("error", err.Error()))
		}
	}
	return o, nil
}

// keeper puts what an import made into the catalog, as the project's own.
type keeper struct {
	service *Service
	lease   job.Lease
	of      *Import
	made    *catalog.Definition
	added   catalog.Added
}

// Known gives the toolkit that the import would replace. One that came from elsewhere is not replaced: its tools are others.
func (k *keeper) Known(ctx context.Context, slug string) (*catalog.Definition, error) {
	for _, s := range k.service.catalog.List(k.of.ProjectID) {
		if s.Slug == slug && s.Source.Kind != string(k.of.Request.Kind) {
			return nil, fault.New(fault.Conflict, fault.SlugConflict, "The project has a toolkit %q that was not imported from %s.", slug, k.of.Request.Kind).
				WithFix("Give another slug, or delete that toolkit: DELETE /api/v3.1/custom/toolkits/%s.", slug)
		}
	}
	return k.service.catalog.Definition(ctx, k.of.ProjectID, slug)
}

// errLost says that the import was cancelled, or taken up by somebody else.
var errLost = errors.New("the import is not ours any more")

// Put stores the toolkit, if the import is still ours to do.
func (k *keeper) Put(ctx context.Context, d *catalog.Definition) error {
	k.made = d
	document := catalog.Document{Definition: d}
	if k.of.Request.DryRun {
		_, err := k.service.catalog.Check(k.of.ProjectID, document)
		return err
	}
	lease := k.lease
	lease.Until = k.service.now().Add(time.Minute)
	held, err := k.service.store.RenewImport(ctx, lease, *k.of)
	if err != nil {
		return err
	}
	if !held {
		return errLost
	}
	k.added, err = k.service.catalog.Add(ctx, k.of.ProjectID, document)
	return err
}

// maxLeftOut is how many of the operations that were left out a result names, and maxChanged how many tools of each sort of change:
// results are kept, and listed by the hundred.
const (
	maxLeftOut = 200
	maxChanged = 1_000
)

func (k *keeper) result(out intake.Outcome) *Result {
	r := &Result{
		Slug: k.made.Slug, Name: k.made.Name, Version: k.added.Version, BaseURL: k.made.BaseURL, Modes: []string{},
		New: out.New, Unchanged: k.added.Unchanged, Changes: out.Changes, Report: *out.Report, LeftOut: len(out.Report.LeftOut),
	}
	r.Report.LeftOut = r.Report.LeftOut[:min(maxLeftOut, r.LeftOut)]
	for _, list := range []*[]string{&r.Changes.Added, &r.Changes.Removed, &r.Changes.Changed, &r.Changes.Deprecated} {
		*list = (*list)[:min(maxChanged, len(*list))]
	}
	for _, a := range k.made.Auth {
		r.Modes = append(r.Modes, a.Mode)
	}
	return r
}
