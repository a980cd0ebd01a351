package execute_test

import (
	"strings"
	"testing"
)

func TestRefusalsNameTheMissingScopes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		granted    []string
		forSession bool
		want       []string
		not        string
	}{
		"one is missing":         {granted: []string{"things.read"}, want: []string{"without things.write, which ACME_CREATE_THING needs", "auth config ac_1", "tools_for_connected_account_creation", "connect again under the same id"}},
		"in a session":           {granted: []string{"things.read"}, forSession: true, want: []string{"without things.write", `COMPOSIO_MANAGE_CONNECTIONS with toolkits ["acme"] and reinitiate_all true`}},
		"all are there":          {granted: []string{"things.write"}, want: []string{"may not do this"}, not: "without"},
		"nobody knows which are": {want: []string{"needs the scopes things.write"}, not: "without"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, status(403, `{"message":"Insufficient permission"}`))
			w.accounts.scopes = c.granted
			call := w.call(write, writeArgs)
			call.Select.ForSession = c.forSession
			res, err := w.Run(t.Context(), caller, call)
			if err != nil {
				t.Fatal(err)
			}
			wantFailure(t, res, c.want...)
			if c.not != "" && strings.Contains(res.Error, c.not) {
				t.Errorf("the error has %q: %s", c.not, res.Error)
			}
		})
	}
}
