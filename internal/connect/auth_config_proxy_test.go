package connect_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// proxyBefore plays an HTTP proxy that lets through whoever has the key, and gives the paths that it forwarded.
func proxyBefore(t *testing.T, auth string) (*httptest.Server, func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	forwarded := map[string]int{}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != auth {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		mu.Lock()
		forwarded[r.URL.Path]++
		mu.Unlock()
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server, func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return forwarded
	}
}

func TestProxyOfAnAuthConfigIsUsedForEverything(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	proxy, forwarded := proxyBefore(t, "Basic dXNlcjpwYXNz") // user:pass
	c := b.oauthConfig("acme")
	withKey := "http://user:pass@" + proxy.Listener.Addr().String()
	_, err := b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{ProxyURL: &withKey})
	must(t, err)

	a := b.connected(c, "user_1", ann)
	b.clock.Move(time.Hour)
	cred, err := b.Credential(b.ctx, b.caller, a)
	must(t, err)
	want, err := outbound.ParseProxy(proxy.URL, secret.Hide("user:pass"))
	must(t, err)
	if cred.Proxy != want {
		t.Errorf("calls would not go through the proxy: %v", cred.Proxy)
	}
	_, _, err = b.RevokeAccount(b.ctx, b.caller, a.ID)
	must(t, err)
	got := forwarded()
	for _, path := range []string{"/token", "/me", "/revoke"} {
		if n := len(b.provider.Requests(path)); n == 0 || got[path] != n {
			t.Errorf("%s: %d of %d requests came through the proxy", path, got[path], n)
		}
	}
}

func TestProxyKeyIsASecretOfItsAddress(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c, err := b.CreateAuthConfig(b.ctx, b.caller, connect.NewAuthConfig{
		Toolkit: "acme", Credentials: fields("client_id", "i", "client_secret", "s"), ProxyURL: "https://user:pass@proxy.example:3128",
	})
	must(t, err)
	if c.ProxyURL != "https://proxy.example:3128" || c.ProxyKey != secret.Hide("user:pass") {
		t.Errorf("the shown address is %s", c.ProxyURL)
	}
	patch := func(address, key string) (connect.AuthConfig, error) {
		return b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{ProxyURL: &address, ProxyKey: &key})
	}
	same, err := patch("https://proxy.example:3128", connect.Redacted)
	if err != nil || same.ProxyKey != c.ProxyKey {
		t.Errorf("the key did not outlive an update that repeats what was shown: %v", err)
	}
	_, err = patch("https://elsewhere.example", connect.Redacted)
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "proxy_auth_key")
	_, err = patch("ftp://elsewhere.example", "")
	wantFault(t, err, fault.Invalid, fault.SlugAuthConfigInvalid, "proxy_url")
	none, err := patch("", "")
	if err != nil || none.ProxyURL != "" || !none.ProxyKey.Empty() {
		t.Errorf("the proxy did not go: %v", err)
	}
}

// A proxy is an address that whoever has a project's key can set.
func TestPrivateProxyIsRefused(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	c := b.oauthConfig("acme")
	private := "http://169.254.169.254"
	_, err := b.UpdateAuthConfig(b.ctx, b.caller, c.ID, connect.AuthConfigPatch{ProxyURL: &private})
	must(t, err)
	l := b.link(connect.NewLink{AuthConfigID: c.ID})
	step := b.signIn(l, ann)
	if step.View.Status != connect.Failed || len(b.provider.Requests("/token")) > 0 {
		t.Errorf("the sign-in ended with %+v", step.View)
	}
}
