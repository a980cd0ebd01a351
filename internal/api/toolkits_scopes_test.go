package api

import "testing"

func TestRecommendedScopes(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tr := newTranscript(s)
	tr.do(t, "POST", "/toolkits/acme/scopes/recommended", `{"tools":["ACME_MAKE_THING","ACME_LIST_THINGS","ACME_DELETE_THING"]}`).ok(t, 200)
	tr.do(t, "POST", "/toolkits/ACME/scopes/recommended", `{"tools":["ACME_LIST_THINGS"],"auth_scheme":"oauth2","toolkit_version":"latest","include":["extra"],"grant_context":{"a":"b"}}`).ok(t, 200)
	tr.do(t, "POST", "/toolkits/acme/scopes/recommended", `{"tools":["ACME_MAKE_THING"],"available_scopes":["nothing"]}`).ok(t, 400)
	tr.do(t, "POST", "/toolkits/acme/scopes/recommended", `{"tools":["NOPE","PLAIN_GET_FACT"]}`).ok(t, 404)
	tr.do(t, "POST", "/toolkits/acme/scopes/recommended", `{"tools":["PLAIN_GET_FACT"]}`).ok(t, 400)
	tr.do(t, "POST", "/toolkits/acme/scopes/recommended", `{"tools":[]}`).ok(t, 200)
	tr.do(t, "POST", "/toolkits/acme/scopes/recommended", `{}`).ok(t, 400)
	tr.do(t, "POST", "/toolkits/acne/scopes/recommended", `{"tools":["ACME_MAKE_THING"]}`).ok(t, 404)
	tr.do(t, "GET", "/toolkits/acme/scopes/grant_context", "").ok(t, 200)
	tr.do(t, "GET", "/toolkits/plain/scopes/grant_context", "").ok(t, 200)
	tr.do(t, "GET", "/toolkits/acme/scopes/grant_context?auth_scheme=SAML", "").ok(t, 400)
	tr.check(t, "recommended_scopes")
}
