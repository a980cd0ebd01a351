package toolsync

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// The outcomes that Options.Looked is told.
const (
	lookSame    = "same"
	lookChanged = "changed"
	lookFailed  = "failed"
)

const (
	longestPause  = 24 * time.Hour // between looks that fail
	problemLength = 500            // bytes of a problem that are kept
)

// look lists a server's tools, and stores and tells what is different.
func (s *Service) look(ctx context.Context, l job.Lease, w Watch) error {
	d, err := s.o.Toolkits.Definition(ctx, w.ProjectID, w.Toolkit)
	if err != nil {
		return err
	}
	if d == nil || d.Source.Kind != catalog.SourceMCP {
		return s.store.DeleteWatch(ctx, w.ProjectID, w.Toolkit)
	}
	d, err = s.compare(ctx, d, &w)
	if ctx.Err() != nil { // the server stops, or the lease is lost: whoever is next looks again
		return ctx.Err()
	}
	now := s.o.Now().UTC().Truncate(time.Microsecond)
	if err != nil {
		w.Problem, w.Failures = problemOf(err), w.Failures+1
		w.DueAt = now.Add(min(s.o.Interval<<min(w.Failures-1, 10), max(longestPause, s.o.Interval)))
		s.o.Looked(lookFailed)
		s.o.Log.Warn("the tools of an MCP server could not be listed", "project", w.ProjectID, "toolkit", w.Toolkit, "failures", w.Failures, "error", err)
		return s.store.FinishWatch(context.WithoutCancel(ctx), l, w, nil)
	}
	w.Problem, w.Failures, w.CheckedAt, w.DueAt = "", 0, now, now.Add(s.o.Interval)
	events := s.news(d, &w)
	return s.store.FinishWatch(context.WithoutCancel(ctx), l, w, events)
}

// problemOf is what a project reads of a look that failed: what is wrong, without the cause, which is for the log, and without what
// databases refuse. Some of it are the server's own words.
func problemOf(err error) string {
	text := fault.From(err).Message
	text = text[:min(len(text), problemLength)]
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// compare notes what the server lists now. It gives the definition that is approved then.
func (s *Service) compare(ctx context.Context, d *catalog.Definition, w *Watch) (*catalog.Definition, error) {
	c := tenant.Caller{ProjectID: w.ProjectID}
	d, tools, _, err := s.ask(ctx, c, d, w.AccountID)
	if err != nil {
		return nil, err
	}
	if s.policy(d) == catalog.OnChangeFollow {
		next := d.WithMCPTools(catalog.ApproveMCP(d.Tools, tools, all))
		if _, err := s.o.Toolkits.Add(ctx, w.ProjectID, next); err != nil {
			return nil, err
		}
		d = next.Definition
	}
	w.Seen = seen(d.Tools, tools)
	return d, nil
}

// news gives the event of changes that nobody was told of yet.
func (s *Service) news(d *catalog.Definition, w *Watch) []event.Event {
	waiting := s.pending(d, *w)
	if waiting.Revision == w.Revision {
		s.o.Looked(lookSame)
		return nil
	}
	w.Revision = waiting.Revision
	s.o.Looked(lookChanged)
	if waiting.Revision == "" { // the server took it back, or it was approved
		return nil
	}
	s.o.Servers.ForgetServerLists(w.ProjectID, w.Toolkit)
	s.o.Log.Warn("the tools of an MCP server changed and wait for approval", "project", w.ProjectID, "toolkit", w.Toolkit,
		"changes", len(waiting.Changes), "revision", waiting.Revision, "on_change", string(waiting.OnChange))
	return []event.Event{{
		ProjectID: w.ProjectID, Type: event.ToolkitChanged, Key: "toolkit_changed:" + w.Toolkit + ":" + waiting.Revision + ":" + w.CheckedAt.Format(time.RFC3339),
		Toolkit: w.Toolkit, AccountID: w.AccountID, Data: eventData(waiting),
	}}
}

// eventData says which tools changed, not how: that is to be read where it is approved.
func eventData(p Pending) json.RawMessage {
	type change struct {
		Slug string                 `json:"tool_slug"`
		Kind catalog.ToolChangeKind `json:"kind"`
	}
	data := struct {
		Slug     string           `json:"toolkit_slug"`
		Name     string           `json:"toolkit_name"`
		Revision string           `json:"revision"`
		OnChange catalog.OnChange `json:"on_change"`
		Changes  []change         `json:"changes"`
	}{Slug: p.Toolkit, Name: p.Name, Revision: p.Revision, OnChange: p.OnChange, Changes: make([]change, len(p.Changes))}
	for i, c := range p.Changes {
		data.Changes[i] = change{c.Slug, c.Kind}
	}
	raw, _ := json.Marshal(data) // plain data
	return raw
}
