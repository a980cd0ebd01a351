package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

// shelf is what one project has stored, or the server. It is replaced, not changed.
type shelf struct {
	versions map[string][]Stored // by slug, newest first
	pins     map[string]string   // slug to version
}

func newShelf(rows []Stored, pins []Pin) *shelf {
	s := &shelf{versions: map[string][]Stored{}, pins: map[string]string{}}
	for _, r := range rows {
		s.versions[r.Slug] = append(s.versions[r.Slug], r)
	}
	for _, list := range s.versions {
		slices.SortFunc(list, func(a, b Stored) int { return cmp.Compare(b.Version, a.Version) })
	}
	for _, p := range pins {
		s.pins[p.Slug] = p.Version
	}
	return s
}

func (s *shelf) empty() bool { return len(s.versions) == 0 && len(s.pins) == 0 }

// storedKey is one version of one toolkit with its content.
type storedKey struct{ projectID, slug, version, hash, versions string }

func keyOf(s Stored, versions []string) storedKey {
	return storedKey{s.ProjectID, s.Slug, s.Version, s.Hash, strings.Join(versions, " ")}
}

// LeftOut is a stored toolkit that cannot be used as it is, and why.
type LeftOut struct {
	ProjectID, Slug, Version, Reason string
}

// leftOut collects them by project.
type leftOut struct {
	mu sync.Mutex
	by map[string][]LeftOut
}

func (l *leftOut) set(projectID string, list []LeftOut) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[string][]LeftOut{}
	}
	l.by[projectID] = list
}

// LeftOut gives the toolkits of a project, or of the server, that are stored and cannot be used.
func (c *Catalog) LeftOut(projectID string) []LeftOut {
	c.Snapshot(projectID) // which tries them
	c.left.mu.Lock()
	defer c.left.mu.Unlock()
	return slices.Clone(c.left.by[projectID])
}

// Projects gives the ids of the projects that have toolkits or pins of their own.
func (c *Catalog) Projects() []string {
	var ids []string
	c.projects.Range(func(id, _ any) bool {
		ids = append(ids, id.(string))
		return true
	})
	slices.Sort(ids)
	return ids
}

// reloadAll reads everything anew.
func (c *Catalog) reloadAll(ctx context.Context) error {
	c.loading.Lock()
	defer c.loading.Unlock()
	var rows []Stored
	var pins []Pin
	if c.store != nil {
		var err error
		if rows, err = c.store.StoredToolkits(ctx); err != nil {
			return err
		}
		if pins, err = c.store.ToolkitPins(ctx); err != nil {
			return err
		}
	}
	byProject := map[string][]Stored{}
	for _, r := range rows {
		byProject[r.ProjectID] = append(byProject[r.ProjectID], r)
	}
	pinsOf := map[string][]Pin{}
	for _, p := range pins {
		pinsOf[p.ProjectID] = append(pinsOf[p.ProjectID], p)
	}
	c.server.Store(newShelf(byProject[""], nil))
	c.rebuild(ctx)
	c.projects.Range(func(id, _ any) bool {
		if _, still := byProject[id.(string)]; !still && pinsOf[id.(string)] == nil {
			c.projects.Delete(id)
		}
		return true
	})
	delete(byProject, "")
	for id := range pinsOf {
		if _, own := byProject[id]; !own {
			byProject[id] = nil
		}
	}
	for id, own := range byProject {
		next := newShelf(own, pinsOf[id])
		if kept, ok := c.projects.Load(id); !ok || !reflect.DeepEqual(next, kept) {
			c.projects.Store(id, next)
		}
	}
	return nil
}

// reload reads the toolkits of one project anew, or of the server.
func (c *Catalog) reload(ctx context.Context, projectID string) error {
	c.loading.Lock()
	defer c.loading.Unlock()
	rows, err := c.store.StoredToolkitsOf(ctx, projectID)
	if err != nil {
		return err
	}
	pins, err := c.store.ToolkitPinsOf(ctx, projectID)
	if err != nil {
		return err
	}
	own := newShelf(rows, pins)
	switch kept, ok := c.projects.Load(projectID); {
	case projectID == "" && reflect.DeepEqual(own, c.server.Load()), ok && reflect.DeepEqual(own, kept): // word of our own change
	case projectID == "":
		c.server.Store(own)
		c.rebuild(ctx)
	case own.empty():
		c.projects.Delete(projectID)
	default:
		c.projects.Store(projectID, own)
	}
	return nil
}

