package api

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type listToolsRequest struct {
	Origin            string            `from:"origin" json:"-"`
	Toolkits          values            `query:"toolkit_slug" json:"-"`
	Slugs             values            `query:"tool_slugs" json:"-"`
	AuthConfigs       values            `query:"auth_config_ids" json:"-"`
	Important         *bool             `query:"important" json:"-"`
	Tags              values            `query:"tags" json:"-"`
	Scopes            values            `query:"scopes" json:"-"`
	Query             string            `query:"query" json:"-"`
	Search            string            `query:"search" json:"-"` // the older name of query
	IncludeDeprecated *bool             `query:"include_deprecated" json:"-"`
	Versions          versionsByToolkit `query:"toolkit_versions" json:"-"`
	Limit             limit             `query:"limit" json:"-"`
	Cursor            string            `query:"cursor" json:"-"`
}

// listTools lists the catalog's tools: those named, those found by a search, best first, or all that the filters leave, in
// the catalog's order. A slug that does not exist is simply not there: one app that is missing must not take the rest along.
func (a *api) listTools(ctx context.Context, caller tenant.Caller, in listToolsRequest) (toolList, error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return toolList{}, err
	}
	snapshot, err := a.at(caller, func(toolkit string) string { return "toolkit_versions[" + toolkit + "]" }, in.Versions.byToolkit)
	if err != nil {
		return toolList{}, err
	}
	tools, err := a.selectTools(ctx, caller, snapshot, in)
	if err != nil {
		return toolList{}, err
	}
	selected, info, err := slice(tools, at, in.Limit.clamp(20, 1000))
	if err != nil {
		return toolList{}, err
	}
	return newToolList(selected, info, in.Origin, func(t *catalog.Tool) preparedTool { return a.prepared.app(snapshot.ID, t) }), nil
}

func (a *api) selectTools(ctx context.Context, caller tenant.Caller, snapshot *catalog.Snapshot, in listToolsRequest) ([]*catalog.Tool, error) {
	if len(in.Slugs) > 0 { // named tools win over all other filters
		return namedTools(snapshot, in.Slugs), nil
	}
	filter, err := a.toolFilterOf(ctx, caller, snapshot, in)
	if err != nil {
		return nil, err
	}
	if text := orText(in.Query, in.Search); text != "" {
		return a.searchTools(snapshot, text, filter), nil
	}
	var tools []*catalog.Tool
	for _, tk := range snapshot.Toolkits() {
		if !filter.toolkit(tk.Slug) {
			continue
		}
		for _, t := range tk.Tools {
			if filter.tool(t) {
				tools = append(tools, t)
			}
		}
	}
	return tools, nil
}

func namedTools(snapshot *catalog.Snapshot, slugs []string) []*catalog.Tool {
	tools := make([]*catalog.Tool, 0, len(slugs))
	for _, slug := range slugs {
		if t, ok := snapshot.Tool(slug); ok && !slices.Contains(tools, t) {
			tools = append(tools, t)
		}
	}
	return tools
}

func (a *api) searchTools(snapshot *catalog.Snapshot, text string, filter toolFilter) []*catalog.Tool {
	hits := a.index(snapshot).Search(search.Query{
		Text:  text,
		Limit: 1000,
		Allow: func(t *catalog.Tool) bool { return filter.toolkit(t.Toolkit.Slug) && filter.tool(t) },
	})
	tools := make([]*catalog.Tool, len(hits))
	for i, hit := range hits {
		tools[i] = hit.Tool
	}
	return tools
}

// toolFilter is what a listing asks for. A nil set lets everything through, an empty one nothing.
type toolFilter struct {
	toolkits     map[string]bool
	allowed      map[string]map[string]bool // toolkit -> tools its auth configs let run; no entry: all
	important    bool
	curated      map[*catalog.Toolkit]bool // toolkits that mark some tools as important
	tags, scopes []string
	noDeprecated bool
}

func (a *api) toolFilterOf(ctx context.Context, caller tenant.Caller, snapshot *catalog.Snapshot, in listToolsRequest) (toolFilter, error) {
	f := toolFilter{
		important:    in.Important != nil && *in.Important,
		tags:         in.Tags,
		scopes:       in.Scopes,
		noDeprecated: in.IncludeDeprecated != nil && !*in.IncludeDeprecated,
	}
	if len(in.Toolkits) > 0 {
		f.toolkits = make(map[string]bool)
		for _, slug := range in.Toolkits {
			f.toolkits[strings.ToLower(slug)] = true
		}
	}
	if f.important {
		f.curated = curatedToolkits(snapshot)
	}
	if len(in.AuthConfigs) > 0 {
		if err := a.narrowToAuthConfigs(ctx, caller, &f, in.AuthConfigs); err != nil {
			return toolFilter{}, err
		}
	}
	return f, nil
}

