package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/patchbay-dev/patchbay/internal/notify"
)

// How the link to other nodes is watched.
const (
	listenerSilence   = 20 * time.Second // after which the connection is asked whether it still lives
	listenerPatience  = 5 * time.Second  // for the answer, and for a new connection
	listenerPauseMin  = 100 * time.Millisecond
	listenerPauseMax  = 5 * time.Second
	notificationLimit = 7900 // bytes; Postgres refuses 8000
)

// listenerOptions are what a listener needs; all but the last two are required.
type listenerOptions struct {
	Config   *pgx.ConnConfig
	Channel  string // LISTEN/NOTIFY channel that the nodes of one schema share
	Node     string // who we are: what we said ourselves is not news
	Bus      *notify.Bus
	Logger   *slog.Logger
	Silence  time.Duration // listenerSilence when zero
	Patience time.Duration // listenerPatience when zero
}

// listener hears on one connection of its own what other nodes changed and tells the bus. When it was deaf for a while it
// tells the bus notify.Everything.
type listener struct {
	listenerOptions
	stop context.CancelFunc
	done chan struct{}
}

// listen connects and hears from then on.
func listen(ctx context.Context, o listenerOptions) (*listener, error) {
	o.Silence = cmp.Or(o.Silence, listenerSilence)
	o.Patience = cmp.Or(o.Patience, listenerPatience)
	l := &listener{listenerOptions: o, done: make(chan struct{})}
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	var running context.Context
	running, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	go l.run(running, conn)
	return l, nil
}

// close ends the listening and waits for it.
func (l *listener) close() {
	l.stop()
	<-l.done
}

func (l *listener) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, l.Config)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{l.Channel}.Sanitize()); err != nil {
		return nil, errors.Join(fmt.Errorf("listen to other nodes: %w", err), conn.Close(ctx))
	}
	return conn, nil
}

// run hears until it is stopped, connecting anew whenever the connection is lost.
func (l *listener) run(ctx context.Context, conn *pgx.Conn) {
	defer close(l.done)
	for {
		err := l.hear(ctx, conn)
		l.drop(ctx, conn)
		if ctx.Err() != nil {
			return
		}
		l.Logger.Warn("Lost the link to other nodes; connecting anew.", "error", err)
		if conn = l.reconnect(ctx); conn == nil {
			return
		}
		l.Logger.Info("The link to other nodes is back; caches were dropped.")
		l.Bus.Publish(notify.Change{Kind: notify.Everything})
	}
}

// drop closes a connection, politely if the other end still answers.
func (l *listener) drop(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.Patience)
	defer cancel()
	if err := conn.Close(ctx); err != nil {
		l.Logger.Debug("The lost connection did not close cleanly.", "error", err)
	}
}

// reconnect tries until it has a connection; nil when it was stopped.
func (l *listener) reconnect(ctx context.Context) *pgx.Conn {
	pause := listenerPauseMin
	for {
		attempt, cancel := context.WithTimeout(ctx, l.Patience)
		conn, err := l.connect(attempt)
		cancel()
		if err == nil {
			return conn
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, listenerPauseMax)
	}
}

// hear passes on what comes until the connection fails or ctx ends.
func (l *listener) hear(ctx context.Context, conn *pgx.Conn) error {
	for {
		patient, cancel := context.WithTimeout(ctx, l.Silence)
		notification, err := conn.WaitForNotification(patient)
		silent := patient.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			l.pass(notification)
		case silent && !conn.IsClosed():
			if err := l.alive(ctx, conn); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// alive asks the server for an answer: a connection whose other end vanished is silent as well.
func (l *listener) alive(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, l.Patience)
	defer cancel()
	return conn.Ping(ctx)
}

// notification is what one node tells the others in one message.
type notification struct {
	Node    string          `json:"node"`
	Changes []notify.Change `json:"changes"`
}

// pass tells the bus what another node said. What cannot be read (a newer node's words) may mean anything, so everything is
// dropped.
func (l *listener) pass(n *pgconn.Notification) {
	var said notification
	if err := json.Unmarshal([]byte(n.Payload), &said); err != nil {
		l.Bus.Publish(notify.Change{Kind: notify.Everything})
		return
	}
	if said.Node == l.Node {
		return
	}
	for _, change := range said.Changes {
		l.Bus.Publish(change)
	}
}

// tell makes a transaction tell the other nodes what it changes, in as many messages as it takes.
func (l *listener) tell(t *tx) error {
	for changes := t.changes; len(changes) > 0; {
		payload, count, err := l.message(changes)
		if err != nil {
			return err
		}
		if _, err := t.exec(`SELECT pg_notify($1, $2)`, l.Channel, payload); err != nil {
			return fmt.Errorf("tell other nodes: %w", err)
		}
		changes = changes[count:]
	}
	return nil
}

// message encodes as many of the changes as fit, and gives how many. One that does not fit alone loses its owner, which is
// the user's id and may be of any length; an empty owner means unknown.
func (l *listener) message(changes []notify.Change) (payload string, count int, err error) {
	for count = len(changes); ; count /= 2 {
		text, err := json.Marshal(notification{l.Node, changes[:count]})
		if err != nil {
			return "", 0, fmt.Errorf("encode changes: %w", err)
		}
		if len(text) <= notificationLimit {
			return string(text), count, nil
		}
		if count == 1 {
			text, err := json.Marshal(notification{l.Node, []notify.Change{{Kind: changes[0].Kind, ID: changes[0].ID}}})
			return string(text), 1, err
		}
	}
}
