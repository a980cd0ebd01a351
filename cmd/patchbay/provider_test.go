package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/patchbay-dev/patchbay"
)

// startProvider starts a stand-in for Hacker News, Stripe and GitHub: just what the scripts ask of them.
func startProvider(ts *testscript.TestScript, _ bool, _ []string) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v0/user/{file}", hackerNewsUser)
	mux.HandleFunc("GET /v1/account", stripeAccount)
	mux.HandleFunc("GET /v1/coupons", stripeAccount)
	mux.HandleFunc("GET /login/oauth/authorize", githubAuthorize)
	mux.HandleFunc("POST /login/oauth/access_token", githubToken)
	mux.HandleFunc("GET /user", githubUser)
	outage := &ts.Value(processKey{}).(*process).outage
	mux.HandleFunc("DELETE /applications/app/token", func(w http.ResponseWriter, r *http.Request) {
		if outage.Load() {
			http.Error(w, "we are down, and say it with your gho_token", http.StatusServiceUnavailable)
			return
		}
		githubRevoke(w, r)
	})
	mux.HandleFunc("POST /dead/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_grant"}`)
	})
	mux.HandleFunc("POST /hook", receiveWebhook)
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("PROVIDER", server.URL)
}

// receiveWebhook takes what is signed with the secret of the scripts.
func receiveWebhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		_, err = patchbay.VerifyWebhook(r.Header, body, "whsec_c2VjcmV0IG9mIHRoZSBzY3JpcHRz")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
	}
}

func hackerNewsUser(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSuffix(r.PathValue("file"), ".json")
	if name == "broken" {
		http.Error(w, `{"error":"out of order"}`, http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, `{"id":%q,"karma":42}`, name)
}

func stripeAccount(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Authorization"), "sk_test_right") {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":{"message":"Invalid API Key provided"}}`)
		return
	}
	fmt.Fprint(w, `{"id":"acct_1","email":"ada@example.com","settings":{"dashboard":{"display_name":"Ada's shop"}}}`)
}

// githubAuthorize is a user who says yes at once.
func githubAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	http.Redirect(w, r, q.Get("redirect_uri")+"?code=c0de&state="+q.Get("state"), http.StatusFound)
}

func githubToken(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	if id != "app" || secret != "app-secret" || r.FormValue("code") != "c0de" {
		fmt.Fprint(w, `{"error":"incorrect_client_credentials"}`)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"access_token":"gho_token","token_type":"bearer","scope":"repo,read:user,user:email"}`)
}

func githubUser(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer gho_token" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fmt.Fprint(w, `{"id":1,"login":"octocat","email":"octocat@example.com"}`)
}

func githubRevoke(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"access_token"`
	}
	if id, secret, _ := r.BasicAuth(); id != "app" || secret != "app-secret" || json.NewDecoder(r.Body).Decode(&body) != nil || body.Token != "gho_token" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
