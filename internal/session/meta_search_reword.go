package session

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/planner"
)

// reword has the model outside put the plans of all queries in words, if there is one, all at the same time. What a plan says of the
// user's connections and of destructive tools stays: it is known here, and nobody else decides about it.
func (f *finder) reword(ctx context.Context, queries []SearchQuery, found []findings, results []SearchResult) {
	if f.service.planner == nil {
		return
	}
	var all sync.WaitGroup
	for i, one := range found {
		if len(one.primary) == 0 || one.primary[0].tool == nil {
			continue
		}
		all.Go(func() {
			if steps := f.service.planner.Plan(ctx, f.task(queries[i], one)); len(steps) > 0 {
				results[i].Plan = slices.Concat(f.plan(one.primary[0].tool, queries[i]).beforehand(), one.cautions(steps), steps)
			}
		})
	}
	all.Wait()
}

// cautions warn of the destructive tools that steps name.
func (out findings) cautions(steps []string) []string {
	var cautions []string
	for _, one := range slices.Concat(out.primary, out.related) {
		if one.tool != nil && one.tool.Hints.Destructive && slices.ContainsFunc(steps, func(step string) bool { return strings.Contains(step, one.tool.Slug) }) {
			cautions = append(cautions, "Make sure that the user wants exactly this before you run "+one.tool.Slug+": it is marked destructive.")
		}
	}
	return cautions
}

// task is what the model is told of a query: of known fields the names alone. Custom tools are the application's and stay here.
func (f *finder) task(q SearchQuery, found findings) planner.Task {
	t := planner.Task{UseCase: q.UseCase, Known: fieldNames(q.KnownFields)}
	for _, one := range slices.Concat(found.primary, found.related) {
		if one.tool != nil {
			t.Tools = append(t.Tools, planner.Tool{Slug: one.tool.Slug, Description: one.tool.Description, Required: f.state.factsOf(one.tool).required})
		}
	}
	return t
}

// fieldNames gives the names in "name: value, name: value".
func fieldNames(fields string) []string {
	var names []string
	for part := range strings.SplitSeq(fields, ",") {
		if name, value, ok := strings.Cut(part, ":"); ok && strings.TrimSpace(value) != "" {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}
