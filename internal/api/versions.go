package api

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// A toolkit has one version here: the one in the catalog. A dated version that a client names is understood as "the toolkit
// as of that day" and answered with what there is, because clients carry dates that another server gave out. What comes back
// always says its own version. See docs/decisions/0062.

var datedVersion = regexp.MustCompile(`^[0-9]{8}_[0-9]{2}$`)

// checkVersion refuses what is neither latest nor a date. Empty means what the API version prescribes.
func checkVersion(tk *catalog.Toolkit, where, version string) error {
	if version == "" || strings.EqualFold(version, "latest") || datedVersion.MatchString(version) {
		return nil
	}
	return fault.New(fault.Invalid, fault.SlugInvalid, "%s: %q is not a version.", where, short(version)).
		WithFix("Use latest, or one of %s's own: %s.", tk.Slug, strings.Join(versionsOf(tk), ", ")).
		WithDetails(where + ": expected latest or a date such as " + versionsOf(tk)[0])
}

func checkVersions(snapshot *catalog.Snapshot, versions versionsByToolkit) error {
	for _, slug := range slices.Sorted(maps.Keys(versions.byToolkit)) {
		if tk, ok := snapshot.Toolkit(slug); ok {
			if err := checkVersion(tk, "toolkit_versions["+slug+"]", versions.byToolkit[slug]); err != nil {
				return err
			}
		}
	}
	return nil
}
