package catalog

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// reservedSlugs mean something else where toolkits are named.
var reservedSlugs = map[string]bool{"composio": true, "local": true, "patchbay": true}

// check refuses a definition that would not be served well or safely: it may have been sent by anybody. That its texts compile
// is found out by building it.
func (d *Definition) check() error {
	var lines []string
	problem := func(at, format string, args ...any) {
		lines = append(lines, at+": "+fmt.Sprintf(format, args...))
	}
	if !toolkitSlug.MatchString(d.Slug) {
		problem("/slug", "%q: use lower case letters, digits, _ and -, beginning with a letter, at most 64", shortText(d.Slug))
	}
	if reservedSlugs[d.Slug] {
		problem("/slug", "%q is reserved", d.Slug)
	}
	if d.Name == "" || len(d.Name) > 200 {
		problem("/name", "it has %d characters; it needs 1 to 200", len(d.Name))
	}
	if len(d.Description) > 8<<10 {
		problem("/description", "it has %d characters; at most %d", len(d.Description), 8<<10)
	}
	if d.Version != "" && !versionName.MatchString(d.Version) {
		problem("/version", "%q: write it as YYYYMMDD_NN", shortText(d.Version))
	}
	if len(d.Tools) > maxDocumentTools {
		return tooLarge("it has %d tools; at most %d", len(d.Tools), maxDocumentTools)
	}
	for at, address := range map[string]string{"/base_url": d.BaseURL, "/app_url": d.AppURL, "/docs": d.Docs, "/logo": d.Logo} {
		if why := wrongURL(address); why != "" {
			problem(at, "%s", why)
		}
	}
	if d.Program != nil {
		for _, line := range d.Program.check() {
			problem("/program", "%s", line)
		}
		if slices.ContainsFunc(d.Tools, func(t DefinedTool) bool { return t.MCP == nil }) {
			problem("/tools", "a program has only tools of its MCP server")
		}
	}
	if !d.OnChange.known() {
		problem("/on_change", "%q is not one of refuse, run and follow", shortText(string(d.OnChange)))
	}
	seen := make(map[string]bool, len(d.Tools))
	prefix := strings.ToUpper(d.Slug) + "_"
	for i := range d.Tools {
		for _, line := range d.Tools[i].check(prefix, seen) {
			problem(fmt.Sprintf("/tools/%d", i), "%s", line)
		}
		if len(lines) > 100 {
			break
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, fault.SlugInvalid, "The toolkit cannot be used. %s", lines[0]).WithDetails(lines...)
}

func (t *DefinedTool) check(prefix string, seen map[string]bool) (lines []string) {
	problem := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, name := range append([]string{t.Slug}, t.Aliases...) {
		switch {
		case !toolSlug.MatchString(name):
			problem("slug %q: use upper case letters, digits and _, at most 96", shortText(name))
		case !strings.HasPrefix(name, prefix):
			problem("slug %q must begin with %s", name, prefix)
		case seen[name]:
			problem("slug %q is another tool's already", name)
		}
		seen[name] = true
	}
	if t.Name == "" || len(t.Name) > 512 {
		problem("name has %d characters; it needs 1 to 512", len(t.Name))
	}
	if len(t.Description) > 8<<10 {
		problem("description has %d characters; at most %d", len(t.Description), 8<<10)
	}
	for what, schema := range map[string]json.RawMessage{"input": t.Input, "output": t.Output} {
		if len(schema) == 0 {
			continue
		}
		if why := tooDeep(schema); why != "" {
			problem("%s: %s", what, why)
		} else if what == "input" {
			for _, p := range SchemaProblems(schema) {
				problem("input%s", p)
			}
		}
	}
	kinds := 0
	for _, set := range []bool{t.HTTP != nil, t.GraphQL != nil, t.MCP != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		problem("exactly one of http, graphql and mcp must be there, not %d", kinds)
	}
	return lines
}

// tooDeep says why JSON is not to be decoded; empty when it may be.
func tooDeep(raw json.RawMessage) string {
	depth, inText := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Sprintf("it is nested more than %d levels deep", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return ""
}

// wrongURL says why an address cannot be one of a service; empty when it can, or is not given. Where a host is a connection
// field, whoever connects says it.
func wrongURL(address string) string {
	if address == "" || address[0] == '{' { // the whole of it is a connection field
		return ""
	}
	u, err := url.Parse(anyField.ReplaceAllString(address, "1"))
	switch {
	case err != nil:
		return "it is not a URL"
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Sprintf("%q: it must begin with https:// or http://", shortText(address))
	case u.User != nil:
		return "a URL must not hold a password"
	}
	return ""
}

// anyField is the place of a connection field in an address.
var anyField = regexp.MustCompile(`\{[^{}]*\}`)

// shortText is what of a caller's text may stand in a message.
func shortText(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
