package app

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestForwardedHeadersOfStrangersAreDropped(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for remote, believed := range map[string]bool{
		"10.1.2.3:999":          true,
		"[::1]:999":             true,
		"[::ffff:10.1.2.3]:999": true, // the same proxy on a dual-stack listener
		"11.1.2.3:999":          false,
		"[::2]:999":             false,
		"nonsense":              false,
	} {
		t.Run(remote, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = remote
			r.Header.Set("X-Forwarded-Host", "evil.example")
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("X-Request-Id", "req_1")
			trustProxies(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("X-Forwarded-Host") != "" && r.Header.Get("X-Forwarded-Proto") != ""; got != believed {
					t.Errorf("believed: %v, want %v", got, believed)
				}
				if r.Header.Get("X-Request-Id") == "" {
					t.Error("another header was lost")
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}
