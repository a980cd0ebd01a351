package config

import (
	"strings"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

const (
	envPrefix    = "PATCHBAY_"
	toolkitsPart = "toolkits."
	slugMark     = "<slug>"
	fileSuffix   = "_file" // key of the variant that reads a secret from a file
)

// Flag is the setting's name on the command line, without dashes in front.
func (s Setting) Flag() string { return flagName(s.Key) }

// Env is the setting's environment variable.
func (s Setting) Env() string { return envName(s.Key) }

// PerToolkit reports whether the setting exists once for each toolkit. Such settings have no flag of their own: --set
// takes them.
func (s Setting) PerToolkit() bool { return strings.Contains(s.Key, slugMark) }

func flagName(key string) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(key)
}

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", slugMark, "<SLUG>").Replace(key))
}

// find gives the setting that a concrete key belongs to, the toolkit's slug if it has one, and whether the key is the
// variant that names a file.
func find(key string) (s Setting, slug string, file, ok bool) {
	pattern := key
	if rest, isToolkit := strings.CutPrefix(key, toolkitsPart); isToolkit {
		var name string
		slug, name, _ = strings.Cut(rest, ".")
		slug = strings.ToLower(slug)
		pattern = toolkitsPart + slugMark + "." + name
	}
	for _, s := range Settings() {
		if s.Key == pattern {
			return s, slug, false, true
		}
		if s.Secret && s.Key+fileSuffix == pattern {
			return s, slug, true, true
		}
	}
	return Setting{}, "", false, false
}

// nearest gives the known key that looks most like the given one, or nothing when none comes close.
func nearest(key string, known []string) string {
	best, least := "", len(key)/2+1
	for _, k := range known {
		if d := mapping.Distance(key, k); d < least {
			best, least = k, d
		}
	}
	return best
}
