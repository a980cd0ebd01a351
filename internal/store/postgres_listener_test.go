package store

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/store/postgrestest"
)

// TestListener checks the link between nodes where the network fails without a word.
func TestListener(t *testing.T) {
	t.Parallel()
	empty := postgrestest.Start(t)
	t.Run("outlives silence", func(t *testing.T) {
		t.Parallel()
		wire := newWire(t, empty(t))
		wire.waitForPings(t, 3)
		wire.notify(t, `{"node":"another","changes":[{"Kind":"session","ID":"trs_1"}]}`)
		if got := <-wire.news; got.ID != "trs_1" {
			t.Errorf("heard %v, want news of trs_1", got)
		}
		if n := wire.dialled.Load(); n != 1 {
			t.Errorf("%d connections, want the first one", n)
		}
	})
	t.Run("notices that nobody answers", func(t *testing.T) {
		t.Parallel()
		wire := newWire(t, empty(t))
		wire.cut()
		if got := <-wire.news; got.Kind != notify.Everything {
			t.Errorf("heard %v, want %v", got, notify.Everything)
		}
		wire.notify(t, `{"node":"another","changes":[{"Kind":"key","ID":"key_1"}]}`)
		if got := <-wire.news; got.ID != "key_1" {
			t.Errorf("heard %v, want news of key_1", got)
		}
	})
	t.Run("takes words it does not know for anything", func(t *testing.T) {
		t.Parallel()
		wire := newWire(t, empty(t))
		wire.notify(t, `something of a newer version`)
		if got := <-wire.news; got.Kind != notify.Everything {
			t.Errorf("heard %v, want %v", got, notify.Everything)
		}
	})
}

// wire is a listener whose connections go through our hands.
type wire struct {
	*listener
	news    chan notify.Change
	dialled atomic.Int32
	pings   chan struct{}

	mu   sync.Mutex
	last *tappedConn
}

func newWire(t *testing.T, database string) *wire {
	t.Helper()
	config, _, err := parsePostgresURL(database)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{news: make(chan notify.Change, 100), pings: make(chan struct{}, 1000)}
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w.dialled.Add(1)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.last = &tappedConn{Conn: conn, writes: w.pings}
		return w.last, nil
	}
	bus := new(notify.Bus)
	bus.Subscribe(func(c notify.Change) { w.news <- c })
	w.listener, err = listen(t.Context(), listenerOptions{
		Config: config, Channel: t.Name(), Node: "ours", Bus: bus, Logger: slog.New(slog.DiscardHandler),
		Silence: 20 * time.Millisecond, Patience: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

// cut makes the connection swallow what is written and never say anything again, as when the other machine is unplugged.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last.dead.Store(true)
}

// waitForPings waits until the listener has asked for a sign of life so often.
func (w *wire) waitForPings(t *testing.T, count int) {
	t.Helper()
	for len(w.pings) > 0 { // of the connecting
		<-w.pings
	}
	for range count {
		<-w.pings
	}
}

// notify sends a message on the channel, over a connection of its own.
func (w *wire) notify(t *testing.T, payload string) {
	t.Helper()
	config := w.Config.Copy()
	config.DialFunc = (&net.Dialer{}).DialContext
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `SELECT pg_notify($1, $2)`, w.Channel, payload); err != nil {
		t.Fatal(err)
	}
}

// tappedConn is a connection that tells of writes and can be made dead.
type tappedConn struct {
	net.Conn
	writes chan<- struct{}
	dead   atomic.Bool
}

func (c *tappedConn) Write(p []byte) (int, error) {
	c.writes <- struct{}{}
	if c.dead.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}
