package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// toolkitQuery is what a list of toolkits asks for, by query parameters or by body.
type toolkitQuery struct {
	category  string
	managedBy string
	kind      string
	sortBy    string
	search    string
}

type listToolkitsRequest struct {
	Origin            string `from:"origin" json:"-"`
	Category          string `query:"category" json:"-"`
	ManagedBy         string `query:"managed_by" json:"-"`
	Type              string `query:"type" json:"-"`
	SortBy            string `query:"sort_by" json:"-"`
	IncludeDeprecated *bool  `query:"include_deprecated" json:"-"` // no toolkit is deprecated here
	Search            string `query:"search" json:"-"`
	Limit             limit  `query:"limit" json:"-"`
	Cursor            string `query:"cursor" json:"-"`
}

// toolkitResponse is a toolkit in a list.
type toolkitResponse struct {
	Slug           string              `json:"slug"`
	Name           string              `json:"name"`
	Type           string              `json:"type"`
	AuthSchemes    []string            `json:"auth_schemes"`
	ManagedSchemes []string            `json:"composio_managed_auth_schemes"`
	IsLocal        bool                `json:"is_local_toolkit"`
	NoAuth         bool                `json:"no_auth"`
	AuthGuideURL   *string             `json:"auth_guide_url"`
	Deprecated     deprecatedToolkit   `json:"deprecated"`
	Meta           toolkitMetaResponse `json:"meta"`
}

type deprecatedToolkit struct {
	ToolkitID string `json:"toolkitId"`
}

type toolkitMetaResponse struct {
	toolkitMetaFacts
	Categories []categoryResponse `json:"categories"`
}

// toolkitMetaFacts are the members of meta that the list and the detail of a toolkit share.
type toolkitMetaFacts struct {
	CreatedAt     string  `json:"created_at"`
	UpdatedAt     string  `json:"updated_at"`
	Description   string  `json:"description"`
	Logo          string  `json:"logo"`
	AppURL        *string `json:"app_url"`
	TriggersCount int     `json:"triggers_count"`
	ToolsCount    int     `json:"tools_count"`
	Version       string  `json:"version"`
}

// categoryResponse is a category in lists. The detail of a toolkit calls the same id slug.
type categoryResponse struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (a *api) listToolkits(_ context.Context, caller tenant.Caller, in listToolkitsRequest) (pageResponse[toolkitResponse], error) {
	snapshot := a.catalog.Snapshot(caller.ProjectID)
	toolkits, err := a.filterToolkits(snapshot, snapshot.Toolkits(), toolkitQuery{
		category: in.Category, managedBy: in.ManagedBy, kind: in.Type, sortBy: in.SortBy, search: in.Search,
	})
	if err != nil {
		return pageResponse[toolkitResponse]{}, err
	}
	return a.toolkitsPage(toolkits, in.Cursor, in.Limit, in.Origin)
}

type listToolkitsBySlugRequest struct {
	Origin    string   `from:"origin" json:"-"`
	Toolkits  []string `json:"toolkits"`
	Category  string   `json:"category"`
	ManagedBy string   `json:"managed_by"`
	SortBy    string   `json:"sort_by"`
	Limit     *float64 `json:"limit"`
	Cursor    string   `json:"cursor"`
}

// listToolkitsBySlug is the same list, narrowed to some toolkits. Those that do not exist are not there.
func (a *api) listToolkitsBySlug(_ context.Context, caller tenant.Caller, in listToolkitsBySlugRequest) (pageResponse[toolkitResponse], error) {
	snapshot := a.catalog.Snapshot(caller.ProjectID)
	among := snapshot.Toolkits()
	if len(in.Toolkits) > 0 {
		among = nil
		for _, slug := range in.Toolkits {
			if tk, ok := snapshot.Toolkit(slug); ok && !slices.Contains(among, tk) {
				among = append(among, tk)
			}
		}
	}
	toolkits, err := a.filterToolkits(snapshot, among, toolkitQuery{category: in.Category, managedBy: in.ManagedBy, sortBy: in.SortBy})
	if err != nil {
		return pageResponse[toolkitResponse]{}, err
	}
	var size limit
	if in.Limit != nil {
		size = limit(*in.Limit)
	}
	return a.toolkitsPage(toolkits, in.Cursor, size, in.Origin)
}

func (a *api) toolkitsPage(toolkits []*catalog.Toolkit, cursor string, asked limit, origin string) (pageResponse[toolkitResponse], error) {
	at, err := parseCursor(cursor)
	if err != nil {
		return pageResponse[toolkitResponse]{}, err
	}
	shown, info, err := slice(toolkits, at, asked.clamp(20, 1000))
	if err != nil {
		return pageResponse[toolkitResponse]{}, err
	}
	return pageResponse[toolkitResponse]{
		Items:    mapped(shown, func(tk *catalog.Toolkit) toolkitResponse { return a.toolkitOf(tk, origin) }),
		pageInfo: info,
	}, nil
}

