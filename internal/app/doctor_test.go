package app_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	slowClock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}))
	t.Cleanup(slowClock.Close)
	notOurs := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(notOurs.Close)

	for name, tc := range map[string]struct {
		environ []string
		before  func(t *testing.T, data string)
		check   string
		want    app.Verdict
		message string
		fix     string
	}{
		"nothing is there yet": {check: "database", want: app.Fine, message: "the first start makes it"},
		"a server was here": {
			before: func(t *testing.T, data string) { stop(t, start(t, load(t, data))) },
			check:  "API keys", want: app.Fine, message: "2 work, 0 are revoked",
		},
		"one is running": {
			before: func(t *testing.T, data string) { start(t, load(t, data)) },
			check:  "database", want: app.Fine, message: "SQLite in",
		},
		"the master key is lost": {
			before: func(t *testing.T, data string) {
				stop(t, start(t, load(t, data)))
				if err := os.Remove(data + "/master.key"); err != nil {
					t.Fatal(err)
				}
			},
			check: "database", want: app.Problem, message: "is missing", fix: "backup",
		},
		"others can look into the data": {
			before: func(t *testing.T, data string) {
				if err := os.Chmod(data, 0o755); err != nil {
					t.Fatal(err)
				}
			},
			check: "data directory", want: app.Warning, message: "0755", fix: "chmod 700",
		},
		"a variable with a typo": {
			environ: []string{"PATCHBAY_PUBLIC_URI=https://a.example"}, check: "settings", want: app.Warning, message: "PATCHBAY_PUBLIC_URL",
		},
		"a private destination that is not allowed": {
			environ: []string{"PATCHBAY_TOOLKITS_HACKERNEWS_BASE_URL=http://127.0.0.1:9"},
			check:   "outbound", want: app.Problem, message: "hackernews: http://127.0.0.1:9 is refused", fix: `add "127.0.0.1:9" to outbound.allow`,
		},
		"an allowed one that answers": {
			environ: []string{"PATCHBAY_TOOLKITS_HACKERNEWS_BASE_URL=" + slowClock.URL, "PATCHBAY_OUTBOUND_ALLOW=127.0.0.1"},
			check:   "outbound", want: app.Fine, message: "can be reached",
		},
		"a public URL with another clock": {
			environ: []string{"PATCHBAY_PUBLIC_URL=" + slowClock.URL}, check: "clock", want: app.Problem, message: " away from", fix: "NTP",
		},
		"a public URL that leads elsewhere": {
			environ: []string{"PATCHBAY_PUBLIC_URL=" + notOurs.URL}, check: "public URL", want: app.Problem, message: "answers 404", fix: "proxy",
		},
		"a public URL without TLS": {
			environ: []string{"PATCHBAY_PUBLIC_URL=http://bay.invalid"}, check: "public URL", want: app.Warning, message: "no TLS", fix: "https",
		},
		"a port that is taken": {
			environ: []string{"PATCHBAY_LISTEN=" + strings.TrimPrefix(notOurs.URL, "http://")},
			check:   "server", want: app.Problem, message: "Cannot listen", fix: "another address",
		},
		"an OAuth app for a toolkit without OAuth": {
			environ: []string{"PATCHBAY_TOOLKITS_HACKERNEWS_OAUTH2_CLIENT_ID=i", "PATCHBAY_TOOLKITS_HACKERNEWS_OAUTH2_CLIENT_SECRET=s"},
			check:   "toolkits", want: app.Warning, message: "does not sign in by OAuth",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			if err := os.Chmod(data, 0o700); err != nil {
				t.Fatal(err)
			}
			if tc.before != nil {
				tc.before(t, data)
			}
			findings := app.Diagnose(t.Context(), app.Options{Config: load(t, data, tc.environ...), Toolkits: hackerNews()})
			for _, f := range findings {
				if f.Check == tc.check && f.Verdict == tc.want && strings.Contains(f.Message, tc.message) && strings.Contains(f.Fix, tc.fix) {
					return
				}
			}
			t.Errorf("no %s of %s that says %q in %+v", tc.want, tc.check, tc.message, findings)
		})
	}
}
