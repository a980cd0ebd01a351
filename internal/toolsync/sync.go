package toolsync

import (
	"context"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Pending is what waits for approval in a toolkit.
type Pending struct {
	Toolkit   string
	Name      string
	AccountID string
	OnChange  catalog.OnChange
	Revision  string // names these changes; empty when there are none
	Changes   []catalog.ToolChange
	Problem   string    // why the newest look failed
	CheckedAt time.Time // of the newest look that did not fail
}

// Synced says what a sync came to.
type Synced struct {
	catalog.Added
	Tools   int      // that the server lists and that can be used
	LeftOut []string // those that cannot, and why
	Pending Pending
}

// Sync lists the tools of a server with an account's credential. The first time they are taken as they are; afterwards what is
// different waits for approval, unless approve says that it is approved unseen, or the toolkit follows its server.
func (s *Service) Sync(ctx context.Context, c tenant.Caller, slug, accountID string, approve bool) (Synced, error) {
	d, err := s.definition(ctx, c.ProjectID, slug)
	if err != nil {
		return Synced{}, err
	}
	d, tools, leftOut, err := s.ask(ctx, c, d, accountID)
	if err != nil {
		return Synced{}, err
	}
	approved := d.Tools
	if len(approved) == 0 || approve || s.policy(d) == catalog.OnChangeFollow {
		approved = catalog.ApproveMCP(d.Tools, tools, all)
	}
	document := d.WithMCPTools(approved)
	added, err := s.o.Toolkits.Add(ctx, c.ProjectID, document)
	if err != nil {
		return Synced{}, err
	}
	d = document.Definition
	now := s.o.Now().UTC().Truncate(time.Microsecond)
	w := Watch{
		ProjectID: c.ProjectID, Toolkit: d.Slug, AccountID: accountID, Seen: seen(d.Tools, tools), CheckedAt: now, DueAt: now.Add(s.o.Interval),
	}
	pending := s.pending(d, w)
	w.Revision = pending.Revision // whoever syncs is told by the answer
	if err := s.store.PutWatch(ctx, w); err != nil {
		return Synced{}, err
	}
	s.o.Servers.ForgetServerLists(c.ProjectID, d.Slug)
	return Synced{Added: added, Tools: len(tools), LeftOut: leftOut, Pending: pending}, nil
}

// ask lists a server's tools. It gives the definition as it stands afterwards: servers take their time, and what somebody changed or
// approved meanwhile is not to be undone.
func (s *Service) ask(ctx context.Context, c tenant.Caller, d *catalog.Definition, accountID string) (now *catalog.Definition, tools []catalog.DefinedTool, leftOut []string, err error) {
	tk, err := d.Bare()
	if err != nil {
		return nil, nil, nil, err
	}
	if !tk.NoAuth() && accountID == "" {
		return nil, nil, nil, fault.New(fault.Invalid, fault.SlugInvalid, "connected_account_id: is required, %s lists its tools to connected accounts only.", tk.Name)
	}
	tools, leftOut, err = s.o.Servers.ListServerTools(ctx, c, tk, connect.Selection{AccountID: accountID}, d.Tools)
	if err != nil {
		return nil, nil, nil, err
	}
	if now, err = s.definition(ctx, c.ProjectID, d.Slug); err != nil {
		return nil, nil, nil, err
	}
	if now.BaseURL != d.BaseURL {
		return nil, nil, nil, fault.New(fault.Conflict, fault.SlugConflict, "The MCP server %s was registered anew while it was asked.", d.Slug)
	}
	return now, tools, leftOut, nil
}

func all(catalog.ToolChange) bool { return true }

// definition gives a registered server's approved definition.
func (s *Service) definition(ctx context.Context, projectID, slug string) (*catalog.Definition, error) {
	d, err := s.o.Toolkits.Definition(ctx, projectID, catalog.MCPSlug(slug))
	if err != nil {
		return nil, err
	}
	if d == nil || d.Source.Kind != catalog.SourceMCP {
		return nil, fault.New(fault.NotFound, fault.SlugToolkitNotFound, "The project has registered no MCP server %q.", slug[:min(len(slug), 80)]).
			WithFix("Register it: POST /api/v3.1/custom/toolkits/upsert with toolkit_config.")
	}
	return d, nil
}

// seen gives what is different in a server's list.
func seen(approved, listed []catalog.DefinedTool) Seen {
	var out Seen
	different := map[string]bool{}
	for _, change := range catalog.CompareMCP(approved, listed) {
		if change.Kind == catalog.ToolRemoved {
			out.Gone = append(out.Gone, change.Tool)
		} else {
			different[change.Tool] = true
		}
	}
	for _, t := range listed {
		if different[t.MCP.Tool] {
			out.Tools = append(out.Tools, t)
		}
	}
	return out
}

// listed gives the whole list again: what was approved, with what was seen to differ.
func (s Seen) listed(approved []catalog.DefinedTool) []catalog.DefinedTool {
	other := map[string]bool{}
	for _, name := range s.Gone {
		other[name] = true
	}
	for _, t := range s.Tools {
		other[t.MCP.Tool] = true
	}
	list := slices.DeleteFunc(slices.Clone(approved), func(t catalog.DefinedTool) bool { return t.MCP != nil && other[t.MCP.Tool] })
	return append(list, s.Tools...)
}

func (s *Service) pending(d *catalog.Definition, w Watch) Pending {
	changes := catalog.CompareMCP(d.Tools, w.Seen.listed(d.Tools))
	return Pending{
		Toolkit: d.Slug, Name: d.Name, AccountID: w.AccountID, OnChange: s.policy(d), Revision: catalog.Revision(changes), Changes: changes,
		Problem: w.Problem, CheckedAt: w.CheckedAt,
	}
}
