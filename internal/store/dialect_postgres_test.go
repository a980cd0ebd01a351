package store_test

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/postgrestest"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	empty := postgrestest.Start(t)
	storetest.Run(t, empty)
	for name, test := range map[string]func(*testing.T, string){
		"nodes start together":               nodesStartTogether,
		"nodes hear of each other's changes": nodesHear,
		"a change too long for one message":  nodesHearLong,
		"one rotates the keys of all":        nodesRotate,
		"a lost link is mended":              nodesReconnect,
		"a deadlock is tried again":          postgresDeadlock,
		"the wrong schema is named":          postgresNoSchema,
		"an outage is unavailability":        postgresOutage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, empty(t))
		})
	}
}

// node is one of several servers on a database.
type node struct {
	*store.Store
	news chan notify.Change
}

func startNode(t *testing.T, database string, key secret.MasterKey) (*node, error) {
	n := &node{news: make(chan notify.Change, 1000)}
	bus := new(notify.Bus)
	bus.Subscribe(func(c notify.Change) { n.news <- c })
	var err error
	n.Store, err = store.Open(t.Context(), store.Options{Database: database, MasterKey: storetest.Key(key), Bus: bus})
	if err == nil {
		t.Cleanup(func() { n.Close() })
	}
	return n, err
}

