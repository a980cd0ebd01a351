package session

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// What the filters of a configuration name has to exist, and is written down under its current name.

func (c *configCheck) toolkits() {
	f := c.config.Toolkits
	if f == nil {
		return
	}
	enabling := f.Only || len(f.Enable) > 0
	if enabling && len(f.Disable) > 0 {
		c.fault("toolkits: give either enable or disable, not both")
	}
	c.config.Toolkits = &ToolkitFilter{
		Enable:  c.toolkitSlugs("toolkits.enable", f.Enable),
		Disable: c.toolkitSlugs("toolkits.disable", f.Disable),
		Only:    enabling,
	}
}

func (c *configCheck) toolkitSlugs(line string, slugs []string) []string {
	var out []string
	for _, slug := range slugs {
		if isMetaToolkit(slug) { // the meta tools have their own switches
			continue
		}
		if t, ok := c.toolkit(line, slug); ok && !slices.Contains(out, t.Slug) {
			out = append(out, t.Slug)
		}
	}
	return out
}

func (c *configCheck) toolkit(line, slug string) (*catalog.Toolkit, bool) {
	t, ok := c.catalog.Toolkit(slug)
	if !ok {
		c.fault("%s: there is no toolkit %q%s", line, slug, c.didYouMean(c.catalog.NearestToolkits, slug))
	}
	return t, ok
}

// isMetaToolkit reports whether a slug is that of the toolkit under which the API files the meta tools.
func isMetaToolkit(slug string) bool { return strings.EqualFold(slug, "composio") }

// helped is how many faults come with a suggestion. Each costs a look at the whole catalog, and a request may hold a million
// wrong slugs.
const helped = 20

func (c *configCheck) didYouMean(nearest func(slug string, n int) []string, slug string) string {
	if len(c.faults) >= helped {
		return ""
	}
	return didYouMean(nearest(slug, 3))
}

func didYouMean(nearest []string) string {
	if len(nearest) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(nearest, ", ") + "?"
}

func (c *configCheck) tools() {
	if c.config.Tools == nil {
		return
	}
	out := make(map[string]ToolFilter, len(c.config.Tools))
	var idle []string
	for _, slug := range slices.Sorted(maps.Keys(c.config.Tools)) {
		t, ok := c.toolkit("tools", slug)
		if !ok {
			continue
		}
		if _, twice := out[t.Slug]; twice {
			c.fault("tools: %q names toolkit %s a second time", slug, t.Slug)
		}
		out[t.Slug] = c.toolFilter(t, c.config.Tools[slug])
		if !c.names(t.Slug) {
			idle = append(idle, t.Slug)
		}
	}
	c.config.Tools = out
	if len(idle) > 0 {
		c.warn(warnNoEffect, "tools says something about %s, which toolkits leaves out.", strings.Join(idle, ", "))
	}
}

// names reports whether the toolkits filter, already made canonical, lets a toolkit in.
func (c *configCheck) names(slug string) bool {
	f := c.config.Toolkits
	switch {
	case f == nil:
		return true
	case f.Only:
		return slices.Contains(f.Enable, slug)
	default:
		return !slices.Contains(f.Disable, slug)
	}
}

func (c *configCheck) toolFilter(t *catalog.Toolkit, f ToolFilter) ToolFilter {
	line := "tools." + t.Slug
	enabling := f.Only || len(f.Enable) > 0
	forms := 0
	for _, used := range []bool{enabling, len(f.Disable) > 0, f.Tags != nil} {
		if used {
			forms++
		}
	}
	if forms > 1 {
		c.fault("%s: give one of enable, disable and tags, not several", line)
	}
	c.tags(line+".tags", f.Tags)
	return ToolFilter{
		Enable:  c.toolSlugs(line+".enable", t, f.Enable),
		Disable: c.toolSlugs(line+".disable", t, f.Disable),
		Only:    enabling,
		Tags:    f.Tags,
	}
}

