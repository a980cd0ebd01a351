package catalog

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

var update = flag.Bool("update", false, "rewrite the reference in docs/toolkits.md")

const (
	referenceFile  = "../../docs/toolkits.md"
	referenceStart = "<!-- generated from the loader by go test ./internal/catalog -run TestReference -update -->\n"
	referenceEnd   = "<!-- end -->\n"
)

// TestReference keeps the reference in docs/toolkits.md what the loader does.
func TestReference(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), referenceStart)
	recorded, after, ended := strings.Cut(rest, referenceEnd)
	if !ok || !ended {
		t.Fatalf("%s has lost the marks around the reference", referenceFile)
	}
	current := referenceTables()
	if *update {
		if err := os.WriteFile(referenceFile, []byte(before+referenceStart+current+referenceEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(recorded, current); diff != "" {
		t.Errorf("the reference is out of date; run go test ./internal/catalog -run TestReference -update (-recorded +now):\n%s", diff)
	}
}

func referenceTables() string {
	var problems []Problem
	r := &reader{problems: &problems}
	l := &loader{toolkit: &Toolkit{}}
	scope := mapping.Scope{Answer: true}
	oauth := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Value: "scheme"}, {Value: "OAUTH2"}}}
	ignore := func(*yaml.Node) {}
	var b strings.Builder
	exchange := l.exchangeKeys(r, &Exchange{})
	for _, section := range []struct {
		title string
		keys  []key
	}{
		{"toolkit.yaml", l.toolkitKeys(r)},
		{"A way to connect (auth)", l.authKeys(r, oauth, &AuthScheme{})},
		{"Beside them, for SERVICE_ACCOUNT and BASIC_WITH_JWT in place of those of OAuth", exchange},
		{"The same for GOOGLE_SERVICE_ACCOUNT", l.googleKeys(r, &OAuth2{})},
		{"The same for OAUTH1", l.oauth1Keys(r, &OAuth1{})},
		{"A field", fieldKeys(r, &Field{})},
		{"Whose account it is (identity)", identityKeys(r, &Identity{})},
		{"Failures (errors)", errorKeys(r, &ErrorRules{}, scope)},
		{"Trim", trimKeys(r, nil, nil, nil)},
		{"A tool", l.toolKeys(r, &toolDecl{tool: &Tool{Held: &Detail{}}})},
		{"An argument", l.propertyKeys(r, &property{}, ignore, ignore, ignore, ignore)},
		{"A refusal", refusalKeys(r, &Refusal{}, scope)},
		{"A request", l.requestKeys(r, &requestDecl{}, &HTTPRequest{}, &GraphQLRequest{}, scope)},
		{"A step: a request, and", l.stepKeys(r, &Step{}, scope, scope)},
		{"A result", l.resultKeys(r, &Result{}, scope)},
		{"Page", (&pageDecl{}).keys(r)},
		{"A trigger type (triggers.yaml)", l.triggerKeys(r, &triggerDecl{trigger: &TriggerType{}})},
		{"A poll: the request of a trigger, and", pollKeys(r, &Poll{}, new(string), ignore)},
		{"A webhook", l.webhookKeys(r, &Webhook{}, ignore, ignore, ignore, scope)},
		{"The request of a trigger (poll, create, remove, about)", hiddenKeys(ignore, ignore, ignore, ignore)},
		{"A signature", signatureKeys(r, &Signature{}, new(string), new(string), new(string))},
		{"A handshake", handshakeKeys(r, &Handshake{})},
		{"An event", eventKeys(r, &EventRule{}, scope, scope)},
	} {
		fmt.Fprintf(&b, "\n### %s\n\n| key | says |\n|---|---|\n", section.title)
		for _, k := range section.keys {
			name := "`" + k.name + "`"
			if k.required {
				name += " (required)"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", name, strings.ReplaceAll(k.doc, "|", `\|`))
		}
	}
	return b.String() + "\n"
}