// startNodes starts two.
func startNodes(t *testing.T, database string) (a, b *node) {
	t.Helper()
	key := secret.NewMasterKey()
	a, err := startNode(t, database, key)
	if err != nil {
		t.Fatal(err)
	}
	b, err = startNode(t, database, key)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// hear gives the next changes that a node is told of.
func (n *node) hear(t *testing.T, count int) []notify.Change {
	t.Helper()
	var changes []notify.Change
	for range count {
		select {
		case c := <-n.news:
			changes = append(changes, c)
		case <-t.Context().Done():
			t.Fatalf("heard %v only", changes)
		case <-time.After(time.Minute): // never, unless the test fails
			t.Fatalf("heard %v only", changes)
		}
	}
	return changes
}

func nodesStartTogether(t *testing.T, database string) {
	key := secret.NewMasterKey()
	var nodes sync.WaitGroup
	for i := range 6 {
		nodes.Go(func() {
			n, err := startNode(t, database, key)
			if err == nil {
				err = n.CreateAccount(t.Context(), connect.ConnectedAccount{
					ID: fmt.Sprintf("ca_%d", i), ProjectID: "pr_1", Values: connect.Fields{"a": secret.Hide("b")},
				})
			}
			if err == nil {
				_, _, err = n.ListAccounts(t.Context(), "pr_1", connect.AccountFilter{}) // sealed with one keyset
			}
			if err != nil {
				t.Errorf("node %d: %v", i, err)
			}
		})
	}
	nodes.Wait()
}

func nodesHear(t *testing.T, database string) {
	a, b := startNodes(t, database)
	ctx := t.Context()
	for _, err := range []error{
		a.CreateAuthConfig(ctx, connect.AuthConfig{ID: "ac_1", ProjectID: "pr_1"}),
		a.CreateAccount(ctx, connect.ConnectedAccount{ID: "ca_1", ProjectID: "pr_1", UserID: "ann", AuthConfigID: "ac_1"}),
		a.CreateSession(ctx, session.Session{ID: "trs_1", ProjectID: "pr_1", Version: 1}),
		a.DeleteSession(ctx, "pr_1", "trs_1"),
		a.DeleteAuthConfig(ctx, "pr_1", "ac_1"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []notify.Change{
		{Kind: notify.AuthConfig, ID: "ac_1"},
		{Kind: notify.ConnectedAccount, ID: "ca_1", Owner: "ann"},
		{Kind: notify.Session, ID: "trs_1"},
		{Kind: notify.ConnectedAccount, ID: "ca_1", Owner: "ann"},
		{Kind: notify.AuthConfig, ID: "ac_1"},
	}
	if diff := cmp.Diff(want, b.hear(t, len(want))); diff != "" {
		t.Errorf("the other node (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, a.hear(t, len(want))); diff != "" {
		t.Errorf("the node itself (-want +got):\n%s", diff)
	}

	if err := b.CreateAuthConfig(ctx, connect.AuthConfig{ID: "ac_2", ProjectID: "pr_1"}); err != nil {
		t.Fatal(err)
	}
	// Each heard once: a heard nothing of its own a second time before it hears of b's.
	if got := a.hear(t, 1)[0]; got.ID != "ac_2" {
		t.Errorf("a heard %v, want news of ac_2", got)
	}
	if got := b.hear(t, 1)[0]; got.ID != "ac_2" {
		t.Errorf("b heard %v, want news of ac_2", got)
	}
	_, err := a.UpdateAuthConfig(ctx, "pr_1", "ac_2", func(*connect.AuthConfig) error { return fault.New(fault.Invalid, "", "no") })
	if err == nil {
		t.Fatal("a refused update went through")
	}
	if err := a.DeleteAuthConfig(ctx, "pr_1", "ac_2"); err != nil { // so that there is something to hear
		t.Fatal(err)
	}
	b.hear(t, 1)
	select {
	case c := <-b.news:
		t.Errorf("b heard of what did not happen: %v", c)
	default:
	}
}

// nodesRotate lets one node rotate while the other writes: each opens what the other sealed, and nothing is left under the old
// keys when both have heard of it.
func nodesRotate(t *testing.T, database string) {
	a, b := startNodes(t, database)
	ctx := t.Context()
	account := func(id string) connect.ConnectedAccount {
		return connect.ConnectedAccount{ID: id, ProjectID: "pr_1", UserID: "ann", Values: connect.Fields{"a": secret.Hide("of " + id)}}
	}
	for i := range 100 {
		if err := a.CreateAccount(ctx, account(fmt.Sprintf("ca_%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	written := make(chan error, 1)
	half := make(chan struct{})
	go func() {
		for i := range 200 {
			if err := b.CreateAccount(ctx, account(fmt.Sprintf("cb_%d", i))); err != nil {
				written <- err
				return
			}
			if i == 50 {
				close(half)
			}
		}
		written <- nil
	}()
	<-half
	began, err := a.BeginRotation(ctx)
	if err == nil {
		_, err = a.Keyring().Rotate(ctx, began)
	}
	if err == nil {
		err = <-written
	}
	if err == nil {
		err = a.Reseal(ctx, func(store.Resealing) {})
	}
	if err != nil {
		t.Fatal(err)
	}
	if left, err := b.SealedWithOldKeys(ctx); err != nil || left != 0 {
		t.Errorf("%d values are sealed with old keys: %v", left, err)
	}
	for name, node := range map[string]*node{"the node that rotated": a, "the other node": b} {
		if accounts, _, err := node.ListAccounts(ctx, "pr_1", connect.AccountFilter{}); err != nil || len(accounts) != 300 {
			t.Errorf("%s reads %d accounts: %v", name, len(accounts), err)
		}
	}
	if err := b.CreateAccount(ctx, account("ca_last")); err != nil { // it has heard of the new keys, or looks
		t.Fatal(err)
	}
	if left, err := a.SealedWithOldKeys(ctx); err != nil || left != 0 {
		t.Errorf("the other node goes on sealing with an old key: %d values, %v", left, err)
	}
}

func nodesHearLong(t *testing.T, database string) {
	a, b := startNodes(t, database)
	ctx := t.Context()
	if err := a.CreateAuthConfig(ctx, connect.AuthConfig{ID: "ac_1", ProjectID: "pr_1"}); err != nil {
		t.Fatal(err)
	}
	const accounts = 300
	for i := range accounts {
		user := fmt.Sprintf("user-%d-%s", i, strings.Repeat("x", 30))
		if i == 7 {
			user = strings.Repeat("long", 4000)
		}
		err := a.CreateAccount(ctx, connect.ConnectedAccount{ID: fmt.Sprintf("ca_%d", i), ProjectID: "pr_1", UserID: user, AuthConfigID: "ac_1"})
		if err != nil {
			t.Fatal(err)
		}
	}
	b.hear(t, 1+accounts)
	if err := a.DeleteAuthConfig(ctx, "pr_1", "ac_1"); err != nil {
		t.Fatal(err)
	}
	owners := make(map[string]string)
	for _, c := range b.hear(t, accounts+1) {
		owners[c.ID] = c.Owner
	}
	if len(owners) != accounts+1 {
		t.Errorf("heard of %d things, want %d", len(owners), accounts+1)
	}
	if owners["ca_7"] != "" || !strings.HasPrefix(owners["ca_8"], "user-8-") {
		t.Errorf("owners are %q and %q, want none and user-8-…", owners["ca_7"], owners["ca_8"])
	}
}

func nodesReconnect(t *testing.T, database string) {
	a, b := startNodes(t, database)
	admin, err := sql.Open("pgx", withoutPoolSize(database))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var schema string
	if err := admin.QueryRow(`SELECT current_schema()`).Scan(&schema); err != nil {
		t.Fatal(err)
	}
	cut := func() {
		t.Helper()
		_, err := admin.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1`, `LISTEN "patchbay_`+schema+`"`)
		if err != nil {
			t.Fatal(err)
		}
	}
	cut()
	for _, n := range []*node{a, b} {
		if got := n.hear(t, 1)[0]; got.Kind != notify.Everything {
			t.Errorf("heard %v, want %v", got, notify.Everything)
		}
	}
	if err := a.CreateAuthConfig(t.Context(), connect.AuthConfig{ID: "ac_1", ProjectID: "pr_1"}); err != nil {
		t.Fatal(err)
	}
	if got := b.hear(t, 1)[0]; got.ID != "ac_1" {
		t.Errorf("heard %v, want news of ac_1", got)
	}
	cut()
	if err := a.Close(); err != nil { // while it connects anew, perhaps
		t.Error(err)
	}
}

// postgresDeadlock makes two transactions wait for each other: Postgres ends one, which is run again.
func postgresDeadlock(t *testing.T, database string) {
	a, _ := startNodes(t, database)
	ctx := t.Context()
	for _, id := range []string{"ac_1", "ac_2"} {
		if err := a.CreateAuthConfig(ctx, connect.AuthConfig{ID: id, ProjectID: "pr_1"}); err != nil {
			t.Fatal(err)
		}
		if err := a.CreateAccount(ctx, connect.ConnectedAccount{ID: "ca_" + id, ProjectID: "pr_1", AuthConfigID: id}); err != nil {
			t.Fatal(err)
		}
	}
	rival, err := sql.Open("pgx", withoutPoolSize(database))
	if err != nil {
		t.Fatal(err)
	}
	defer rival.Close()
	tx, err := rival.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	// DeleteAuthConfig takes the accounts, then the auth config; the rival does it the other way round, and is slower to give up.
	for _, statement := range []string{`SET deadlock_timeout = '1min'`, `UPDATE auth_configs SET name = 'rival' WHERE id = 'ac_1'`} {
		if _, err := tx.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	deleted := make(chan error)
	go func() { deleted <- a.DeleteAuthConfig(ctx, "pr_1", "ac_1") }()
	waitUntilBlocked(t, rival)
	if _, err := tx.Exec(`UPDATE connected_accounts SET alias = 'rival' WHERE id = 'ca_ac_1'`); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-deleted; err != nil {
		t.Errorf("the delete was given up: %v", err)
	}
	if _, err := a.AuthConfig(ctx, "pr_1", "ac_1"); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want kind NotFound", err)
	}
}

// waitUntilBlocked waits until some transaction of the schema waits for another.
func waitUntilBlocked(t *testing.T, db *sql.DB) {
	t.Helper()
	for {
		var blocked int
		err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
			WHERE NOT l.granted AND a.query LIKE 'DELETE FROM auth_configs%'`).Scan(&blocked)
		if err != nil {
			t.Fatal(err)
		}
		if blocked > 0 {
			return
		}
	}
}

func postgresNoSchema(t *testing.T, database string) {
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", "no_such_schema")
	u.RawQuery = query.Encode()
	_, err = startNode(t, u.String(), secret.NewMasterKey())
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "search_path") {
		t.Errorf("got %v, want a fault that names search_path", err)
	}
}

// withoutPoolSize takes out of a database URL what only the store understands.
func withoutPoolSize(database string) string {
	return strings.Replace(database, "pool_max_conns=6&", "", 1)
}

// TestPostgresURL checks that a URL that cannot be used is refused without giving the password away.
func TestPostgresURL(t *testing.T) {
	t.Parallel()
	for _, database := range []string{
		"postgres://user:hunter2@host:port/name",
		"postgres://user:hunter2@host/name?pool_max_conns=many",
		"postgres://user:hunter2@host/name?sslmode=perhaps",
		"postgres://user:hunter2@127.0.0.1:1/name?connect_timeout=5",
		"mysql://user:hunter2@host/name",
	} {
		_, err := store.Open(t.Context(), store.Options{
			Database: database, MasterKey: storetest.Key(secret.NewMasterKey()), Bus: new(notify.Bus),
		})
		if err == nil {
			t.Errorf("%s was opened", database)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
}

// postgresOutage cuts a node off from its database, and lets it reach it again.
func postgresOutage(t *testing.T, database string) {
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	line := newLine(t, filepath.Join(query.Get("host"), ".s.PGSQL.5432"))
	host, port, err := net.SplitHostPort(line.address)
	if err != nil {
		t.Fatal(err)
	}
	query.Set("host", host)
	query.Set("port", port)
	u.RawQuery = query.Encode()
	n, err := startNode(t, u.String(), secret.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.EnsureProject(t.Context(), tenant.Project{ID: "pr_before", Name: "before"}); err != nil {
		t.Fatal(err)
	}
	line.cut()
	for range 20 { // all connections of the pool are found dead, one after the other
		if _, err := n.EnsureProject(t.Context(), tenant.Project{ID: "pr_meanwhile", Name: "meanwhile"}); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("a write without a database: %v", err)
		}
	}
	if err := n.Ready(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("ready without a database: %v", err)
	}
	line.mend(t)
	if _, err := n.EnsureProject(t.Context(), tenant.Project{ID: "pr_after", Name: "after"}); err != nil {
		t.Errorf("with the database again: %v", err)
	}
}

// line passes TCP connections on to a socket until it is cut.
type line struct {
	address, socket string
	mu              sync.Mutex
	listener        net.Listener
	open            []net.Conn
}

func newLine(t *testing.T, socket string) *line {
	t.Helper()
	l := &line{address: "127.0.0.1:0", socket: socket}
	l.mend(t)
	t.Cleanup(l.cut)
	return l
}

func (l *line) mend(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		t.Fatal(err)
	}
	l.listener, l.address = listener, listener.Addr().String()
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", l.socket)
			if err != nil {
				from.Close()
				continue
			}
			l.mu.Lock()
			l.open = append(l.open, from, to)
			l.mu.Unlock()
			go func() { io.Copy(to, from); to.Close() }()
			go func() { io.Copy(from, to); from.Close() }()
		}
	}()
}

func (l *line) cut() {
	l.listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.open {
		c.Close()
	}
	l.open = nil
}