func (a *api) filterToolkits(snapshot *catalog.Snapshot, among []*catalog.Toolkit, q toolkitQuery) ([]*catalog.Toolkit, error) {
	if err := checkToolkitQuery(q); err != nil {
		return nil, err
	}
	if q.search != "" {
		among = a.index(snapshot).Toolkits(q.search)
	}
	toolkits := make([]*catalog.Toolkit, 0, len(among))
	for _, tk := range among {
		if a.matches(tk, q) {
			toolkits = append(toolkits, tk)
		}
	}
	if q.sortBy == "alphabetically" {
		slices.SortFunc(toolkits, func(a, b *catalog.Toolkit) int {
			return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Slug, b.Slug))
		})
	}
	return toolkits, nil
}

func checkToolkitQuery(q toolkitQuery) error {
	var faults []string
	check := func(name, text string, known ...string) {
		if text != "" && !slices.Contains(known, text) {
			faults = append(faults, fmt.Sprintf("%s: expected %s, got %q", name, strings.Join(known, " or "), short(text)))
		}
	}
	check("managed_by", q.managedBy, "composio", "all", "project")
	check("type", q.kind, "native", "custom", "all")
	check("sort_by", q.sortBy, "usage", "alphabetically")
	if len(faults) > 0 {
		return invalidRequest(faults...)
	}
	return nil
}

// matches applies the filters. "Managed by composio" means here: the server's own toolkits; by the project: its custom ones.
func (a *api) matches(tk *catalog.Toolkit, q toolkitQuery) bool {
	switch {
	case q.managedBy == "composio" && tk.Custom, q.managedBy == "project" && !tk.Custom:
		return false
	case q.kind == "native" && tk.Custom, q.kind == "custom" && !tk.Custom:
		return false
	case q.category != "" && !slices.ContainsFunc(tk.Categories, func(c catalog.Category) bool {
		return strings.EqualFold(c.ID, q.category) || strings.EqualFold(c.Name, q.category)
	}):
		return false
	}
	return true
}

func (a *api) toolkitOf(tk *catalog.Toolkit, origin string) toolkitResponse {
	return toolkitResponse{
		Slug: tk.Slug, Name: tk.Name, Type: toolkitType(tk),
		AuthSchemes:    a.schemesOf(tk),
		ManagedSchemes: list(a.connect.ManagedSchemes(tk.Slug)),
		NoAuth:         tk.NoAuth(),
		AuthGuideURL:   orNull(tk.Docs),
		Deprecated:     deprecatedToolkit{tk.Slug},
		Meta: toolkitMetaResponse{
			toolkitMetaFacts: toolkitMetaOf(tk, origin),
			Categories:       mapped(tk.Categories, func(c catalog.Category) categoryResponse { return categoryResponse(c) }),
		},
	}
}

func toolkitMetaOf(tk *catalog.Toolkit, origin string) toolkitMetaFacts {
	return toolkitMetaFacts{
		CreatedAt: timestamp(tk.UpdatedAt), UpdatedAt: timestamp(tk.UpdatedAt),
		Description: tk.Description, Logo: logoURL(origin, tk.Slug), AppURL: orNull(tk.AppURL),
		TriggersCount: len(tk.Triggers), ToolsCount: len(tk.Tools), Version: tk.Version,
	}
}

func toolkitType(tk *catalog.Toolkit) string {
	if tk.Custom {
		return "custom"
	}
	return "native"
}

func (a *api) schemesOf(tk *catalog.Toolkit) []string {
	return mapped(a.connect.Schemes(tk), func(s catalog.AuthScheme) string { return s.Mode })
}

type listCategoriesRequest struct{}

// listCategories gives the categories that some toolkit is in, by name.
func (a *api) listCategories(_ context.Context, caller tenant.Caller, _ listCategoriesRequest) (pageResponse[categoryResponse], error) {
	categories := []categoryResponse{}
	for _, tk := range a.catalog.Snapshot(caller.ProjectID).Toolkits() {
		for _, c := range tk.Categories {
			categories = append(categories, categoryResponse(c))
		}
	}
	slices.SortFunc(categories, func(a, b categoryResponse) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	categories = slices.CompactFunc(categories, func(a, b categoryResponse) bool { return a.ID == b.ID })
	return pageResponse[categoryResponse]{
		Items:    categories,
		pageInfo: pageInfo{TotalPages: 1, CurrentPage: 1, TotalItems: len(categories)},
	}, nil
}

type changelogRequest struct{}

type changelogResponse struct {
	Items []changelogToolkit `json:"items"`
}

type changelogToolkit struct {
	Slug        string             `json:"slug"`
	Name        string             `json:"name"`
	DisplayName string             `json:"display_name"`
	Versions    []changelogVersion `json:"versions"`
}

type changelogVersion struct {
	Version   string `json:"version"`
	Changelog string `json:"changelog"`
}

// toolkitsChangelog lists each toolkit's versions, newest first, at most ten, each with what it changed.
func (a *api) toolkitsChangelog(_ context.Context, caller tenant.Caller, _ changelogRequest) (changelogResponse, error) {
	out := changelogResponse{Items: []changelogToolkit{}}
	for _, tk := range a.catalog.Snapshot(caller.ProjectID).Toolkits() {
		history := a.catalog.History(caller.ProjectID, tk)
		out.Items = append(out.Items, changelogToolkit{
			Slug: tk.Slug, Name: tk.Slug, DisplayName: tk.Name,
			Versions: mapped(history[:min(10, len(history))], func(s catalog.Stored) changelogVersion { return changelogVersion{s.Version, s.Changes} }),
		})
	}
	return out, nil
}
