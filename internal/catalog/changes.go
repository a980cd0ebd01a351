package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Changes are what is different between two versions of a toolkit, as callers notice it. Slugs are in alphabetical order.
type Changes struct {
	Added      []string `json:"added,omitempty"`
	Removed    []string `json:"removed,omitempty"` // neither a tool nor an older name of one any more
	Renamed    []Rename `json:"renamed,omitempty"` // the old name still resolves
	Changed    []string `json:"changed,omitempty"` // description, arguments or result
	Deprecated []string `json:"deprecated,omitempty"`
}

// Rename is a tool that goes by another name now.
type Rename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Empty reports whether nothing is different.
func (c Changes) Empty() bool {
	return len(c.Added)+len(c.Removed)+len(c.Renamed)+len(c.Changed)+len(c.Deprecated) == 0
}

// String writes the changes for people, one kind a line; long lists are cut.
func (c Changes) String() string {
	renamed := make([]string, len(c.Renamed))
	for i, r := range c.Renamed {
		renamed[i] = r.From + " to " + r.To
	}
	var lines []string
	for _, part := range []struct {
		what string
		list []string
	}{
		{"Added", c.Added}, {"Removed", c.Removed}, {"Renamed", renamed}, {"Changed", c.Changed}, {"Deprecated", c.Deprecated},
	} {
		const most = 20
		switch n := len(part.list); {
		case n > most:
			lines = append(lines, fmt.Sprintf("%s: %s and %d more.", part.what, strings.Join(part.list[:most], ", "), n-most))
		case n > 0:
			lines = append(lines, part.what+": "+strings.Join(part.list, ", ")+".")
		}
	}
	return strings.Join(lines, "\n")
}

// Diff says what is different in a newer version of a toolkit.
func Diff(before, after *Toolkit) Changes {
	var c Changes
	old, current := toolsBySlug(before), toolsBySlug(after)
	renamed := map[string]string{}
	for _, t := range after.Tools {
		for _, alias := range t.Aliases {
			renamed[alias] = t.Slug
		}
	}
	for _, t := range before.Tools {
		now, same := current[t.Slug]
		switch to, moved := renamed[t.Slug]; {
		case same && now.Deprecated && !t.Deprecated:
			c.Deprecated = append(c.Deprecated, t.Slug)
		case same && !sameTool(t, now):
			c.Changed = append(c.Changed, t.Slug)
		case same:
		case moved:
			c.Renamed = append(c.Renamed, Rename{t.Slug, to})
		default:
			c.Removed = append(c.Removed, t.Slug)
		}
	}
	for _, t := range after.Tools {
		_, there := old[t.Slug]
		if !there && !slices.ContainsFunc(c.Renamed, func(r Rename) bool { return r.To == t.Slug }) {
			c.Added = append(c.Added, t.Slug)
		}
	}
	for _, list := range [][]string{c.Added, c.Removed, c.Changed, c.Deprecated} {
		slices.Sort(list)
	}
	slices.SortFunc(c.Renamed, func(a, b Rename) int { return strings.Compare(a.From, b.From) })
	return c
}

func toolsBySlug(tk *Toolkit) map[string]*Tool {
	all := make(map[string]*Tool, len(tk.Tools))
	for _, t := range tk.Tools {
		all[t.Slug] = t
	}
	return all
}

func sameTool(a, b *Tool) bool {
	if a.Description != b.Description || a.Name != b.Name || a.Hints != b.Hints || a.NoAuth != b.NoAuth || scopeKey(a.Scopes) != scopeKey(b.Scopes) {
		return false
	}
	one, other := a.Detail(), b.Detail()
	return string(one.Input.JSON) == string(other.Input.JSON) && string(one.Output.JSON) == string(other.Output.JSON)
}

// keepNames lets the names of an older version go on resolving: a tool that sends the same request under another slug takes its
// old slug over as an alias, and keeps the aliases it had.
func (d *Definition) keepNames(before *Definition) {
	taken, byRequest := map[string]bool{}, map[string]int{}
	for i := range d.Tools {
		taken[d.Tools[i].Slug] = true
		for _, alias := range d.Tools[i].Aliases {
			taken[alias] = true
		}
		byRequest[d.Tools[i].request()] = i
	}
	bySlug := make(map[string]int, len(d.Tools))
	for i := range d.Tools {
		bySlug[d.Tools[i].Slug] = i
	}
	for i := range before.Tools {
		old := &before.Tools[i]
		at, found := bySlug[old.Slug]
		if !found {
			at, found = byRequest[old.request()]
		}
		if !found {
			continue
		}
		for _, name := range append([]string{old.Slug}, old.Aliases...) {
			if !taken[name] {
				taken[name] = true
				d.Tools[at].Aliases = append(d.Tools[at].Aliases, name)
			}
		}
	}
}

// request names what a tool asks upstream, by which it is known again.
func (t *DefinedTool) request() string {
	switch {
	case t.HTTP != nil:
		return t.HTTP.Method + " " + t.HTTP.Base + t.HTTP.Path + fixedParameters(t.HTTP.Parameters)
	case t.GraphQL != nil:
		return "graphql " + t.GraphQL.Query
	case t.MCP != nil:
		return "mcp " + t.MCP.Tool
	}
	text, _ := json.Marshal(t) // plain data
	return string(text)
}

// fixedParameters tells tools apart that share a path and differ in an action parameter.
func fixedParameters(parameters []DefinedParameter) string {
	var b strings.Builder
	for _, p := range parameters {
		if p.Argument == "" {
			fmt.Fprintf(&b, " %s=%s", p.As, p.Fixed)
		}
	}
	return b.String()
}
