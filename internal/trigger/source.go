package trigger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// origin is how requests of triggers are called in the log.
const origin = "trigger"

// list is something that can be read page by page.
type list struct {
	rules
	pages int
	read  func(ctx context.Context, since time.Time, at, mark any) (page, error)
}

// list gives what an instance polls.
func (s *Service) list(c tenant.Caller, t *catalog.TriggerType, i *Instance) (list, error) {
	if t.Generic {
		return s.genericList(c, t, i)
	}
	env := mapping.Env{Input: i.Config, Now: s.now()}
	return list{
		rules: rules{
			overlap: t.Poll.Overlap, newestFirst: t.Poll.NewestFirst, emit: t.Poll.Emit,
			judge: func(item any) (element, bool, error) {
				env.Item = item
				return judge(&t.Event, &env)
			},
		},
		pages: t.Poll.Pages,
		read: func(ctx context.Context, since time.Time, at, mark any) (page, error) {
			args := with(i.Config, map[string]any{"since": since.UTC().Format(time.RFC3339), "page": at, "mark": mark})
			data, err := s.ask(ctx, c, i, t.Poll.List, args)
			if err != nil {
				return page{}, err
			}
			items, _ := data["items"].([]any)
			return page{items: items, next: something(data["next"]), mark: something(data["mark"])}, nil
		},
	}, nil
}

// with gives the configuration and more members beside it; those that are nothing are left out.
func with(config, more map[string]any) map[string]any {
	args := make(map[string]any, len(config)+len(more))
	maps.Copy(args, config)
	delete(args, "interval")
	for name, v := range more {
		if v != nil {
			args[name] = v
		}
	}
	return args
}

// something gives nil for what means that there is nothing.
func something(v any) any {
	if v == "" || v == false {
		return nil
	}
	return v
}

// ask sends a request for an instance and gives the data of the answer.
func (s *Service) ask(ctx context.Context, c tenant.Caller, i *Instance, tool *catalog.Tool, args map[string]any) (map[string]any, error) {
	res, err := s.o.Runner.Run(ctx, c, execute.Call{
		Tool: tool, Arguments: args, Origin: origin,
		Select: connect.Selection{UserID: i.UserID, Toolkit: i.Toolkit, AccountID: i.AccountID},
	})
	if err != nil {
		return nil, err
	}
	if res.Error != "" {
		return nil, &refused{status: res.Status, message: res.Error}
	}
	v, err := mapping.DecodeJSON(res.Data)
	data, _ := v.(map[string]any)
	return data, err
}

// refused is a request that the provider did not grant.
type refused struct {
	status  int
	message string
}

func (r *refused) Error() string { return r.message }

// lasting reports whether asking again would change nothing: the provider understood, and said no.
func (r *refused) lasting() bool {
	switch r.status {
	case 408, 425, 429:
		return false
	}
	return r.status >= 400 && r.status < 500
}

// fault tells a caller about it.
func (r *refused) fault(t *catalog.TriggerType) error {
	kind := fault.Upstream
	if r.lasting() {
		kind = fault.Unprocessable
	}
	return fault.New(kind, fault.SlugTriggerRefused, "%s does not let this account be watched for %s: %s", t.Toolkit.Name, t.Slug, r.message).
		WithFix("Check the configuration, and what the account may see and do at %s.", t.Toolkit.Name)
}

// genericList is the answer of any tool that reads.
func (s *Service) genericList(c tenant.Caller, t *catalog.TriggerType, i *Instance) (list, error) {
	var g catalog.GenericPollConfig
	if err := convert(i.Config, &g); err != nil {
		return list{}, err
	}
	tool, err := s.pollable(c, t, g)
	if err != nil {
		return list{}, err
	}
	paths, err := genericPaths(g)
	if err != nil {
		return list{}, err
	}
	return list{
		pages: catalog.DefaultPages,
		rules: rules{judge: func(item any) (element, bool, error) {
			e := element{key: text(paths.key.Get(item))}
			if g.Changes != "" {
				e.key += ":" + text(paths.changes.Get(item))
			}
			return e.with(map[string]any{"item": item})
		}},
		read: func(ctx context.Context, _ time.Time, at, _ any) (page, error) {
			args := with(g.Arguments, nil)
			paging := tool.Detail().Page
			if at != nil && paging != nil {
				args[paging.At] = at
			}
			data, err := s.ask(ctx, c, i, tool, args)
			if err != nil {
				return page{}, err
			}
			items, err := genericItems(data, g, paths.items)
			p := page{items: items}
			if paging != nil {
				p.next = something(data[paging.Member])
			}
			return p, err
		},
	}, nil
}

// pollable finds the tool that a subscriber named, and refuses what must not be run again and again.
func (s *Service) pollable(c tenant.Caller, t *catalog.TriggerType, g catalog.GenericPollConfig) (*catalog.Tool, error) {
	tool, ok := s.o.Catalog(c.ProjectID).Tool(g.Tool)
	switch {
	case !ok || tool.Toolkit.Slug != t.Toolkit.Slug:
		return nil, badConfig("tool: %s has no tool %q", t.Toolkit.Name, g.Tool)
	case !tool.Hints.Read:
		return nil, badConfig("tool: %s changes something; only a tool that reads can be watched", tool.Slug)
	}
	return tool, nil
}

type paths struct{ items, key, changes mapping.Path }

func genericPaths(g catalog.GenericPollConfig) (p paths, err error) {
	for name, from := range map[string]struct {
		source string
		to     *mapping.Path
	}{"items": {g.Items, &p.items}, "key": {g.Key, &p.key}, "changes": {g.Changes, &p.changes}} {
		if from.source == "" {
			continue
		}
		if *from.to, err = mapping.ParsePath(from.source); err != nil {
			return p, badConfig("%s: %q is not a path such as data.items", name, from.source)
		}
	}
	return p, nil
}

// genericItems finds the list in a tool's data.
func genericItems(data map[string]any, g catalog.GenericPollConfig, path mapping.Path) ([]any, error) {
	if g.Items != "" {
		switch v := path.Get(data).(type) {
		case nil:
			return nil, nil
		case []any:
			return v, nil
		default:
			return nil, badConfig("items: at %q there is no list in the answer of %s", g.Items, g.Tool)
		}
	}
	name := ""
	for member, v := range data {
		if _, ok := v.([]any); ok && (name == "" || member < name) {
			name = member
		}
	}
	if name == "" {
		return nil, badConfig("items: the answer of %s has no list at its top; say with a path where it is", g.Tool)
	}
	items, _ := data[name].([]any)
	return items, nil
}

// convert turns a checked configuration into the struct that it means.
func convert(config map[string]any, to any) error {
	encoded, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return json.Unmarshal(encoded, to)
}

func badConfig(format string, args ...any) error {
	problem := fmt.Sprintf(format, args...)
	return fault.New(fault.Invalid, fault.SlugTriggerInvalid, "The trigger's configuration is not valid: %s.", strings.TrimSuffix(problem, ".")).
		WithDetails(problem)
}
