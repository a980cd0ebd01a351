package catalog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

func TestScopeChoice(t *testing.T) {
	t.Parallel()
	read := &catalog.Tool{Slug: "READ", Scopes: catalog.Scopes{Any: [][]string{{"mail.read", "mail.all"}}}}
	send := &catalog.Tool{Slug: "SEND", Scopes: catalog.Scopes{Any: [][]string{{"mail.send", "mail.all"}}}}
	list := &catalog.Tool{Slug: "LIST", Scopes: catalog.Scopes{All: []string{"profile"}, Any: [][]string{{"cal.read", "cal.all"}}}}
	free := &catalog.Tool{Slug: "FREE"}
	all := []*catalog.Tool{read, send, list, free}
	for name, c := range map[string]struct {
		choice        catalog.ScopeChoice
		tools         []*catalog.Tool
		least, fewest []string
		out           []string
	}{
		"nothing asked":                {tools: []*catalog.Tool{free}},
		"one tool":                     {tools: []*catalog.Tool{read}, least: []string{"mail.read"}, fewest: []string{"mail.read"}},
		"several":                      {tools: all, least: []string{"cal.read", "mail.read", "mail.send", "profile"}, fewest: []string{"cal.read", "mail.all", "profile"}},
		"what is there anyway is used": {catalog.ScopeChoice{Include: []string{"mail.all"}}, all, []string{"cal.read", "mail.all", "profile"}, []string{"cal.read", "mail.all", "profile"}, nil},
		"excluded":                     {catalog.ScopeChoice{Exclude: []string{"mail.read"}}, []*catalog.Tool{read}, []string{"mail.all"}, []string{"mail.all"}, nil},
		"out of reach":                 {catalog.ScopeChoice{Exclude: []string{"profile", "mail.read", "mail.all"}}, all, []string{"cal.read", "mail.send"}, []string{"cal.read", "mail.send"}, []string{"READ", "LIST"}},
		"only what is available":       {catalog.ScopeChoice{Available: []string{"mail.all", "other"}}, []*catalog.Tool{read, send}, []string{"mail.all"}, []string{"mail.all"}, nil},
	} {
		least, out := c.choice.LeastScopes(c.tools)
		fewest, outToo := c.choice.FewestScopes(c.tools)
		if diff := cmp.Diff([][]string{c.least, c.fewest, c.out, c.out}, [][]string{none(least), none(fewest), slugs(out), slugs(outToo)}); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"mail.read", "mail.all"}, read.Scopes.Any[0]); diff != "" {
		t.Errorf("the declaration was changed: %s", diff)
	}
}

func none(scopes []string) []string {
	if len(scopes) == 0 {
		return nil
	}
	return scopes
}

func slugs(tools []*catalog.Tool) (out []string) {
	for _, t := range tools {
		out = append(out, t.Slug)
	}
	return out
}
