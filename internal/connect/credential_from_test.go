package connect_test

import (
	"net/http"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestCredentialFrom(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	snapshot := toolkits(t, b.provider.URL)
	for name, tc := range map[string]struct {
		toolkit, scheme string
		values          map[string]string
		header, want    string // "": a fault
	}{
		"a key where the toolkit wants it": {"keyed", connect.APIKey, map[string]string{"key": "k1"}, "X-Acme-Key", "k1"},
		"a key under its usual name":       {"keyed", connect.APIKey, map[string]string{"generic_api_key": "k1"}, "X-Acme-Key", "k1"},
		"the toolkit's first scheme":       {"keyed", "", map[string]string{"key": "k1"}, "X-Acme-Key", "k1"},
		"a connection field":               {"keyed", connect.APIKey, map[string]string{"key": "k1", "region": "us"}, "X-Region", "us"},
		"name and password":                {"keyed", connect.Basic, map[string]string{"username": "u", "password": "p"}, "Authorization", "Basic dTpw"},
		"a token for OAuth":                {"acme", connect.OAuth2, map[string]string{"access_token": "t1"}, "Authorization", "Bearer t1"},
		"a bearer token":                   {"acme", connect.BearerToken, map[string]string{"token": "t1"}, "Authorization", "Bearer t1"},
		"no key":                           {"keyed", connect.APIKey, nil, "", ""},
		"no token":                         {"acme", connect.OAuth2, map[string]string{"scope": "read"}, "", ""},
		"a scheme that is not offered":     {"keyed", connect.OAuth2, map[string]string{"access_token": "t1"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			toolkit, _ := snapshot.Toolkit(tc.toolkit)
			values := connect.Fields{}
			for field, v := range tc.values {
				values[field] = secret.Hide(v)
			}
			cred, err := b.CredentialFrom(t.Context(), toolkit, tc.scheme, values)
			if tc.want == "" {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("got %v", err)
				}
				return
			}
			must(t, err)
			r, _ := http.NewRequest(http.MethodGet, "https://acme.example/", nil)
			cred.Apply(r)
			if got := r.Header.Get(tc.header); got != tc.want || cred.AccountID != "" {
				t.Errorf("%s: %q, want %q", tc.header, got, tc.want)
			}
		})
	}
}

func TestAuthConfigAllowsItsToolsOnly(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	narrow := b.config("keyed", connect.APIKey, nil)
	tools := []string{"KEYED_LIST_THINGS"}
	_, err := b.UpdateAuthConfig(b.ctx, b.caller, narrow.ID, connect.AuthConfigPatch{ToolsForExecution: &tools})
	must(t, err)
	a := b.imported(narrow, connect.NewAccount{UserID: "u"})
	sel := func(tool string) connect.Selection {
		return connect.Selection{UserID: "u", Toolkit: "keyed", Tool: tool}
	}
	b.wantSelected(sel(""), a)
	b.wantSelected(sel("KEYED_LIST_THINGS"), a)
	b.wantSelected(sel("keyed_list_things"), a)
	for _, tool := range []string{"KEYED_MAKE_THING", connect.RawRequests} {
		_, err := b.Select(b.ctx, b.caller, sel(tool))
		wantFault(t, err, fault.Forbidden, fault.SlugForbidden, narrow.ID, tool)
	}
	// Another account that may is used instead.
	wide := b.imported(b.config("keyed", connect.APIKey, nil), connect.NewAccount{UserID: "u"})
	b.wantSelected(sel("KEYED_MAKE_THING"), wide)
}
