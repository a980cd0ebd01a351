package web

import (
	"net/url"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

func TestCallbackParams(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]connect.CallbackParams{
		"state=s&code=c&iss=i":                           {State: "s", Code: "c", Issuer: "i"},
		"state=s&error=e&error_description=d":            {State: "s", Error: "e", ErrorDescription: "d"},
		"oauth_token=t&oauth_verifier=v":                 {State: "t", Verifier: "v"},
		"denied=t":                                       {State: "t", Error: "access_denied"},
		"oauth_token=t&oauth_problem=permission_denied":  {State: "t", Error: "access_denied"},
		"oauth_token=t&oauth_problem=user_was_too_slow":  {State: "t", Error: "user_was_too_slow"},
		"state=s&code=c&oauth_token=somebody-elses-word": {State: "s", Code: "c"},
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := callbackParams(q); got != want {
			t.Errorf("%s: %+v, want %+v", query, got, want)
		}
	}
}