// rebuild makes the server's snapshot of what is shipped and what its shelf holds, and puts it in place. The caller holds
// loading.
func (c *Catalog) rebuild(ctx context.Context) {
	var out []LeftOut
	leave := func(s Stored, err error) {
		out = append(out, LeftOut{s.ProjectID, s.Slug, s.Version, reasonOf(err)})
		c.log.Error("a toolkit is left out", "toolkit", s.Slug, "version", s.Version, "reason", err)
	}
	stored := c.server.Load().versions
	toolkits, shipped := make([]*Toolkit, 0, len(c.shipped)+len(stored)), map[string]bool{}
	for _, s := range c.shipped {
		shipped[s.Toolkit.Slug] = true
		toolkits = append(toolkits, s.Toolkit.withVersions(versionsOf(s.Toolkit.Version, stored[s.Toolkit.Slug])))
	}
	own := maps.Clone(shipped)
	for _, f := range c.files {
		switch named := strings.TrimSuffix(filepath.Base(f.path), filepath.Ext(f.path)); {
		case f.err != nil:
			leave(Stored{Slug: named}, fmt.Errorf("%s: %w", f.path, f.err))
		case shipped[f.toolkit.Slug]:
			leave(Stored{Slug: f.toolkit.Slug, Version: f.toolkit.Version}, fmt.Errorf("%s: there is a toolkit of this name already", f.path))
		default:
			shipped[f.toolkit.Slug] = true
			toolkits = append(toolkits, f.toolkit)
		}
	}
	var wanted []Stored
	for _, slug := range slices.Sorted(maps.Keys(stored)) {
		current := newestAdded(stored[slug])
		switch {
		case current.Slug == "": // was shipped once, and is no longer
		case shipped[slug]:
			leave(current, fmt.Errorf("the server brings along a toolkit of this name"))
		default:
			wanted = append(wanted, current)
		}
	}
	loaded, passing := map[storedKey]*Toolkit{}, false
	for i, tk := range c.loadEach(ctx, wanted) {
		if tk.err != nil {
			leave(wanted[i], tk.err)
			passing = passing || passes(tk.err)
			continue
		}
		loaded[tk.key] = tk.toolkit
		toolkits = append(toolkits, tk.toolkit)
	}
	c.loaded = loaded
	if passing {
		time.AfterFunc(retryLoad, func() { c.hear(notify.Change{Kind: notify.Everything}) })
	}
	s, clashes := newSnapshot(nil, toolkits)
	if len(clashes) > 0 {
		toolkits = slices.DeleteFunc(toolkits, func(tk *Toolkit) bool {
			lines, clashing := clashes[tk.Slug]
			if clashing && !own[tk.Slug] {
				leave(Stored{Slug: tk.Slug, Version: tk.Version}, fmt.Errorf("tool names claimed twice: %s", strings.Join(lines, ", ")))
			}
			return clashing && !own[tk.Slug]
		})
		s, _ = newSnapshot(nil, toolkits)
	}
	c.left.set("", out)
	if before := c.base.Load(); before != nil && before.ID == s.ID {
		return
	}
	if c.prepare != nil {
		c.prepare(s)
	}
	c.base.Store(s)
}

// reasonOf says for people why a toolkit is left out.
func reasonOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}

// newestAdded gives the newest version that is served from the store; the zero value when there is none.
func newestAdded(versions []Stored) Stored {
	for _, v := range versions {
		if v.Origin == OriginAdded {
			return v
		}
	}
	return Stored{}
}

// versionsOf gives a current version and the stored ones, newest first.
func versionsOf(current string, stored []Stored) []string {
	versions := []string{current}
	for _, s := range stored {
		versions = append(versions, s.Version)
	}
	slices.Sort(versions)
	versions = slices.Compact(versions)
	slices.Reverse(versions)
	return versions
}

// loadedToolkit is the outcome of loading one.
type loadedToolkit struct {
	key     storedKey
	toolkit *Toolkit
	err     error
}

