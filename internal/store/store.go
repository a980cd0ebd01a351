package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

// Options say which database to open and with what.
type Options struct {
	// Database is "postgres://…" (or "postgresql://…"), or the path of a SQLite file, which is made if need be.
	Database string
	// MasterKey finds the key that seals all secrets. Required.
	MasterKey secret.KeySource
	// Bus is told of every committed change, on this node and, with Postgres, of those on other nodes. Required.
	Bus *notify.Bus
	// AccountEvents gives the events that an account's change of status calls for. They are stored in the same transaction, so that
	// none can be lost between the two. It may run again when somebody else wrote in between. Nil: none.
	AccountEvents func(ctx context.Context, before connect.Status, a connect.ConnectedAccount) ([]event.Event, error)
	// Now is time.Now when nil.
	Now func() time.Time
	// Patience is how long one row is waited for before the database counts as out of service; 0: 5 seconds.
	Patience time.Duration
	// Logger hears of lost and regained links between nodes; nothing is logged when nil.
	Logger *slog.Logger
}

// Store keeps everything. Safe for concurrent use.
type Store struct {
	db       database
	keyring  *secret.Keyring
	bus      *notify.Bus
	now      func() time.Time
	patience time.Duration
	log      *slog.Logger
	close    func() error

	accountEvents func(ctx context.Context, before connect.Status, a connect.ConnectedAccount) ([]event.Event, error)

	checked struct { // when the database last took a write for Ready
		sync.Mutex
		at time.Time
	}
}

// What the nouns ask for.
var (
	_ tenant.Store       = (*Store)(nil)
	_ connect.Store      = (*Store)(nil)
	_ execute.Store      = (*Store)(nil)
	_ session.Store      = (*Store)(nil)
	_ trigger.Store      = (*Store)(nil)
	_ authserver.Store   = (*Store)(nil)
	_ secret.KeysetStore = (*Store)(nil)
)

// Open opens the database, brings its schema up to date and unlocks its keysets. Close it when done.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Database == "" || o.MasterKey == nil || o.Bus == nil {
		return nil, errors.New("store: Database, MasterKey and Bus are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	db, err := openDatabase(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Store{
		db: db, bus: o.Bus, now: o.Now, patience: o.Patience, log: o.Logger, close: sync.OnceValue(db.close), accountEvents: o.AccountEvents,
	}
	s.keyring, err = secret.OpenKeyring(ctx, secret.KeyringOptions{Store: s, Source: o.MasterKey, Now: o.Now})
	if err == nil && db.alone() {
		err = s.releaseAll(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	o.Bus.Subscribe(s.hearOfKeysets)
	return s, nil
}

// hearOfKeysets lets the keyring take notice of keysets that were replaced, here or on another node.
func (s *Store) hearOfKeysets(c notify.Change) {
	switch c.Kind {
	case notify.Keyset:
		s.keyring.Replaced(c.ID)
	case notify.Everything:
		s.keyring.Replaced("")
	}
}

// openDatabase opens whichever database the option names.
func openDatabase(ctx context.Context, o Options) (database, error) {
	if strings.HasPrefix(o.Database, "postgres://") || strings.HasPrefix(o.Database, "postgresql://") {
		return openPostgres(ctx, o)
	}
	if scheme, _, found := strings.Cut(o.Database, "://"); found { // the rest may hold a password
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "A database of type %s:// is not supported.", scheme).
			WithFix("Give postgres://user:password@host:5432/name, or the path of a SQLite file.")
	}
	return openSQLite(ctx, o.Database)
}

// Close waits for running statements and closes the database. Closing twice does no harm.
func (s *Store) Close() error { return s.close() }

// Keyring gives the unlocked keysets, for what is sealed without being stored here.
func (s *Store) Keyring() *secret.Keyring { return s.keyring }
