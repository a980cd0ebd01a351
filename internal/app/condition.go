package app

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// Condition is what is stored and waits for somebody to look after it.
type Condition struct {
	Running      bool              // whether the server told it; it is not known of servers on a shared database
	LeftOut      []catalog.LeftOut // toolkits that are stored and cannot be used
	Keys         SecretsState      // without SealedWithOld, which takes a look at everything
	DeadLetters  int               // webhook deliveries of the last days that were given up
	LastDead     DeadLetter        // the newest of them
	Overdue      []Overdue         // work that is due for long
	DeadSince    time.Time         // DeadLetters are counted from here
	OverdueAfter time.Duration     // what "for long" means
}

// DeadLetter is a webhook delivery that was given up.
type DeadLetter struct {
	ProjectID, SubscriptionID, EventID, Error string
	Response                                  int // HTTP status; 0: there was no answer
}

// Overdue is work that nobody has taken up.
type Overdue struct {
	Work  string // what it is, for people
	Since time.Time
}

const (
	deadFor      = 7 * 24 * time.Hour
	overdueAfter = 5 * time.Minute // loops look every few seconds; the longest lease of a node that died is half a minute
)

// Conditions tells the condition of the server, for whoever runs it.
type Conditions interface {
	Condition(ctx context.Context) (Condition, error)
	io.Closer
}

// openCondition asks the server that the settings describe if it runs, as OpenKeys does; otherwise it looks at the database itself.
func (d *doctor) openCondition() (Conditions, error) {
	if d.config.Database.Reveal() == "sqlite" {
		if running, ok := dialControl(d.ctx, d.config.Data); ok {
			return running, nil
		}
	}
	o, err := catalogOptions(d.config, d.shipped)
	if err != nil {
		return nil, err
	}
	bus := &notify.Bus{}
	db, err := store.Open(d.ctx, store.Options{Database: databaseOf(d.config), MasterKey: masterKeyOf(d.config), Bus: bus})
	if err != nil {
		return nil, err
	}
	o.Store, o.Bus, o.Directory = db, bus, filepath.Join(d.config.Data, "catalog")
	whole, err := catalog.Open(d.ctx, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &storeCondition{store: db, catalog: whole, secrets: &storeSecrets{store: db, keyFile: keyFileOf(d.config), now: time.Now}, now: time.Now, Closer: db}, nil
}

// storeCondition looks at the database itself.
type storeCondition struct {
	store   *store.Store
	catalog *catalog.Catalog
	secrets *storeSecrets
	now     func() time.Time
	running bool
	io.Closer
}

// Condition looks at everything that may wait.
func (s *storeCondition) Condition(ctx context.Context) (c Condition, err error) {
	now := s.now()
	c = Condition{Running: s.running, DeadSince: now.Add(-deadFor), OverdueAfter: overdueAfter, LeftOut: s.leftOut()}
	if c.Keys, err = s.secrets.keys(ctx); err != nil {
		return c, err
	}
	n, last, err := s.store.DeadDeliveries(ctx, c.DeadSince)
	if err != nil {
		return c, err
	}
	c.DeadLetters, c.LastDead = n, DeadLetter{last.ProjectID, last.SubscriptionID, last.EventID, last.Error, last.Response}
	c.Overdue, err = s.overdue(ctx, now)
	return c, err
}

// leftOut tries the toolkits of the server and of every project that has its own.
func (s *storeCondition) leftOut() []catalog.LeftOut {
	left := s.catalog.LeftOut("")
	for _, projectID := range s.catalog.Projects() {
		left = append(left, s.catalog.LeftOut(projectID)...)
	}
	return left
}

func (s *storeCondition) overdue(ctx context.Context, now time.Time) (list []Overdue, err error) {
	for _, work := range []struct {
		name string
		next func(context.Context, time.Time) (time.Time, error)
	}{
		{"webhook deliveries", s.store.NextDelivery},
		{"polls of triggers", s.store.NextPoll},
		{"imports", s.store.NextImport},
		{"looks at MCP servers", s.store.NextWatch},
	} {
		due, err := work.next(ctx, now)
		if err != nil {
			return nil, err
		}
		if !due.IsZero() && now.Sub(due) > overdueAfter {
			list = append(list, Overdue{work.name, due})
		}
	}
	return list, nil
}
