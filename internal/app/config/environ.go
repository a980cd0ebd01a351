package config

import (
	"fmt"
	"slices"
	"strings"
)

// fromEnviron picks the settings out of an environment. A variable that looks like one of ours but is not is only a
// warning: orchestrators set variables of their own beginning with a service's name.
func fromEnviron(environ []string) (layer, []string) {
	l, warnings := layer{}, []string(nil)
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" || notOurs(name) {
			continue
		}
		s, key, ok := settingOfEnv(name)
		if !ok {
			warnings = append(warnings, unknownEnv(name))
			continue
		}
		l[key] = given{values: s.split(value), place: name}
	}
	return l, warnings
}

// notOurs knows the variables that are for the client commands, and those that Kubernetes and Docker links set for a
// service called "patchbay".
func notOurs(name string) bool {
	rest := strings.TrimPrefix(name, envPrefix)
	return rest == "URL" || rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
}

// settingOfEnv gives the setting a variable stands for and the concrete key.
func settingOfEnv(name string) (Setting, string, bool) {
	for _, s := range Settings() {
		for _, suffix := range s.variants() {
			before, after, perToolkit := strings.Cut(s.Env()+strings.ToUpper(suffix), "<SLUG>")
			if !perToolkit {
				if name == before {
					return s, s.Key + suffix, true
				}
				continue
			}
			if slug := inside(name, before, after); slug != "" {
				return s, strings.Replace(s.Key, slugMark, strings.ToLower(slug), 1) + suffix, true
			}
		}
	}
	return Setting{}, "", false
}

// inside gives what stands between a prefix and a suffix of name; empty when they do not both match.
func inside(name, prefix, suffix string) string {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return ""
	}
	middle, ok := strings.CutSuffix(rest, suffix)
	if !ok {
		return ""
	}
	return middle
}

// variants are the endings under which a setting can be given.
func (s Setting) variants() []string {
	if s.Secret {
		return []string{"", fileSuffix}
	}
	return []string{""}
}

func unknownEnv(name string) string {
	var known []string
	for _, s := range Settings() {
		known = append(known, s.Env())
	}
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("%s is not a setting and is ignored; did you mean %s?", name, near)
	}
	return fmt.Sprintf("%s is not a setting and is ignored", name)
}
