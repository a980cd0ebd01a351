package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/imports"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/toolsync"
)

// TestQueryPlans asks SQLite how it runs every statement: never by reading a whole table, and never by sorting what a list
// is ordered by.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	s := openForTest(t)
	spy := &spy{database: s.db}
	s.db = spy
	callEverything(t, s)

	if len(spy.seen) < 40 {
		t.Fatalf("only %d statements were seen", len(spy.seen))
	}
	reader := spy.database.reader()
	for query, args := range spy.seen {
		if strings.HasPrefix(query, "SELECT COUNT(*) FROM ") && !strings.Contains(query, "WHERE") {
			continue // all rows are wanted
		}
		plan := explain(t, reader, query, args)
		for _, step := range plan {
			if strings.HasPrefix(step, "SCAN") || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s\n\tis run as:\n\t%s", query, strings.Join(plan, "\n\t"))
			}
		}
	}
}

// callEverything calls each method of the Store in each way that makes another query. What comes out does not matter here.
func callEverything(t *testing.T, s *Store) {
	ctx, now := t.Context(), time.Now()
	yes := true
	s.KeyByHash(ctx, "")
	s.ListKeys(ctx, "")
	s.RevokeKey(ctx, "", "", now)
	s.Keyset(ctx, "")
	s.Settings(ctx, "")
	s.UpdateSettings(ctx, "", func(*tenant.Settings) error { return nil })

	s.StoredToolkits(ctx)
	s.CreateToolkit(ctx, catalog.Stored{}, []byte{})
	s.PutToolkit(ctx, catalog.Stored{}, []byte{})
	s.ToolkitDocument(ctx, "", "", "")
	s.DeleteToolkitVersions(ctx, "", "", "")
	s.PutToolkitPin(ctx, catalog.Pin{Version: "v"})
	s.StoredToolkitsOf(ctx, "")
	s.ToolkitPins(ctx)
	s.ToolkitPinsOf(ctx, "")
	s.PutWatch(ctx, toolsync.Watch{})
	s.Watch(ctx, "", "")
	s.Watches(ctx, "")
	s.HastenWatch(ctx, "", "", now)
	s.ClaimWatches(ctx, job.Lease{}, 1)
	s.RenewWatch(ctx, job.Lease{}, toolsync.Watch{})
	s.NextWatch(ctx, now)
	s.FinishWatch(ctx, job.Lease{}, toolsync.Watch{}, nil)
	s.DeleteWatch(ctx, "", "")

	s.CreateImport(ctx, imports.Import{ID: "imp", DueAt: now}, nil)
	s.Import(ctx, "", "imp")
	s.Imports(ctx, "")
	s.ImportDescription(ctx, "", "imp")
	s.ClaimImports(ctx, job.Lease{Now: now, Until: now}, 1)
	s.RenewImport(ctx, job.Lease{}, imports.Import{})
	s.NextImport(ctx, now)
	s.ProgressImport(ctx, job.Lease{}, imports.Import{})
	s.SettleImport(ctx, job.Lease{}, imports.Import{})
	s.DeleteImport(ctx, "", "imp")
	s.DeleteImportsBefore(ctx, now)

	s.CreateAuthConfig(ctx, connect.AuthConfig{ID: "ac"})
	s.UpdateAuthConfig(ctx, "", "ac", func(*connect.AuthConfig) error { return nil })
	s.CreateAccount(ctx, connect.ConnectedAccount{ID: "ca"})
	s.UpdateAccount(ctx, "", "ca", func(*connect.ConnectedAccount) error { return nil })
	s.CreateRequest(ctx, connect.ConnectionRequest{TokenHash: "r", AccountID: "ca"})
	s.UpdateRequest(ctx, "r", func(*connect.ConnectionRequest) error { return nil })
	s.CreateSession(ctx, session.Session{ID: "trs"})
	s.UpdateSession(ctx, "", "trs", func(*session.Session) error { return nil })

	for _, cursor := range []string{"", formatCursor(1, "x")} {
		s.ListAuthConfigs(ctx, "", connect.AuthConfigFilter{Limit: 1, Cursor: cursor})
		s.ListAuthConfigs(ctx, "", connect.AuthConfigFilter{Limit: 1, Cursor: cursor, Toolkits: []string{"a"}, ForSessions: true})
		s.ListAuthConfigs(ctx, "", connect.AuthConfigFilter{Limit: 1, Cursor: cursor, Managed: &yes, Search: "a"})
		for _, updated := range []bool{true, false} {
			for _, ascending := range []bool{true, false} {
				s.ListAccounts(ctx, "", connect.AccountFilter{Limit: 1, Cursor: cursor, OrderUpdated: updated, Ascending: ascending})
			}
		}
		s.ListAccounts(ctx, "", connect.AccountFilter{Limit: 1, Cursor: cursor, AuthConfigIDs: []string{"a"}})
		s.ListAccounts(ctx, "", connect.AccountFilter{Limit: 1, Cursor: cursor, UserIDs: []string{"a"}, Toolkits: []string{"b"}, Statuses: []connect.Status{"c", "d"}})
		s.ListSessions(ctx, "", session.Filter{Limit: 1, Cursor: cursor})
		s.ListSessions(ctx, "", session.Filter{Limit: 1, Cursor: cursor, UserIDs: []string{"a"}})
		s.ListSessions(ctx, "", session.Filter{Limit: 1, Cursor: cursor, Search: "a"})
		s.Revisions(ctx, "", "trs", 1, cursor)
	}
	s.AccountsToRefresh(ctx, connect.DueFilter{Limit: 1})
	s.ClaimRefresh(ctx, "", "ca", "", connect.Lease{})
	s.RenewRefresh(ctx, "", "ca", "")
	s.ReleaseRefresh(ctx, "", "ca", "", connect.Retry{})
	s.releaseAll(ctx)
	s.RequestByState(ctx, "")
	s.RequestByClaim(ctx, "", "")
	s.ExpireRequests(ctx, now, now, "")
	s.UpdateMemory(ctx, session.MemoryKey{SessionID: "trs"}, now, func(*session.Memory) {})
	s.DeleteMemoriesBefore(ctx, now)
	s.SessionByToken(ctx, "")
	s.NewestSession(ctx, "", "")
	s.DeleteSession(ctx, "", "trs")
	s.DeleteExpiredSessions(ctx, now)
	s.DeleteAccount(ctx, "", "ca")
	s.DeleteAuthConfig(ctx, "", "ac")

	s.CreateOAuthClient(ctx, authserver.Client{ID: "oc"}, 1)
	s.OAuthClient(ctx, "oc")
	s.CreateGrant(ctx, authserver.Grant{ID: "og"})
	s.RevokeKey(ctx, "", "key", now)
	s.GrantByCode(ctx, "")
	s.RedeemCode(ctx, authserver.Grant{ID: "og"}, []authserver.Token{{Hash: "t", GrantID: "og"}}, now)
	s.RotateToken(ctx, authserver.Token{Hash: "t", GrantID: "og"}, []authserver.Token{{Hash: "u", GrantID: "og"}}, now)
	s.TokenByHash(ctx, "t")
	s.DeleteToken(ctx, authserver.Token{Hash: "t"})
	s.RevokeGrant(ctx, "", "og", "", now)
	s.CreateLogin(ctx, authserver.Login{})
	s.LoginByHash(ctx, "", now)
	s.DeleteLogin(ctx, "")
	for _, user := range []string{"", "ada"} {
		s.ListGrants(ctx, "", user, now)
		s.RevokeGrants(ctx, "", user, "", now)
		s.DeleteLogins(ctx, "", user)
	}
	s.SweepOAuth(ctx, now, now, now)

	s.AppendLogs(ctx, []execute.LogEntry{{ID: "log"}})
	s.Log(ctx, "", "log")
	s.DeleteLogsBefore(ctx, now)
	s.BeginIdempotent(ctx, "", "", "", now)
	s.BeginIdempotent(ctx, "", "", "", now)
	s.FinishIdempotent(ctx, "", "", nil)
	s.DropIdempotent(ctx, "", "")
	s.DeleteIdempotentBefore(ctx, now)

	sub := event.Subscription{ID: "ws"}
	s.CreateSubscription(ctx, sub)
	s.AppendEvents(ctx, []event.Event{{ProjectID: "pr", Key: "k", Type: "t"}})
	s.Event(ctx, "", "msg")
	s.EventsAfter(ctx, "", 0, 1)
	s.LastPosition(ctx, "")
	s.Redeliver(ctx, "", "ws", []int64{1})
	for _, cursor := range []string{"", formatCursor(1, "x")} {
		s.ListSubscriptions(ctx, "", event.SubscriptionFilter{Limit: 1, Cursor: cursor})
		s.ListDeliveries(ctx, "", "ws", event.DeliveryFilter{Limit: 1, Cursor: cursor, Status: event.Dead})
		s.DeadDeliveries(ctx, time.Time{})
		s.ListDeliveries(ctx, "", "ws", event.DeliveryFilter{Limit: 1, Cursor: cursor})
	}
	s.EventsLogged(ctx, "", "ws", event.Replay{From: now, To: now}, 0, 1)
	s.EventsLogged(ctx, "", "ws", event.Replay{From: now, To: now, DeadOnly: true}, 0, 1)
	s.NextDelivery(ctx, now)
	s.ClaimSubscriptions(ctx, "", now, now, 1)
	s.RenewSubscription(ctx, "", "ws", "", now)
	s.DueDeliveries(ctx, sub, "", now, 1)
	s.SettleDelivery(ctx, event.Delivery{})
	s.GiveUpDeliveries(ctx, "", "ws", now)
	s.SettleSubscription(ctx, sub, "")
	s.UpdateSubscription(ctx, "", "ws", func(*event.Subscription) error { return nil })
	s.DeleteSubscription(ctx, "", "ws")
	s.DeleteEventsBefore(ctx, now)

	s.ForgetDeletedBefore(ctx, now)
	s.WipeRequestsBefore(ctx, now)
	s.Keysets(ctx)
	s.ReplaceKeyset(ctx, nil, secret.Keyset{})
	s.BeginRotation(ctx)
	s.FinishRotation(ctx, now)
	s.Reseal(ctx, func(Resealing) {})
}

