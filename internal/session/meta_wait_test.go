package session_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// slowUser plays the connections of a user who finishes links in their own time.
type slowUser struct {
	session.Connections
	mu       sync.Mutex
	statuses map[string]connect.Status // by toolkit
}

func (u *slowUser) set(toolkit string, status connect.Status) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.statuses[toolkit] = status
}

func (u *slowUser) Choices(_ context.Context, _ tenant.Caller, sel connect.Selection) (connect.Choices, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	status, ok := u.statuses[sel.Toolkit]
	if !ok {
		return connect.Choices{Problem: context.Canceled}, nil
	}
	choice := connect.Choice{Account: connect.ConnectedAccount{ID: "ca_" + sel.Toolkit, Toolkit: sel.Toolkit, Status: status}}
	if status != connect.Active {
		choice.Problem = context.Canceled
		return connect.Choices{All: []connect.Choice{choice}, Problem: choice.Problem}, nil
	}
	return connect.Choices{All: []connect.Choice{choice}, Used: &choice.Account}, nil
}

// oneSession is a store with one session in it.
type oneSession struct {
	session.Store
	session session.Session
}

func (s oneSession) Session(context.Context, string, string) (session.Session, error) {
	return s.session, nil
}

func TestWaitForConnections(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		arguments object
		heard     bool // the server hears of the change at once
		does      func(u *slowUser)
		done      bool
		waited    time.Duration
		statuses  map[string]string
	}{
		"both in their own time": {
			arguments: object{"toolkits": []any{"github", "gmail"}}, heard: true, done: true, waited: 20 * time.Second,
			does: func(u *slowUser) {
				time.Sleep(5 * time.Second)
				u.set("gmail", connect.Active)
				time.Sleep(15 * time.Second)
				u.set("github", connect.Active)
			},
			statuses: map[string]string{"github": "active", "gmail": "active"},
		},
		"any is enough": {
			arguments: object{"toolkits": []any{"github", "gmail"}, "mode": "any"}, heard: true, done: true, waited: 5 * time.Second,
			does:     func(u *slowUser) { time.Sleep(5 * time.Second); u.set("gmail", connect.Active) },
			statuses: map[string]string{"github": "waiting", "gmail": "active"},
		},
		"word of it is lost": {
			arguments: object{"toolkits": "gmail"}, done: true, waited: 6 * time.Second,
			does:     func(u *slowUser) { time.Sleep(5 * time.Second); u.set("gmail", connect.Active) },
			statuses: map[string]string{"gmail": "active"},
		},
		"the user refuses": {
			arguments: object{"toolkits": []any{"github", "gmail"}}, heard: true, waited: 3 * time.Second,
			does:     func(u *slowUser) { time.Sleep(3 * time.Second); u.set("gmail", connect.Failed) },
			statuses: map[string]string{"github": "waiting", "gmail": "failed"},
		},
		"nobody comes": {
			arguments: object{"toolkits": "gmail", "timeout_seconds": 10.0}, waited: 10 * time.Second,
			does: func(*slowUser) {}, statuses: map[string]string{"gmail": "waiting"},
		},
		"no longer than a call may take": {
			arguments: object{"toolkits": "gmail", "timeout_seconds": 300.0}, waited: 50 * time.Second,
			does: func(*slowUser) {}, statuses: map[string]string{"gmail": "waiting"},
		},
		"no link was made": {
			arguments: object{"toolkits": "slack"}, does: func(*slowUser) {}, statuses: map[string]string{"slack": "not_started"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			snapshot := testCatalog(t)
			synctest.Test(t, func(t *testing.T) {
				config := session.DefaultConfig()
				config.ManageConnections.Wait = true
				bus := new(notify.Bus)
				user := &slowUser{statuses: map[string]connect.Status{"github": connect.Initiated, "gmail": connect.Initializing}}
				s, err := session.New(session.Options{
					Store:   oneSession{session: session.Session{ID: "trs_1", ProjectID: ours.ProjectID, UserID: "ann", Config: config}},
					Catalog: catalog.New(snapshot), Connections: user, Runner: &fakeRunner{}, Bus: bus,
				})
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					c.does(user)
					if c.heard {
						bus.Publish(notify.Change{Kind: notify.ConnectedAccount, ID: "ca_x", Owner: "ann"})
					}
				}()
				begun := time.Now()
				out, err := s.Execute(t.Context(), ours, "trs_1", session.ToolCall{Slug: "COMPOSIO_WAIT_FOR_CONNECTIONS", Arguments: c.arguments})
				if err != nil {
					t.Fatal(err)
				}
				data := decode(t, out.Data)
				got := make(map[string]string)
				for toolkit, result := range data["results"].(object) {
					got[toolkit] = result.(object)["status"].(string)
				}
				same(t, got, c.statuses)
				if waited := time.Since(begun); data["done"] != c.done || waited != c.waited || data["waited_seconds"] != c.waited.Seconds() {
					t.Errorf("done %v after %v (%v)", data["done"], waited, data["waited_seconds"])
				}
				synctest.Wait()
			})
		})
	}
}

func TestWaitEndsWithTheClient(t *testing.T) {
	t.Parallel()
	snapshot := testCatalog(t)
	synctest.Test(t, func(t *testing.T) {
		config := session.DefaultConfig()
		config.ManageConnections.Wait = true
		s, err := session.New(session.Options{
			Store:   oneSession{session: session.Session{ID: "trs_1", ProjectID: ours.ProjectID, UserID: "ann", Config: config}},
			Catalog: catalog.New(snapshot), Runner: &fakeRunner{},
			Connections: &slowUser{statuses: map[string]connect.Status{"gmail": connect.Initiated}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		begun := time.Now()
		_, err = s.Execute(ctx, ours, "trs_1", session.ToolCall{Slug: "COMPOSIO_WAIT_FOR_CONNECTIONS", Arguments: object{"toolkits": "gmail"}})
		if err == nil || time.Since(begun) != 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
