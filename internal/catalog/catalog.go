package catalog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/patchbay-dev/patchbay/internal/notify"
)

// Catalog holds the current snapshots: that of the server, and over it those of the projects that have toolkits or pins of their
// own. Make it with Open, or with New where nothing is stored.
type Catalog struct {
	store     Store // nil: there is nothing but what New or Open was given
	directory string
	override  func(*Toolkit) (*Toolkit, error)
	checkURL  func(string) error
	checkCred func(string) error
	prepare   func(*Snapshot)
	now       func() time.Time
	log       *slog.Logger

	base     atomic.Pointer[Snapshot]
	projects sync.Map // project id to *shelf, where there is one
	details  *recent[detailKey, *Detail]
	overlays *recent[string, *overlay]
	pinned   *recent[string, *Snapshot]
	versions *recent[storedKey, *Toolkit]

	shipped []Shipped // without their files
	keeping []Shipped // with them, until keepShipped has stored them
	files   []definitionFile
	server  atomic.Pointer[shelf]
	making  singleflight.Group     // overlays, by what they are made of, and versions: projects do not wait for one another's
	packing chan struct{}          // places for those who have a whole document in memory
	loading sync.Mutex             // one at a time reads shelves and makes the server's snapshot
	loaded  map[storedKey]*Toolkit // of the server, current versions; under loading
	left    leftOut

	stale  chan struct{} // capacity 1: something in behind waits
	behind staleSet
	done   chan struct{}
	stop   context.CancelFunc
}

// Shipped is a toolkit that a binary or a directory brought along.
type Shipped struct {
	Toolkit *Toolkit
	Files   map[string]string // nil: its version is not kept for later
}

// Options of a Catalog. Zero values are those of a catalog of nothing but what is shipped.
type Options struct {
	Shipped   []Shipped
	Files     []string // directories whose .json files are definitions, as importers write them
	Store     Store
	Directory string                           // for packed toolkits, which are made anew when they are missing; empty: everything stays in memory
	Override  func(*Toolkit) (*Toolkit, error) // what the operator set for a toolkit of the server; nil: nothing
	Prepare   func(*Snapshot)                  // is given each snapshot of the server before it is put in place, to make ready what is derived from it
	CheckURL  func(address string) error       // refuses addresses that projects must not use as base URLs; nil: none

	CheckCredential func(address string) error // refuses addresses of MCP servers that credentials must not be sent to; nil: none

	Bus *notify.Bus      // tells of toolkits that were changed by other nodes; nil: there are none
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: discard
}

// Bounds of what is kept in memory beside the snapshots, in bytes as far as they can be estimated.
const (
	detailBytes  = 12 << 20
	overlayBytes = 48 << 20
	pinnedBytes  = 8 << 20
	versionBytes = 24 << 20
)

// New makes a catalog that starts with a snapshot and knows nothing else.
func New(s *Snapshot) *Catalog {
	c := newCatalog(Options{})
	c.base.Store(s)
	return c
}

// Open makes a catalog of what is shipped and what is stored. A stored toolkit that cannot be used is left out; see LeftOut.
// Start it to hear of changes.
func Open(ctx context.Context, o Options) (*Catalog, error) {
	c := newCatalog(o)
	for _, s := range o.Shipped {
		toolkit, err := c.overridden(s.Toolkit)
		if err != nil {
			return nil, err
		}
		c.shipped = append(c.shipped, Shipped{Toolkit: toolkit})
		c.keeping = append(c.keeping, Shipped{toolkit, s.Files})
	}
	var err error
	if c.files, err = c.openFiles(o.Files); err != nil {
		return nil, err
	}
	if err := c.reloadAll(ctx); err != nil {
		return nil, err
	}
	if o.Bus != nil {
		o.Bus.Subscribe(c.hear)
	}
	return c, nil
}

func newCatalog(o Options) *Catalog {
	c := &Catalog{
		store: o.Store, directory: o.Directory, override: o.Override, prepare: o.Prepare, checkURL: o.CheckURL, checkCred: o.CheckCredential, now: o.Now, log: o.Log,
		details:  newRecent[detailKey, *Detail](detailBytes),
		overlays: newRecent[string, *overlay](overlayBytes),
		pinned:   newRecent[string, *Snapshot](pinnedBytes),
		versions: newRecent[storedKey, *Toolkit](versionBytes),
		stale:    make(chan struct{}, 1),
		packing:  make(chan struct{}, loaders),
	}
	c.server.Store(&shelf{})
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Snapshot gives the current catalog of a project: the server's toolkits and the project's own over them. Take it once per
// request, so that one request sees one catalog.
func (c *Catalog) Snapshot(projectID string) *Snapshot {
	base := c.base.Load()
	kept, ok := c.projects.Load(projectID)
	if !ok {
		return base
	}
	return c.overlay(projectID, kept.(*shelf), base)
}

// Replace puts another snapshot in place of the server's. Requests that hold the old one finish with it.
func (c *Catalog) Replace(s *Snapshot) { c.base.Store(s) }

// Start begins to follow changes, and stores the versions of what is shipped. Stop ends it.
func (c *Catalog) Start() {
	if c.store == nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop, c.done = stop, make(chan struct{})
	go func() {
		defer close(c.done)
		c.keepShipped(ctx)
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.stale:
				c.catchUp(ctx)
			}
		}
	}()
}

// Stop ends what Start began.
func (c *Catalog) Stop() {
	if c.stop != nil {
		c.stop()
		<-c.done
	}
}

// hear notes what has to be read anew. It is called while others wait, so the reading is done elsewhere.
func (c *Catalog) hear(change notify.Change) {
	switch change.Kind {
	case notify.Toolkit:
		c.behind.add(change.ID)
	case notify.Everything:
		c.behind.addAll()
	default:
		return
	}
	select {
	case c.stale <- struct{}{}:
	default:
	}
}

// catchUp reads anew what hear noted.
func (c *Catalog) catchUp(ctx context.Context) {
	projects, all := c.behind.take()
	var err error
	if all {
		err = c.reloadAll(ctx)
	}
	for _, id := range projects {
		err = errors.Join(err, c.reload(ctx, id))
	}
	if err != nil && ctx.Err() == nil {
		c.log.Error("changed toolkits could not be read; the catalog stays as it was", "error", err)
	}
}

// staleSet is the projects whose toolkits were changed.
type staleSet struct {
	mu       sync.Mutex
	projects map[string]bool
	all      bool
}

func (s *staleSet) add(projectID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.projects == nil {
		s.projects = map[string]bool{}
	}
	s.projects[projectID] = true
}

func (s *staleSet) addAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = true
}

func (s *staleSet) take() (projects []string, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.projects {
		projects = append(projects, id)
	}
	all = s.all
	s.projects, s.all = nil, false
	return projects, all
}
