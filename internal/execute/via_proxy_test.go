package execute_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync/atomic"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestCallsGoThroughTheProxyOfTheirAuthConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, `{"id":1}`) })
	var forwarded atomic.Int32
	forward := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) { forwarded.Add(1) }}
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Bearer right" {
			rw.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		forward.ServeHTTP(rw, r)
	}))
	t.Cleanup(proxy.Close)
	use := func(key string) {
		var err error
		if w.accounts.proxy, err = outbound.ParseProxy(proxy.URL, secret.Hide(key)); err != nil {
			t.Fatal(err)
		}
	}
	raw := execute.ProxyCall{Toolkit: w.toolkit, Method: "GET", Endpoint: "/things/1", Select: w.call("GET_THING", `{}`).Select}

	use("right")
	if res := w.run("GET_THING", `{"id":"1"}`); res.Error != "" {
		t.Errorf("the call failed: %s", res.Error)
	}
	if res, err := w.Proxy(t.Context(), caller, raw); err != nil || res.Status != http.StatusOK {
		t.Errorf("the raw request failed: %v", err)
	}
	w.wantRequests(2)
	if n := forwarded.Load(); n != 2 {
		t.Errorf("%d of 2 requests came through the proxy", n)
	}

	use("wrong")
	if _, err := w.Proxy(t.Context(), caller, raw); !fault.Is(err, fault.Upstream) {
		t.Errorf("a proxy that refuses: %v", err)
	}
	w.wantRequests(2)
}
