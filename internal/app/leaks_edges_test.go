package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app"
)

// useOAuth1 connects and calls with signatures, whose secrets are never sent.
func (w *leakWorld) useOAuth1() {
	w.Helper()
	config := w.config("OAUTH1", `"consumer_key":"app","consumer_secret":"`+w.secret("consumer secret")+`"`)
	for _, mood := range moods[:3] {
		_, link := w.link(config, "failing")
		w.mood.Store(mood)
		w.follow(link, url.Values{})
		w.mood.Store("")
	}
	account, link := w.link(config, "signer")
	w.follow(link, url.Values{})
	w.active(account)
	w.call("signer", account)
	w.do("GET", "/api/v3.1/connected_accounts/"+account, "")
}

// useProxy calls through a proxy that repeats the key it is opened with. The provider plays it: what is forwarded in the clear arrives
// there with the key.
func (w *leakWorld) useProxy() {
	w.Helper()
	pair, password := "porter:"+w.secret("proxy password"), w.secret("proxy password")
	w.never["proxy's header"], w.never["proxy's header from the URL"] = pair, "porter:"+password // in base64
	inURL := url.UserPassword("porter", password).String()
	for n, proxy := range []string{
		`"proxy_url":"` + w.provider.URL + `","proxy_auth_key":"` + w.secret("proxy key") + `"`,
		`"proxy_url":"` + w.provider.URL + `","proxy_auth_key":"` + pair + `"`,
		`"proxy_url":"` + strings.Replace(w.provider.URL, "://", "://"+inURL+"@", 1) + `"`,
		`"proxy_url":"ftp://` + inURL + `@proxy.example"`, // refused
	} {
		user := fmt.Sprintf("proxied-%d", n)
		config := w.config("API_KEY", "")
		made := w.do("POST", "/api/v3.1/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"`+user+`","state":{"authScheme":"API_KEY","val":{"status":"ACTIVE","api_key":"`+
			w.secret("proxied key")+`"}}}}`)
		w.do("PATCH", "/api/v3.1/auth_configs/"+config, `{"type":"custom","proxy_config":{`+proxy+`}}`)
		w.do("GET", "/api/v3.1/auth_configs/"+config, "")
		w.call(user, w.want(made, "id"))

		config = w.config("OAUTH2", `"client_id":"app","client_secret":"`+w.secret("client secret")+`"`)
		w.do("PATCH", "/api/v3.1/auth_configs/"+config, `{"type":"custom","proxy_config":{`+proxy+`}}`)
		for _, mood := range moods {
			account, link := w.link(config, user)
			w.mood.Store(mood)
			w.follow(link, url.Values{})
			w.do("POST", "/api/v3.1/connected_accounts/"+account+"/refresh", `{}`)
			w.do("GET", "/api/v3.1/connected_accounts/"+account, "")
		}
	}
}

// useWebhooks has events come in and go out, and fail at both.
func (w *leakWorld) useWebhooks() {
	w.Helper()
	subscription := w.do("POST", "/api/v3.1/webhook_subscriptions", `{"webhook_url":"`+w.provider.URL+`/sink","enabled_events":["composio.trigger.message"]}`)
	id := w.want(subscription, "id")
	w.once("subscription secret", w.want(subscription, "secret"))
	w.once("subscription secret", w.want(w.do("POST", "/api/v3.1/webhook_subscriptions/"+id+"/rotate_secret", ""), "secret"))

	config := w.config("API_KEY", "")
	w.do("POST", "/api/v3.1/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"watcher","state":{"authScheme":"API_KEY","val":{"status":"ACTIVE","api_key":"`+
		w.secret("watching key")+`"}}}}`)
	trigger := w.do("POST", "/api/v3.1/trigger_instances/LEAKY_WEBHOOK_RECEIVED/upsert", `{"user_id":"watcher","trigger_config":{"verify":"token","signature_header":"X-Token"}}`)
	address, token := w.want(trigger, "webhook_url"), w.want(trigger, "webhook_secret")
	w.once("trigger secret", token)
	endpoint := w.do("POST", "/api/v3.1/webhook_endpoints", `{"toolkit_slug":"leaky","client_id":"`+config+`"}`)
	path := "/api/v3.1/webhook_endpoints/" + w.want(endpoint, "id")
	w.do("PATCH", path, `{"data":{"webhook_signing_secret":"`+w.secret("signing secret")+`"}}`)
	w.do("PATCH", path, `{"data":{"webhook_signing_secret":["`+w.secret("signing secret")+`"]}}`)
	w.do("GET", path, "")
	w.do("GET", "/api/v3.1/webhook_endpoints", "")

	for _, call := range []struct{ address, token string }{{address, w.secret("wrong token")}, {w.want(endpoint, "webhook_url"), token}, {address, token}} {
		req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, call.address, strings.NewReader(`{"happened":"something"}`))
		if err != nil {
			w.Fatal(err)
		}
		req.Header.Set("X-Token", call.token)
		req.Header.Set("Authorization", "Bearer "+call.token)
		w.send(req)
	}
	select {
	case <-w.sunk:
	case <-time.After(20 * time.Second):
		w.Fatal("the event was not delivered")
	}
	w.do("GET", "/api/v3.1/webhook_subscriptions/"+id+"/deliveries", "")
	w.do("GET", "/api/v3.1/events?cursor=0", "")
	w.do("GET", "/api/v3.1/trigger_instances/active", "")
	w.do("DELETE", "/api/v3.1/webhook_subscriptions/"+id, "")
}

// useLogins signs a person in with a personal key, and a program in their name.
func (w *leakWorld) useLogins() {
	w.Helper()
	keys, err := app.OpenKeys(w.Context(), load(w.T, w.data))
	if err != nil {
		w.Fatal(err)
	}
	defer keys.Close()
	_, key, err := keys.Create(w.Context(), "for a person", "ann")
	if err != nil || !strings.HasPrefix(key.Reveal(), "ck_") {
		w.Fatalf("no personal key: %v", err)
	}
	w.once("personal key", key.Reveal())

	person, program := newBrowser(w.T), newProgram(w.T, w.server.URL(), "http://127.0.0.1:4711/cb")
	signIn := person.get(program.request())
	person.submit(signIn, "sign-in", "key", "ck_"+w.secret("mistyped personal key"))
	code := person.answer(program.request(), key.Reveal(), "allow").Query().Get("code")
	got := program.tokens(code)
	w.once("verifier of a login", verifier)
	w.once("code of a login", code)
	w.once("access token of a login", got.Access)
	w.once("refresh token of a login", got.Refresh)
	at, err := url.Parse(w.server.URL())
	if err != nil {
		w.Fatal(err)
	}
	for _, cookie := range person.client.Jar.Cookies(at) {
		w.once("cookie "+cookie.Name, cookie.Value)
	}

	for range 2 { // the second time the refresh token is spent, and the grant ends
		renewed := w.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {program.id}, "refresh_token": {got.Refresh}})
		if text, ok := renewed["access_token"].(string); ok {
			w.once("access token of a login", text)
		}
		if text, ok := renewed["refresh_token"].(string); ok {
			w.once("refresh token of a login", text)
		}
	}
	w.token(url.Values{"grant_type": {"authorization_code"}, "client_id": {program.id}, "code": {w.secret("wrong code")}, "code_verifier": {w.secret("wrong verifier")}, "redirect_uri": {program.redirect}})
	w.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {program.id}, "refresh_token": {w.secret("wrong refresh token")}})
	for _, bearer := range []string{key.Reveal(), got.Access, got.Refresh, w.secret("wrong access token")} {
		req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.server.URL()+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
		if err != nil {
			w.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + bearer}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
		w.send(req)
	}
}

