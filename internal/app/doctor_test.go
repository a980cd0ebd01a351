package app_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/tenant"
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
		"nothing waits": {
			before: func(t *testing.T, data string) { stop(t, start(t, load(t, data))) },
			check:  "due work", want: app.Fine, message: "nothing waits for more than 5m",
		},
		"a toolkit that cannot be used": {
			before: func(t *testing.T, data string) {
				inDatabase(t, data, time.Now(), func(db *store.Store) error {
					return db.PutToolkit(t.Context(), catalog.Stored{Slug: "broken", Version: "20260101_00", Origin: catalog.OriginAdded, Form: catalog.FormDefinition}, []byte(`{`))
				})
			},
			check: "added toolkits", want: app.Problem, message: "broken (version 20260101_00) is left out", fix: "patchbay toolkit remove broken",
		},
		"a project's toolkit that cannot be used": {
			before: func(t *testing.T, data string) {
				inDatabase(t, data, time.Now(), func(db *store.Store) error {
					return db.PutToolkit(t.Context(), catalog.Stored{ProjectID: "pr_1", Slug: "broken", Version: "20260101_00", Form: catalog.FormDefinition}, []byte(`{`))
				})
			},
			check: "added toolkits", want: app.Problem, message: "of project pr_1 is left out", fix: "custom/toolkits",
		},
		"a rotation that was broken off": {
			before: func(t *testing.T, data string) {
				inDatabase(t, data, time.Now(), func(db *store.Store) error {
					_, err := db.BeginRotation(t.Context())
					return err
				})
			},
			check: "key rotation", want: app.Warning, message: "is not done", fix: "patchbay secrets rotate",
		},
		"deliveries that were given up": {
			before: func(t *testing.T, data string) { withDelivery(t, data, time.Now().Add(-25*time.Hour), true) },
			check:  "webhooks", want: app.Warning, message: "1 deliveries were given up", fix: "ws_1/replay",
		},
		"deliveries that were given up, told by the server that runs": {
			before: func(t *testing.T, data string) {
				withDelivery(t, data, time.Now().Add(-25*time.Hour), true)
				start(t, load(t, data))
			},
			check: "webhooks", want: app.Warning, message: "msg_1 of subscription ws_1 in project pr_1", fix: "ws_1/replay",
		},
		"deliveries that were given up long ago": {
			before: func(t *testing.T, data string) { withDelivery(t, data, time.Now().Add(-8*24*time.Hour), true) },
			check:  "webhooks", want: app.Fine, message: "no delivery was given up",
		},
		"work for a server that does not run": {
			before: func(t *testing.T, data string) { withDelivery(t, data, time.Now().Add(-time.Hour), false) },
			check:  "due work", want: app.Fine, message: "webhook deliveries wait since",
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

// inDatabase changes the database of a server that does not run, at a time.
func inDatabase(t *testing.T, data string, now time.Time, change func(*store.Store) error) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{
		Database: data + "/patchbay.db", MasterKey: secret.KeyFile(data + "/master.key"), Bus: &notify.Bus{}, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(change(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// withDelivery leaves a delivery that became due at a time, and was given up when its day was over.
func withDelivery(t *testing.T, data string, due time.Time, givenUp bool) {
	t.Helper()
	ctx := t.Context()
	inDatabase(t, data, due, func(db *store.Store) error {
		_, made := db.EnsureProject(ctx, tenant.Project{ID: "pr_1", Name: "pr_1", CreatedAt: due})
		subscribed := db.CreateSubscription(ctx, event.Subscription{
			ID: "ws_1", ProjectID: "pr_1", URL: "https://receiver.invalid", Payload: event.V3, Status: event.Enabled, Secret: secret.Hide("whsec_1"), CreatedAt: due,
		})
		_, logged := db.AppendEvents(ctx, []event.Event{{ID: "msg_1", ProjectID: "pr_1", Key: "1", Type: event.TriggerMessage, CreatedAt: due, Data: []byte(`{}`)}})
		err := errors.Join(made, subscribed, logged)
		if err == nil && givenUp {
			_, err = db.GiveUpDeliveries(ctx, "pr_1", "ws_1", due.Add(event.DeliverFor+time.Second))
		}
		return err
	})
}
