package connect_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
	"github.com/patchbay-dev/patchbay/internal/store/postgrestest"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// victimVariable holds what the child process of TestKilledWhileRefreshing is to do.
const victimVariable = "PATCHBAY_TEST_REFRESHING"

// victimOrders are what the child needs: where everything is, and the step at which it stops and waits for its end.
type victimOrders struct {
	Database, Key, Provider string
	Account                 string
	Now                     time.Time
	Step                    step
}

// step is a moment in a refresh.
type step string

const (
	leased   step = "the lease is taken, nothing was sent"
	sent     step = "the request is at the provider"
	answered step = "the provider has answered, nothing is stored"
	stored   step = "the new tokens are stored, nobody used them"
)

// TestKilledWhileRefreshing kills a process at each step of a refresh whose refresh token works once. Afterwards the account
// works; only where the answer died with the process it cannot, and then it says so and what to do.
func TestKilledWhileRefreshing(t *testing.T) {
	t.Parallel()
	survives := map[step]bool{leased: true, sent: true, answered: false, stored: true}
	for at, works := range survives {
		t.Run("SQLite, "+string(at), func(t *testing.T) {
			t.Parallel()
			killedWhileRefreshing(t, storetest.File(t), at, works)
		})
	}
	t.Run("Postgres", func(t *testing.T) {
		t.Parallel()
		empty := postgrestest.Start(t)
		for at, works := range survives {
			t.Run(string(at), func(t *testing.T) { killedWhileRefreshing(t, empty(t), at, works) })
		}
	})
}

func killedWhileRefreshing(t *testing.T, database string, at step, works bool) {
	key, c, bus := secret.NewMasterKey(), newClock(), new(notify.Bus)
	open := func() *store.Store {
		s, err := store.Open(t.Context(), store.Options{Database: database, MasterKey: storetest.Key(key), Bus: bus, Now: c.Now})
		must(t, err)
		return s
	}
	before := open()
	b := newBedOn(t, before, bus, c)
	b.provider.Rotate = true
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	must(t, before.Close()) // a SQLite file has one process
	c.Move(2 * time.Hour)

	victim := startVictim(t, victimOrders{Database: database, Key: key.Reveal(), Provider: b.provider.URL, Account: a.ID, Now: c.Now(), Step: at})
	if at == sent {
		b.provider.Change(func() {
			b.provider.Fail = func(_ *http.Request, form url.Values) (int, string, bool) {
				if form.Get("grant_type") == "refresh_token" {
					victim.kill(t)
					return 502, "", true
				}
				return 0, "", false
			}
		})
	} else {
		victim.wait(t)
		victim.kill(t)
	}
	victim.ended(t)
	b.provider.Change(func() { b.provider.Fail = nil })

	after := open()
	t.Cleanup(func() { after.Close() })
	s := newService(t, b.with(func(o *connect.Options) { o.Store, o.RefreshLease = after, 500*time.Millisecond }))
	cred, err := s.Credential(b.ctx, b.caller, a)
	now, readErr := after.Account(b.ctx, a.ProjectID, a.ID)
	must(t, readErr)
	if works {
		if err != nil || now.Status != connect.Active {
			t.Fatalf("%s: %s %v", at, now.Status, err)
		}
		if _, known := b.provider.Whose(bearer(cred)); !known {
			t.Errorf("%s: the token does not work", at)
		}
		return
	}
	wantFault(t, err, fault.Unprocessable, fault.SlugAccountState, "EXPIRED", "Reconnect")
	if now.Status != connect.Expired || !strings.Contains(now.StatusReason, "refused to renew") {
		t.Errorf("%s: %s, %q", at, now.Status, now.StatusReason)
	}
	again := *b
	again.Service, again.store = s, after
	again.signIn(again.link(connect.NewLink{AccountID: a.ID}), ann)
	if mended := again.account(a.ID); mended.Status != connect.Active {
		t.Errorf("%s: connected anew it is %s", at, mended.Status)
	}
}

