package session

import (
	"context"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// finder answers the queries of one request.
type finder struct {
	service   *Service
	view      *View
	state     *snapshotState
	custom    []placedCustomTool
	only      map[string]bool // toolkits; nil: all
	connected map[string]bool
	standings map[string]standing // by toolkit, for those that were found
}

// findings are the tools found for one query, best first.
type findings struct {
	primary  []foundTool
	related  []foundTool
	toolkits []string // of the primary tools
	barred   string   // a toolkit that would fit better if it were not kept away
	missing  string   // an app that the query names and that is not here
}

// foundTool is an app's tool or, where tool is nil, a custom one.
type foundTool struct {
	tool   *catalog.Tool
	custom *placedCustomTool
}

func (f foundTool) slug() string {
	if f.tool != nil {
		return f.tool.Slug
	}
	return f.custom.Slug
}

func (f foundTool) toolkit() string {
	if f.tool != nil {
		return f.tool.Toolkit.Slug
	}
	return f.custom.toolkit
}

func (f *finder) find(q SearchQuery, vector []float32) findings {
	found := f.service.index(f.view.Catalog).Find(search.Query{
		Text: q.UseCase, Known: q.KnownFields, Allow: f.allows, Connected: func(toolkit string) bool { return f.connected[toolkit] }, Limit: maxHits + 2, Vector: vector,
	})
	hits, out := found.Hits, findings{}
	for i, hit := range hits {
		if len(out.primary) < maxPrimary && (i == 0 || hit.Score >= closeToBest*hits[0].Score) {
			out.primary = append(out.primary, foundTool{tool: hit.Tool})
		}
	}
	f.addCustom(q, &out)
	f.addRelated(hits, &out)
	for _, t := range out.primary {
		if !slices.Contains(out.toolkits, t.toolkit()) {
			out.toolkits = append(out.toolkits, t.toolkit())
		}
	}
	if len(hits) == 0 || !hits[0].Named {
		out.missing = found.Elsewhere
		if f.restricted() {
			out.barred = f.barredToolkit(q, vector, len(out.primary) > 0)
		}
	}
	return out
}

func (f *finder) allows(t *catalog.Tool) bool {
	return (f.only == nil || f.only[t.Toolkit.Slug]) && f.view.policy.allows(t)
}

// addRelated adds what usually comes before and after the best tool, then other good hits; if the query names an app, of
// that app.
func (f *finder) addRelated(hits []search.Hit, out *findings) {
	if len(out.primary) == 0 {
		return
	}
	room := max(minRelated, maxHits-len(out.primary))
	add := func(t *catalog.Tool) {
		if len(out.related) < room && f.allows(t) && !out.has(t.Slug) {
			out.related = append(out.related, foundTool{tool: t})
		}
	}
	if best := out.primary[0].tool; best != nil {
		for _, slug := range slices.Concat(best.Detail().Before, best.Detail().After) {
			if t, ok := f.view.Catalog.Tool(slug); ok {
				add(t)
			}
		}
	}
	for _, hit := range hits {
		if hit.Score >= nearBest*hits[0].Score && (hit.Named || !hits[0].Named) {
			add(hit.Tool)
		}
	}
}

func (out *findings) has(slug string) bool {
	same := func(t foundTool) bool { return t.slug() == slug }
	return slices.ContainsFunc(out.primary, same) || slices.ContainsFunc(out.related, same)
}

// restricted reports whether anything is kept away from the search.
func (f *finder) restricted() bool {
	p := f.view.policy
	return f.only != nil || p.toolkits != nil || p.tags != nil || len(p.tools) > 0
}

// barredToolkit looks for a better tool that is kept away. Beside tools that fit, only one of an app that the query names is
// worth a word.
func (f *finder) barredToolkit(q SearchQuery, vector []float32, fits bool) string {
	hits := f.service.index(f.view.Catalog).Find(search.Query{Text: q.UseCase, Known: q.KnownFields, Limit: 1, Vector: vector}).Hits
	if len(hits) == 0 || f.allows(hits[0].Tool) || fits && !hits[0].Named {
		return ""
	}
	return hits[0].Tool.Toolkit.Slug
}

// stand finds out how the user stands to toolkits that were found.
func (f *finder) stand(ctx context.Context, c tenant.Caller, toolkits []string) error {
	for _, slug := range toolkits {
		kit, ok := f.view.Catalog.Toolkit(slug)
		if _, done := f.standings[slug]; done || !ok {
			continue
		}
		standing, err := f.service.standing(ctx, c, f.view, kit)
		if err != nil {
			return err
		}
		f.standings[slug] = standing
	}
	return nil
}