// loadEach loads the current versions of the server's toolkits, side by side. Those that are loaded already are not loaded again.
func (c *Catalog) loadEach(ctx context.Context, rows []Stored) []loadedToolkit {
	out := make([]loadedToolkit, len(rows))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(loaders, len(rows)) {
		workers.Go(func() {
			for i := range next {
				versions := versionsOf(rows[i].Version, c.server.Load().versions[rows[i].Slug])
				key := keyOf(rows[i], versions)
				out[i].key = key
				if tk, ok := c.loaded[key]; ok {
					out[i].toolkit = tk
					continue
				}
				out[i].toolkit, out[i].err = c.load(ctx, rows[i], versions)
			}
		})
	}
	for i := range rows {
		next <- i
	}
	close(next)
	workers.Wait()
	return out
}

// loaders is how many toolkits are loaded at once. Loading one that is packed takes little; packing one may take its whole
// document in memory.
const loaders = 4

// load makes a stored toolkit ready for a snapshot.
func (c *Catalog) load(ctx context.Context, s Stored, versions []string) (*Toolkit, error) {
	tk, err := c.open(ctx, s)
	if err != nil {
		return nil, err
	}
	tk.Version, tk.Versions, tk.Custom, tk.UpdatedAt = s.Version, versions, s.ProjectID != "", s.CreatedAt
	tk.hash = s.Hash + s.Version
	if s.ProjectID != "" {
		return tk, nil
	}
	return c.overridden(tk)
}

// open reads a toolkit from its packed form, which is made when there is none, or from its document.
func (c *Catalog) open(ctx context.Context, s Stored) (*Toolkit, error) {
	tk, err := c.openStored(ctx, s)
	if err == nil {
		err = tk.mayRun(s.ProjectID) // however it came to be stored
	}
	return tk, err
}

func (c *Catalog) openStored(ctx context.Context, s Stored) (*Toolkit, error) {
	if s.Form != FormDefinition || c.directory == "" {
		return c.openDocument(ctx, s)
	}
	path := c.packedPath(s)
	if tk, err := c.openPacked(path, s); err == nil {
		return tk, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		c.log.Warn("a packed toolkit is made anew", "toolkit", s.Slug, "reason", err)
	}
	if err := c.repack(ctx, s, path); err != nil {
		return nil, err
	}
	return c.openPacked(path, s)
}

func (c *Catalog) openDocument(ctx context.Context, s Stored) (*Toolkit, error) {
	data, err := c.store.ToolkitDocument(ctx, s.ProjectID, s.Slug, s.Version)
	if err != nil {
		return nil, err
	}
	document, err := decodeDocument(s.Form, data)
	if err != nil {
		return nil, err
	}
	return document.toolkit()
}

func (c *Catalog) openPacked(path string, s Stored) (*Toolkit, error) {
	tk, err := openPacked(path, c.details)
	if err != nil {
		return nil, err
	}
	tk.packed.restore = func() error { return c.repack(context.Background(), s, path) }
	return tk, nil
}

// repack makes the packed form of a stored definition.
func (c *Catalog) repack(ctx context.Context, s Stored, path string) error {
	data, err := c.store.ToolkitDocument(ctx, s.ProjectID, s.Slug, s.Version)
	if err != nil {
		return err
	}
	c.packing <- struct{}{}
	defer func() { <-c.packing }()
	document, err := decodeDocument(s.Form, data)
	if err != nil {
		return err
	}
	if err := document.Definition.check(); err != nil {
		return err
	}
	content, err := pack(document.Definition)
	if err != nil {
		return err
	}
	return writeFile(path, content)
}

func (c *Catalog) packedPath(s Stored) string {
	return filepath.Join(c.directory, s.Hash[:min(32, len(s.Hash))]+"-"+s.Version+".toolkit")
}

func (c *Catalog) overridden(tk *Toolkit) (*Toolkit, error) {
	if c.override == nil {
		return tk, nil
	}
	return c.override(tk)
}

// withVersions gives the toolkit with another list of versions.
func (t *Toolkit) withVersions(versions []string) *Toolkit {
	if slices.Equal(t.Versions, versions) {
		return t
	}
	out := t.copied()
	out.Versions = versions
	return out
}