// curatedToolkits finds the toolkits for which "important" means something. SDKs ask for important tools without being told
// to, and a toolkit that marks none would seem to have none (API contract section 19.7).
func curatedToolkits(snapshot *catalog.Snapshot) map[*catalog.Toolkit]bool {
	curated := make(map[*catalog.Toolkit]bool)
	for _, tk := range snapshot.Toolkits() {
		curated[tk] = slices.ContainsFunc(tk.Tools, func(t *catalog.Tool) bool { return t.Important })
	}
	return curated
}

// narrowToAuthConfigs leaves the toolkits of the given auth configs, and of those the tools that they let run. An auth config
// that is not there, or is another project's, lets nothing through.
func (a *api) narrowToAuthConfigs(ctx context.Context, caller tenant.Caller, f *toolFilter, ids []string) error {
	toolkits := make(map[string]bool)
	f.allowed = make(map[string]map[string]bool)
	open := make(map[string]bool) // toolkits of which some auth config lets every tool run
	for _, id := range ids {
		config, err := a.connect.AuthConfig(ctx, caller, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		toolkits[config.Toolkit] = f.toolkits == nil || f.toolkits[config.Toolkit]
		if len(config.ToolsForExecution) == 0 {
			open[config.Toolkit] = true
			continue
		}
		if f.allowed[config.Toolkit] == nil {
			f.allowed[config.Toolkit] = make(map[string]bool)
		}
		for _, slug := range config.ToolsForExecution {
			f.allowed[config.Toolkit][strings.ToUpper(slug)] = true
		}
	}
	for toolkit := range open {
		delete(f.allowed, toolkit)
	}
	f.toolkits = toolkits
	return nil
}

func (f toolFilter) toolkit(slug string) bool { return f.toolkits == nil || f.toolkits[slug] }

func (f toolFilter) tool(t *catalog.Tool) bool {
	allowed, narrowed := f.allowed[t.Toolkit.Slug]
	switch {
	case narrowed && !allowed[t.Slug]:
		return false
	case f.important && f.curated[t.Toolkit] && !t.Important:
		return false
	case f.noDeprecated && t.Deprecated:
		return false
	case len(f.tags) > 0 && !shareOne(f.tags, t.Tags()):
		return false
	case len(f.scopes) > 0 && !shareOne(f.scopes, scopesOf(t)):
		return false
	}
	return true
}

func shareOne(a, b []string) bool {
	return slices.ContainsFunc(a, func(text string) bool { return slices.Contains(b, text) })
}

type listToolSlugsRequest struct{}

func (a *api) listToolSlugs(_ context.Context, caller tenant.Caller, _ listToolSlugsRequest) ([]string, error) {
	slugs := []string{}
	for _, tk := range a.catalog.Snapshot(caller.ProjectID).Toolkits() {
		for _, t := range tk.Tools {
			slugs = append(slugs, t.Slug)
		}
	}
	return slugs, nil
}

type getToolRequest struct {
	Origin   string            `from:"origin" json:"-"`
	Slug     string            `path:"tool_slug" json:"-"`
	Version  string            `query:"version" json:"-"`
	Versions versionsByToolkit `query:"toolkit_versions" json:"-"`
}

// encodedTool is one tool as it is kept.
type encodedTool struct {
	tool   preparedTool
	origin string
}

func (t encodedTool) appendJSON(buf *bytes.Buffer) { t.tool.writeTo(buf, []byte(t.origin)) }

// getTool describes one tool. Meta tools are known here too: SDKs look up every slug before they run it, those that a model
// picked from a session's tools included (API contract section 7.5).
func (a *api) getTool(_ context.Context, caller tenant.Caller, in getToolRequest) (encodedTool, error) {
	for _, spec := range session.MetaTools() {
		if strings.EqualFold(spec.Slug, in.Slug) {
			return encodedTool{encodeTool(metaToolFacts(spec)), in.Origin}, nil
		}
	}
	version := in.Version
	if tk, ok := toolkitOf(a.catalog.Snapshot(caller.ProjectID), in.Slug); ok && version == "" {
		version = in.Versions.of(tk.Slug)
	}
	snapshot, t, err := a.toolAt(caller, in.Slug, version)
	if err != nil {
		return encodedTool{}, err
	}
	return encodedTool{a.prepared.app(snapshot.ID, t), in.Origin}, nil
}

func toolNotFound(snapshot *catalog.Snapshot, slug string) error {
	f := fault.New(fault.NotFound, fault.SlugToolNotFound, "There is no tool %q.", short(slug)).WithCode(fault.CodeToolNotFound)
	if nearest := snapshot.NearestTools(slug, 3); len(nearest) > 0 {
		return f.WithFix("Did you mean %s?", strings.Join(nearest, " or "))
	}
	return f.WithFix("GET /api/v3.1/tools?query=… finds tools by what they do.")
}

func toolkitNotFound(snapshot *catalog.Snapshot, slug string) error {
	f := fault.New(fault.NotFound, fault.SlugToolkitNotFound, "There is no toolkit %q.", short(slug))
	if nearest := snapshot.NearestToolkits(slug, 3); len(nearest) > 0 {
		return f.WithFix("Did you mean %s?", strings.Join(nearest, " or "))
	}
	return f.WithFix("GET /api/v3.1/toolkits lists the toolkits of this server.")
}