func (c *configCheck) toolSlugs(line string, toolkit *catalog.Toolkit, slugs []string) []string {
	var out []string
	for _, slug := range slugs {
		t, ok := c.tool(line, slug)
		switch {
		case !ok:
		case t.Toolkit.Slug != toolkit.Slug:
			c.fault("%s: %s is a tool of %s; put it under tools.%s", line, t.Slug, t.Toolkit.Slug, t.Toolkit.Slug)
		case !slices.Contains(out, t.Slug):
			out = append(out, t.Slug)
		}
	}
	return out
}

func (c *configCheck) tool(line, slug string) (*catalog.Tool, bool) {
	t, ok := c.catalog.Tool(slug)
	if !ok {
		c.fault("%s: there is no tool %q%s", line, slug, c.didYouMean(c.catalog.NearestTools, slug))
	}
	return t, ok
}

var knownTags = []string{
	catalog.TagRead, catalog.TagCreate, catalog.TagUpdate, catalog.TagDestructive,
	catalog.TagIdempotent, catalog.TagOpenWorld, catalog.TagImportant,
}

func (c *configCheck) tags(line string, f *TagFilter) {
	if f == nil {
		return
	}
	for _, tag := range slices.Concat(f.Enable, f.Disable) {
		if !slices.Contains(knownTags, tag) {
			c.fault("%s: there is no tag %q; the tags are %s", line, tag, strings.Join(knownTags, ", "))
		}
	}
}

func (c *configCheck) toolkitVersions() {
	if c.config.ToolkitVersions == nil {
		return
	}
	out := make(map[string]string, len(c.config.ToolkitVersions))
	for _, slug := range slices.Sorted(maps.Keys(c.config.ToolkitVersions)) {
		t, ok := c.toolkit("toolkit_versions", slug)
		if !ok {
			continue
		}
		version := c.config.ToolkitVersions[slug]
		if version != catalog.Latest && version != t.Version && !slices.Contains(t.Versions, version) {
			c.fault("toolkit_versions.%s: there is no version %q; use \"latest\" or one of %s", t.Slug, version, some(t.Versions))
		}
		out[t.Slug] = version
	}
	c.config.ToolkitVersions = out
}

// preload is checked last: it asks what the rest of the configuration allows.
func (c *configCheck) preload() {
	p := compilePolicy("", c.config, c.catalog)
	if c.config.Preload.All {
		c.preloadAll(p)
		return
	}
	var out []string
	for _, slug := range c.config.Preload.Tools {
		if IsMetaTool(slug) { // shown or not by their own switches
			continue
		}
		t, ok := c.tool("preload.tools", slug)
		if !ok {
			continue
		}
		if err := p.refuse(t); err != nil {
			c.fault("preload.tools: %s", fault.From(err).Message)
		}
		if !slices.Contains(out, t.Slug) {
			out = append(out, t.Slug)
		}
	}
	c.config.Preload.Tools = out
	c.preloadSize(len(out))
}

func (c *configCheck) preloadAll(p *policy) {
	c.config.Preload.Tools = nil
	if !p.positive() {
		c.fault("preload.tools: \"all\" needs a filter that says what is wanted: toolkits.enable, tools with enable, or tags with enable")
		return
	}
	tools, total := p.asked()
	if total > len(tools) {
		c.warn(warnPreloadCut, "preload.tools \"all\" covers %d tools; the first %d are listed and the rest can be found by search. Narrow toolkits, tools or tags.", total, len(tools))
	}
	c.preloadSize(len(tools))
}

func (c *configCheck) preloadSize(n int) {
	if n > fewPreloads {
		c.warn(warnHighContext, "%d tools are preloaded; their schemas take room in the model's context at every turn. About %d are advisable.", n, fewPreloads)
	}
	if n > 0 && c.config.MultiAccount.Enable && c.config.MultiAccount.RequireExplicit {
		c.warn(warnPreloadAccount, "Preloaded tools cannot name an account when a model calls them directly; with several accounts of a toolkit they must go through COMPOSIO_MULTI_EXECUTE_TOOL.")
	}
}
