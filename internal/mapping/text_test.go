package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

var textScope = Scope{Input: []string{"owner", "repo", "path", "n", "ref"}, Fields: []string{"subdomain", "base_url", "region"}, Item: true}

func TestPath(t *testing.T) {
	t.Parallel()
	env := func(input map[string]any) *Env {
		return &Env{Input: input, Fields: map[string]string{"region": "eu 1"}, Item: map[string]any{"id": "a/b"}}
	}
	tests := []struct {
		name, source string
		input        map[string]any
		want, fault  string
	}{
		{"plain", "/v1/things", nil, "/v1/things", ""},
		{"segments", "/repos/{owner}/{repo}/issues/{n}", map[string]any{"owner": "a b", "repo": "c/d?e#f%", "n": 7}, "/repos/a%20b/c%2Fd%3Fe%23f%25/issues/7", ""},
		{"unicode", "/{owner}", map[string]any{"owner": "é"}, "/%C3%A9", ""},
		{"slashes stay", "/contents/{+path}", map[string]any{"path": "/a dir/b.md"}, "/contents/a%20dir/b.md", ""},
		{"whole tree", "/contents/{+path}", map[string]any{"path": "/"}, "/contents/", ""},
		{"field", "/{region}/x", nil, "/eu%201/x", ""},
		{"expression", "/x/${{ item.id }}.json", nil, "/x/a%2Fb.json", ""},
		{"expression with slashes", `/x/${{+ trimPrefix(input.ref, "refs/") }}`, map[string]any{"ref": "refs/heads/a b"}, "/x/heads/a%20b", ""},
		{"verb", "/v1/messages:batch$x", nil, "/v1/messages:batch$x", ""},
		{"empty", "/repos/{owner}/x", map[string]any{"owner": ""}, "", `"owner" must not be empty.`},
		{"absent", "/repos/{owner}/x", nil, "", `"owner" must not be empty.`},
		{"dots", "/repos/{owner}/x", map[string]any{"owner": ".."}, "", `"owner" must not be "." or "..".`},
		{"dots inside", "/contents/{+path}", map[string]any{"path": "a/../../user"}, "", `"path" must not be "." or "..".`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, err := CompilePath(test.source, textScope, 1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := text.Expand(env(test.input))
			if test.fault != "" {
				if !fault.Is(err, fault.Invalid) || err.Error() != test.fault {
					t.Errorf("error = %v, want %q", err, test.fault)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("path = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, source, subdomain, base, want, fault string }{
		{"constant", "https://api.example.com", "", "", "https://api.example.com", ""},
		{"host", "https://{subdomain}.example.com/v2", "acme", "", "https://acme.example.com/v2", ""},
		{"host takeover", "https://{subdomain}.example.com", "evil.com/", "", "", "part of a host name"},
		{"user takeover", "https://{subdomain}.example.com", "a@evil.com#", "", "", "part of a host name"},
		{"port takeover", "https://{subdomain}.example.com", "evil.com:80?", "", "", "part of a host name"},
		{"empty host", "https://{subdomain}.example.com", "", "", "", "is needed and empty"},
		{"path", "https://example.com/{subdomain}/api", "a/b", "", "https://example.com/a%2Fb/api", ""},
		{"path dots", "https://example.com/{subdomain}/api", "..", "", "", `must not be "."`},
		{"whole", "{base_url}", "", "https://jira.acme.example/rest/", "https://jira.acme.example/rest", ""},
		{"whole, other scheme", "{base_url}", "", "file:///etc/passwd", "", "must be an http or https URL"},
		{"whole, user", "{base_url}", "", "https://a:b@x", "", "without user"},
		{"whole, query", "{base_url}", "", "https://x/?a=", "", "without user, query or fragment"},
		{"whole, empty query", "{base_url}", "", "https://x/?", "", "without user, query or fragment"},
		{"whole, empty fragment", "{base_url}", "", "https://x/#", "", "without user, query or fragment"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, err := CompileURL(test.source, textScope, 1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := text.ExpandFields(map[string]string{"subdomain": test.subdomain, "base_url": test.base})
			if test.fault != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.fault) {
					t.Errorf("URL = %q, error = %v, want %q", got, err, test.fault)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("URL = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	text, err := CompileText(`Basic ${{ base64(fields.subdomain + ":x") }} {region}`, textScope, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := text.ExpandFields(map[string]string{"subdomain": "u", "region": "eu"})
	if err != nil || got != "Basic dTp4 eu" {
		t.Errorf("text = %q, %v", got, err)
	}
	if diff := cmp.Diff([]string{"region", "subdomain"}, text.FieldNames()); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if _, err := text.ExpandFields(map[string]string{"region": "a\r\nX-Evil: 1"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a line break in a header value: %v", err)
	}
	if _, constant := text.Constant(); constant {
		t.Error("a text with placeholders counts as constant")
	}
}

func TestTextTypos(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"/{ownr}":          `there is no argument "ownr"; did you mean "owner"?`,
		"/{owner":          "{ is not closed",
		"/${{ input.owner": "${{ is not closed",
		"/${{ item.x +}}":  "unexpected token EOF",
	} {
		if _, err := CompilePath(source, textScope, 3); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line 3: ") {
			t.Errorf("CompilePath(%q) = %v, want %q", source, err, want)
		}
	}
	for source, want := range map[string]string{
		"example.com/x":          "a URL starts with https://",
		"ftp://example.com":      "a URL starts with https://",
		"{subdomain}.x.com":      "a URL starts with https:// or is one placeholder",
		"https://{+subdomain}/x": "is only for paths",
		"https://{subdomian}.x":  `did you mean "subdomain"?`,
	} {
		if _, err := CompileURL(source, textScope, 3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CompileURL(%q) = %v, want %q", source, err, want)
		}
	}
}