// TestTwoNodesOnPostgresRefreshOnce is what TestManyNodesRefreshOnce says, between two nodes with stores of their own.
func TestTwoNodesOnPostgresRefreshOnce(t *testing.T) {
	t.Parallel()
	database, key, c := postgrestest.Start(t)(t), secret.NewMasterKey(), newClock()
	open := func(bus *notify.Bus) *store.Store {
		s, err := store.Open(t.Context(), store.Options{Database: database, MasterKey: storetest.Key(key), Bus: bus, Now: c.Now})
		must(t, err)
		t.Cleanup(func() { s.Close() })
		return s
	}
	busOne, busTwo := new(notify.Bus), new(notify.Bus)
	b := newBedOn(t, open(busOne), busOne, c)
	b.provider.Rotate = true // a second use of the same refresh token would end the grant
	two := newService(t, b.with(func(o *connect.Options) { o.Store, o.Bus = open(busTwo), busTwo }))
	a := b.connected(b.oauthConfig("acme"), "u", ann)
	c.Move(2 * time.Hour)

	creds, err := atOnce(200, func(i int) (connect.Credential, error) {
		return []*connect.Service{b.Service, two}[i%2].Credential(b.ctx, b.caller, a)
	})
	must(t, err)
	if n := b.provider.Refreshes(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	for _, cred := range creds {
		if bearer(cred) != b.account(a.ID).Values["access_token"].Reveal() {
			t.Fatal("a node handed out another token than the new one")
		}
	}
}

// victim is a child process that refreshes a token.
type victim struct {
	command *exec.Cmd
	lines   *bufio.Scanner
	started sync.Mutex
}

func startVictim(t *testing.T, orders victimOrders) *victim {
	t.Helper()
	text, err := json.Marshal(orders)
	must(t, err)
	program, err := os.Executable()
	must(t, err)
	v := &victim{command: exec.Command(program, "-test.run=^TestRefreshingVictim$")}
	v.command.Env = append(os.Environ(), victimVariable+"="+string(text))
	v.command.Stderr = os.Stderr
	output, err := v.command.StdoutPipe()
	must(t, err)
	v.lines = bufio.NewScanner(output)
	v.started.Lock()
	defer v.started.Unlock()
	must(t, v.command.Start())
	return v
}

// wait returns when the child is at its step.
func (v *victim) wait(t *testing.T) {
	t.Helper()
	for v.lines.Scan() {
		if v.lines.Text() == "at the step" {
			return
		}
		t.Logf("child: %s", v.lines.Text())
	}
	t.Fatal("the child never came to its step")
}

func (v *victim) kill(t *testing.T) {
	v.started.Lock()
	defer v.started.Unlock()
	if err := v.command.Process.Kill(); err != nil { // SIGKILL
		t.Error(err)
	}
}

func (v *victim) ended(t *testing.T) {
	t.Helper()
	for v.lines.Scan() {
		t.Logf("child: %s", v.lines.Text())
	}
	if err := v.command.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// TestRefreshingVictim is the child of TestKilledWhileRefreshing.
func TestRefreshingVictim(t *testing.T) {
	text := os.Getenv(victimVariable)
	if text == "" {
		t.Skip("runs only as the child of TestKilledWhileRefreshing")
	}
	var orders victimOrders
	must(t, json.Unmarshal([]byte(text), &orders))
	key, err := secret.ParseMasterKey(orders.Key)
	must(t, err)
	bus, now := new(notify.Bus), func() time.Time { return orders.Now }
	s, err := store.Open(t.Context(), store.Options{Database: orders.Database, MasterKey: storetest.Key(key), Bus: bus, Now: now})
	must(t, err)
	client, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	must(t, err)
	snapshot := toolkits(t, orders.Provider)
	service := newService(t, connect.Options{
		Store: stoppingStore{s, orders.Step}, HTTP: client, Bus: bus, Now: now, PublicURL: origin,
		Catalog: func(string) connect.Toolkits { return snapshot },
	})
	caller := tenant.Caller{ProjectID: "pr_1"}
	a, err := service.Account(t.Context(), caller, orders.Account)
	must(t, err)
	_, err = service.Credential(t.Context(), caller, a)
	t.Fatalf("went on: %v", err)
}

// stoppingStore stops at a step of a refresh for ever.
type stoppingStore struct {
	connect.Store
	at step
}

func (s stoppingStore) stop(at step) {
	if s.at == at {
		fmt.Fprintln(os.Stdout, "at the step")
		select {}
	}
}

func (s stoppingStore) ClaimRefresh(ctx context.Context, projectID, accountID, owner string, dead connect.Lease) (connect.Lease, error) {
	l, err := s.Store.ClaimRefresh(ctx, projectID, accountID, owner, dead)
	s.stop(leased)
	return l, err
}

func (s stoppingStore) UpdateAccount(ctx context.Context, projectID, id string, update func(*connect.ConnectedAccount) error) (connect.ConnectedAccount, error) {
	s.stop(answered)
	a, err := s.Store.UpdateAccount(ctx, projectID, id, update)
	s.stop(stored)
	return a, err
}