// spy notes every statement that a database is given.
type spy struct {
	database
	mu   sync.Mutex
	seen map[string][]any
}

func (s *spy) reader() queryer { return spyingQueryer{s.database.reader(), s} }

func (s *spy) listReader() queryer { return spyingQueryer{s.database.listReader(), s} }

func (s *spy) write(ctx context.Context, f func(*tx) error) error {
	return s.database.write(ctx, func(t *tx) error {
		t.queryer = spyingQueryer{t.queryer, s}
		return f(t)
	})
}

func (s *spy) note(query string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = make(map[string][]any)
	}
	s.seen[query] = args
}

type spyingQueryer struct {
	queryer
	spy *spy
}

func (q spyingQueryer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	q.spy.note(query, args)
	return q.queryer.ExecContext(ctx, query, args...)
}

func (q spyingQueryer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	q.spy.note(query, args)
	return q.queryer.QueryContext(ctx, query, args...)
}

func (q spyingQueryer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	q.spy.note(query, args)
	return q.queryer.QueryRowContext(ctx, query, args...)
}

// harmless are steps that look like a scan and are none.
var harmless = []string{
	"SCAN CONSTANT ROW", // SELECT without FROM
	"SCAN keysets USING INDEX sqlite_autoindex_keysets_1",               // all of them are wanted
	"SCAN oauth_clients USING COVERING INDEX oauth_clients_unused",      // has only those that nobody used, and a bounded number of them
	"SCAN a USING INDEX connected_accounts_pending",                     // the index has only the accounts that are being connected
	"SCAN connected_accounts USING INDEX connected_accounts_leased",     // and this one those that are being refreshed
	"SCAN webhook_subscriptions USING INDEX webhook_subscriptions_held", // and these what a node is at work on
	"SCAN trigger_instances USING INDEX trigger_instances_held",
	"SCAN mcp_watches USING INDEX mcp_watches_held",
}

// explain gives the steps in which a statement is run.
func explain(t *testing.T, q queryer, query string, args []any) []string {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	return slices.DeleteFunc(steps, func(step string) bool { return slices.Contains(harmless, step) })
}

// openForTest opens a store of the test's own. Tests outside of this package use storetest.Open.
func openForTest(t *testing.T) *Store {
	t.Helper()
	key := secret.NewMasterKey()
	s, err := Open(t.Context(), Options{
		Database:  filepath.Join(t.TempDir(), "patchbay.db"),
		MasterKey: func(context.Context, bool) ([]secret.Wrapper, error) { return []secret.Wrapper{key}, nil },
		Bus:       new(notify.Bus),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