// token asks the server for tokens.
func (w *leakWorld) token(form url.Values) map[string]any {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.server.URL()+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, text := w.send(req)
	return object(text)
}

// useSilence calls a provider that begins to repeat what it was sent and never comes to the end, until the caller has enough of it.
func (w *leakWorld) useSilence() {
	w.Helper()
	config := w.config("API_KEY", "")
	made := w.do("POST", "/api/v3.1/connected_accounts", `{"auth_config":{"id":"`+config+`"},"connection":{"user_id":"patient","state":{"authScheme":"API_KEY","val":{"status":"ACTIVE","api_key":"`+
		w.secret("waiting key")+`"}}}}`)
	account := w.want(made, "id")
	w.mood.Store("hang")
	defer w.mood.Store("")
	for path, body := range map[string]string{
		"/api/v3.1/tools/execute/LEAKY_GET_THING": `{"connected_account_id":"` + account + `","user_id":"patient","arguments":{"name":"a"}}`,
		"/api/v3.1/tools/execute/proxy":           `{"connected_account_id":"` + account + `","endpoint":"/things/p","method":"GET"}`,
	} {
		ctx, leave := context.WithCancel(w.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL()+path, strings.NewReader(body))
		if err != nil {
			w.Fatal(err)
		}
		req.Header = http.Header{"X-Api-Key": {operatorsKey}, "Content-Type": {"application/json"}}
		left := make(chan error, 1)
		go func() {
			resp, err := w.browser.Do(req)
			if err == nil {
				resp.Body.Close()
			}
			left <- err
		}()
		select {
		case <-w.hung:
		case err := <-left:
			w.Fatalf("%s did not wait for the provider: %v", path, err)
		}
		leave()
		<-left
	}
}
