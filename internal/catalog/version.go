package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Latest is what callers say who want the newest version of a toolkit.
const Latest = "latest"

// keptVersions is how many versions of a toolkit are kept; what is older, and not pinned, is deleted when a new one comes.
const keptVersions = 30

// IsLatest reports whether a version means the newest one: no version, "latest", or the base version of older clients.
func IsLatest(version string) bool {
	return version == "" || strings.EqualFold(version, Latest) || version == BaseVersion
}

// IsVersion reports whether a text has the form of a version.
func IsVersion(version string) bool { return versionName.MatchString(version) }

// nextVersion gives the name of a version made now that comes after all that there are.
func nextVersion(now time.Time, known []string) string {
	newest := ""
	if len(known) > 0 {
		newest = slices.Max(known)
	}
	today := now.UTC().Format("20060102")
	for n := range 100 {
		if v := fmt.Sprintf("%s_%02d", today, n); v > newest {
			return v
		}
	}
	day, err := time.Parse("20060102", strings.SplitN(newest, "_", 2)[0])
	if err != nil { // no version that we gave out
		return today + "_99"
	}
	return day.AddDate(0, 0, 1).Format("20060102") + "_00"
}

// asOf gives the newest of some versions that is not later than the one named: what a dated version of another server stands
// for. Where all are later, it is the oldest; where there are none, it is empty. The versions are newest first.
func asOf(versions []string, named string) string {
	for _, v := range versions {
		if v <= named {
			return v
		}
	}
	if len(versions) == 0 {
		return ""
	}
	return versions[len(versions)-1]
}
