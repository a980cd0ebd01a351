package registry

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// noise are words of names that say nothing about which server it is.
var noise = map[string]bool{"mcp": true, "server": true, "servers": true, "mcpserver": true, "remote": true, "official": true}

// hosts are parts of namespaces that say nothing about who publishes.
var hosts = map[string]bool{
	"com": true, "org": true, "net": true, "io": true, "co": true, "ai": true, "app": true, "dev": true, "me": true, "xyz": true, "cloud": true,
	"www": true, "mcp": true, "api": true,
}

// Slugs gives what the toolkit of a server may be called, the most readable first: io.github.user/weather is weather, or weather_user
// where there is another, or weather with a digest. Each is the same for the same name, whatever other servers there are.
func Slugs(name string) []string {
	namespace, own, _ := strings.Cut(strings.ToLower(name), "/")
	for _, host := range codeHosts {
		namespace = strings.TrimPrefix(namespace, host)
	}
	labels := slices.DeleteFunc(strings.Split(namespace, "."), func(w string) bool { return hosts[w] })
	who, short := telling(strings.Join(labels, "-")), telling(own)
	if short == "" || wording.IsVersion(short) {
		short = strings.Trim(who+"_"+short, "_")
	}
	if short == "" {
		short = cmp.Or(strings.Trim(own, "-_."), "server")
	}
	slugs := []string{wording.ToolkitSlug(short)}
	if who != "" && who != short {
		slugs = append(slugs, wording.ToolkitSlug(wording.Clip(slugs[0], 18)+"_"+who))
	}
	return append(slugs, strings.ToLower(wording.WithDigest(slugs[0], wording.MaxToolkitSlug, name)))
}

// telling joins the words of a part of a name that say something.
func telling(part string) string {
	words := strings.FieldsFunc(part, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return noise[w] }), "_")
}

// codeHosts begin the names of publishers who showed that they have an account there.
var codeHosts = []string{"io.github.", "io.gitlab.", "com.github."}

// OwnDomain reports whether the publisher showed that a domain is theirs, rather than an account at a code host.
func OwnDomain(name string) bool {
	return !slices.ContainsFunc(codeHosts, func(host string) bool { return strings.HasPrefix(name, host) })
}
