package toolsync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Pending gives what waits for approval in each of the project's registered servers that were synced, or in one.
func (s *Service) Pending(ctx context.Context, c tenant.Caller, slug string) ([]Pending, error) {
	watches, err := s.watches(ctx, c, slug)
	if err != nil {
		return nil, err
	}
	list := []Pending{}
	for _, w := range watches {
		d, err := s.o.Toolkits.Definition(ctx, c.ProjectID, w.Toolkit)
		if err != nil {
			return nil, err
		}
		if d != nil {
			list = append(list, s.pending(d, w))
		}
	}
	return list, nil
}

func (s *Service) watches(ctx context.Context, c tenant.Caller, slug string) ([]Watch, error) {
	if slug == "" {
		return s.store.Watches(ctx, c.ProjectID)
	}
	d, err := s.definition(ctx, c.ProjectID, slug)
	if err != nil {
		return nil, err
	}
	w, known, err := s.store.Watch(ctx, c.ProjectID, d.Slug)
	if err != nil || !known {
		return nil, err
	}
	return []Watch{w}, nil
}

// Approve takes changes over that were seen: those of the named tools, or all. The revision says which were seen; when the server
// has changed something more since, nothing is approved.
func (s *Service) Approve(ctx context.Context, c tenant.Caller, slug, revision string, tools []string) (catalog.Added, Pending, error) {
	d, err := s.definition(ctx, c.ProjectID, slug)
	if err != nil {
		return catalog.Added{}, Pending{}, err
	}
	w, _, err := s.store.Watch(ctx, c.ProjectID, d.Slug)
	if err != nil {
		return catalog.Added{}, Pending{}, err
	}
	waiting := s.pending(d, w)
	if err := approvable(waiting, revision, tools); err != nil {
		return catalog.Added{}, Pending{}, err
	}
	next := catalog.ApproveMCP(d.Tools, w.Seen.listed(d.Tools), func(change catalog.ToolChange) bool {
		return len(tools) == 0 || slices.ContainsFunc(tools, change.Named)
	})
	document := d.WithMCPTools(next)
	added, err := s.o.Toolkits.Add(ctx, c.ProjectID, document)
	if err != nil {
		return catalog.Added{}, Pending{}, err
	}
	d = document.Definition
	s.o.Servers.ForgetServerLists(c.ProjectID, d.Slug)
	s.o.Log.Info("changes of an MCP server's tools were approved", "project", c.ProjectID, "toolkit", d.Slug, "version", added.Version, "revision", revision)
	return added, s.pending(d, w), nil
}

// approvable checks that what is approved is what waits.
func approvable(waiting Pending, revision string, tools []string) error {
	switch {
	case len(waiting.Changes) == 0:
		return fault.New(fault.Conflict, fault.SlugConflict, "Nothing of %s waits for approval.", waiting.Toolkit).
			WithFix("POST /api/v3.1/custom/toolkits/sync asks the server anew.")
	case revision == "":
		return fault.New(fault.Invalid, fault.SlugInvalid, "revision: is required; it says which changes you saw.").
			WithFix("GET /api/v3.1/custom/toolkits/changes?toolkit_slug=%s shows them.", waiting.Toolkit)
	case revision != waiting.Revision:
		return fault.New(fault.Conflict, fault.SlugConflict, "The changes of %s are other ones by now.", waiting.Toolkit).
			WithFix("Look at them again: GET /api/v3.1/custom/toolkits/changes?toolkit_slug=%s.", waiting.Toolkit)
	}
	var unknown []string
	for _, name := range tools {
		if !slices.ContainsFunc(waiting.Changes, func(c catalog.ToolChange) bool { return c.Named(name) }) {
			unknown = append(unknown, fmt.Sprintf("%.80q", name))
		}
	}
	if len(unknown) > 0 {
		return fault.New(fault.Invalid, fault.SlugInvalid, "tools: nothing waits for approval in %s.", strings.Join(unknown, ", "))
	}
	return nil
}

// Forget ends the watch of a toolkit that is deleted.
func (s *Service) Forget(ctx context.Context, c tenant.Caller, slug string) error {
	return s.store.DeleteWatch(ctx, c.ProjectID, strings.ToLower(slug))
}
