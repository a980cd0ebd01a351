package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// A version that a client names is served when it is there. A date that this server did not give out is understood as "the toolkit
// as of that day", because clients carry dates of other servers: the newest version that is not later, or the oldest. What comes
// back always says its own version. See docs/decisions/0062.

// checkVersion refuses what is neither latest nor a date. Empty means what the API version prescribes.
func checkVersion(tk *catalog.Toolkit, where, version string) error {
	if catalog.IsLatest(version) || catalog.IsVersion(version) {
		return nil
	}
	return fault.New(fault.Invalid, fault.SlugInvalid, "%s: %q is not a version.", where, short(version)).
		WithFix("Use latest, or one of %s's own: %s.", tk.Slug, strings.Join(versionsOf(tk), ", ")).
		WithDetails(where + ": expected latest or a date such as " + versionsOf(tk)[0])
}

// at gives the project's catalog with toolkits at the versions asked for. Toolkits that are not there are none of its business.
func (a *api) at(caller tenant.Caller, where func(toolkit string) string, versions map[string]string) (*catalog.Snapshot, error) {
	snapshot := a.catalog.Snapshot(caller.ProjectID)
	for _, slug := range slices.Sorted(maps.Keys(versions)) {
		if tk, ok := snapshot.Toolkit(slug); ok {
			if err := checkVersion(tk, where(tk.Slug), versions[slug]); err != nil {
				return nil, err
			}
		}
	}
	pinned, _ := a.catalog.Pinned(caller.ProjectID, versions)
	return pinned, nil
}

// plainVersion is where a version is named for one toolkit.
func plainVersion(string) string { return "version" }

// toolAt finds a tool in the version that is asked for. One that the version does not have yet is found in the current one,
// unless the version is our own and its word is final.
func (a *api) toolAt(caller tenant.Caller, slug, version string) (*catalog.Snapshot, *catalog.Tool, error) {
	current := a.catalog.Snapshot(caller.ProjectID)
	toolkit, ok := toolkitOf(current, slug)
	if !ok {
		return nil, nil, toolNotFound(current, slug)
	}
	snapshot, err := a.at(caller, plainVersion, map[string]string{toolkit.Slug: version})
	if err != nil {
		return nil, nil, err
	}
	if t, ok := snapshot.Tool(slug); ok {
		return snapshot, t, nil
	}
	t, ok := current.Tool(slug)
	if !ok || slices.Contains(toolkit.Versions, version) {
		return nil, nil, toolNotFound(snapshot, slug)
	}
	return current, t, nil
}

// toolkitOf finds the toolkit of a tool that need not be in the current version any more.
func toolkitOf(snapshot *catalog.Snapshot, slug string) (*catalog.Toolkit, bool) {
	if t, ok := snapshot.Tool(slug); ok {
		return t.Toolkit, true
	}
	for end := len(slug) - 1; end > 0; end-- { // the longest name first: github_enterprise before github
		if slug[end] == '_' {
			if tk, ok := snapshot.Toolkit(slug[:end]); ok {
				return tk, true
			}
		}
	}
	return nil, false
}
