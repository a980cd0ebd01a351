package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// overlay is the snapshot of a project, with what it was made of.
type overlay struct {
	of       *shelf
	base     *Snapshot
	snapshot *Snapshot
	until    time.Time // it is made anew then, because something could not be read just now; zero: nothing was amiss
}

// overlay gives a project's snapshot over a base. It is made when it is first asked for.
func (c *Catalog) overlay(projectID string, of *shelf, base *Snapshot) *Snapshot {
	if made, ok := c.madeOverlay(projectID, of, base); ok {
		return made.snapshot
	}
	made, _, _ := c.making.Do(fmt.Sprintf("overlay %s %p %s", projectID, of, base.ID), func() (any, error) {
		if made, ok := c.madeOverlay(projectID, of, base); ok {
			return made, nil
		}
		return c.makeOverlay(projectID, of, base), nil
	})
	return made.(*overlay).snapshot
}

func (c *Catalog) makeOverlay(projectID string, of *shelf, base *Snapshot) *overlay {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout) // whoever waits is not the only one it is for
	defer cancel()
	own, left, passing := c.ownToolkits(ctx, projectID, of, base)
	made := &overlay{of: of, base: base, snapshot: base.Over(own...)}
	if passing {
		made.until = c.now().Add(retryLoad)
	}
	if kept, ok := c.projects.Load(projectID); !ok || kept != any(of) || c.base.Load() != base {
		return made // good for who asked, and out of date by now
	}
	c.left.set(projectID, left)
	weight := 4096
	for _, tk := range own {
		weight += 300 * len(tk.Tools)
	}
	c.overlays.put(projectID, made, weight)
	return made
}

func (c *Catalog) madeOverlay(projectID string, of *shelf, base *Snapshot) (*overlay, bool) {
	made, ok := c.overlays.get(projectID)
	return made, ok && made.of == of && made.base == base && (made.until.IsZero() || c.now().Before(made.until))
}

// retryLoad is how soon toolkits are read again that could not be read because the database was away.
const retryLoad = 5 * time.Second

// passes tells a failure that has nothing to do with the toolkit from one that stays until the toolkit is changed.
func passes(err error) bool {
	return fault.Is(err, fault.Unavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// loadTimeout bounds the reading of a project's toolkits.
const loadTimeout = 20 * time.Second

// ownToolkits loads what a project has on its shelf, and the versions of the server's toolkits that it is pinned to. Passing is true
// when some of what is left may well be there in a moment.
func (c *Catalog) ownToolkits(ctx context.Context, projectID string, of *shelf, base *Snapshot) (own []*Toolkit, left []LeftOut, passing bool) {
	leave := func(slug, version string, err error) {
		passing = passing || passes(err)
		left = append(left, LeftOut{projectID, slug, version, reasonOf(err)})
		c.log.Warn("a project's toolkit is left out", "project", projectID, "toolkit", slug, "version", version, "reason", err)
	}
	for _, slug := range slices.Sorted(maps.Keys(of.versions)) {
		list := of.versions[slug]
		current := list[0]
		if pinned, ok := of.pins[slug]; ok {
			if at := slices.IndexFunc(list, func(s Stored) bool { return s.Version == pinned }); at >= 0 {
				current = list[at]
			}
		}
		if _, taken := base.Toolkit(slug); taken {
			leave(slug, current.Version, fmt.Errorf("the server has a toolkit of this name"))
			continue
		}
		tk, err := c.version(ctx, current, versionsOf(current.Version, list))
		if err == nil {
			if lines := base.claimed(tk); len(lines) > 0 {
				err = fmt.Errorf("tool names claimed twice: %s", strings.Join(lines, ", "))
			}
		}
		if err != nil {
			leave(slug, current.Version, err)
			continue
		}
		own = append(own, tk)
	}
	for _, slug := range slices.Sorted(maps.Keys(of.pins)) {
		if tk, ok := base.Toolkit(slug); ok && tk.Version != of.pins[slug] {
			older, err := c.serverVersion(ctx, tk, of.pins[slug])
			if err != nil {
				leave(slug, of.pins[slug], err)
				continue
			}
			own = append(own, older)
		}
	}
	return own, left, passing
}

// version gives one stored version of a toolkit, from memory when it was asked for lately.
func (c *Catalog) version(ctx context.Context, s Stored, versions []string) (*Toolkit, error) {
	key := keyOf(s, versions)
	if tk, ok := c.versions.get(key); ok {
		return tk, nil
	}
	loaded, err, _ := c.making.Do(fmt.Sprintf("version %q", key), func() (any, error) {
		tk, err := c.load(ctx, s, versions)
		if err == nil {
			c.versions.put(key, tk, 4096+400*len(tk.Tools))
		}
		return tk, err
	})
	if err != nil {
		return nil, err
	}
	return loaded.(*Toolkit), nil
}

// serverVersion gives another version of a toolkit of the server.
func (c *Catalog) serverVersion(ctx context.Context, current *Toolkit, version string) (*Toolkit, error) {
	for _, s := range c.server.Load().versions[current.Slug] {
		if s.Version == version {
			return c.version(ctx, s, current.Versions)
		}
	}
	return nil, fmt.Errorf("there is no version %s of it any more", version)
}

// Pinned gives a snapshot of a project in which toolkits are at the versions named, by slug; "latest" and versions that are the
// current ones change nothing. It is the one place where versions become tools: lists, search, schemas and calls over the
// snapshot agree. A version that is no longer there is answered by the newest that is not later, and missing names it: a session
// that runs goes on.
func (c *Catalog) Pinned(projectID string, pins map[string]string) (s *Snapshot, missing []string) {
	current := c.Snapshot(projectID)
	var wanted []string
	for _, slug := range slices.Sorted(maps.Keys(pins)) {
		tk, ok := current.Toolkit(slug)
		if !ok || IsLatest(pins[slug]) || pins[slug] == tk.Version {
			continue
		}
		version := pins[slug]
		if !slices.Contains(tk.Versions, version) {
			missing = append(missing, slug)
			version = asOf(tk.Versions, version)
		}
		if version != "" && version != tk.Version {
			wanted = append(wanted, tk.Slug+"@"+version)
		}
	}
	if len(wanted) == 0 {
		return current, missing
	}
	key := current.ID + " " + projectID + " " + strings.Join(wanted, " ")
	if made, ok := c.pinned.get(key); ok {
		return made, missing
	}
	var own []*Toolkit
	for _, name := range wanted {
		slug, version, _ := strings.Cut(name, "@")
		tk, err := c.Version(projectID, slug, version)
		if err != nil {
			c.log.Error("a pinned version cannot be used; the current one is", "toolkit", slug, "version", version, "reason", err)
			missing = append(missing, slug)
			continue
		}
		own = append(own, tk)
	}
	made := current.Over(own...)
	c.pinned.put(key, made, 4096)
	return made, missing
}

// Version gives one version of a toolkit that a project sees. An unknown version is a fault that names those there are.
func (c *Catalog) Version(projectID, slug, version string) (*Toolkit, error) {
	current, ok := c.Snapshot(projectID).Toolkit(slug)
	switch {
	case !ok:
		return nil, fault.New(fault.NotFound, fault.SlugToolkitNotFound, "There is no toolkit %q.", shortText(slug))
	case IsLatest(version) || version == current.Version:
		return current, nil
	case !slices.Contains(current.Versions, version):
		return nil, fault.New(fault.NotFound, fault.SlugToolkitNotFound, "Toolkit %s has no version %q.", current.Slug, shortText(version)).
			WithFix("Use latest, or one of %s.", strings.Join(current.Versions, ", "))
	}
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	for _, shipped := range c.shipped {
		if shipped.Toolkit.Slug == current.Slug && shipped.Toolkit.Version == version { // the project is pinned to an older one
			return shipped.Toolkit.withVersions(current.Versions), nil
		}
	}
	of := c.server.Load()
	if kept, ok := c.projects.Load(projectID); ok && current.Custom {
		of = kept.(*shelf)
	}
	for _, s := range of.versions[current.Slug] {
		if s.Version == version {
			return c.version(ctx, s, current.Versions)
		}
	}
	return nil, fault.New(fault.NotFound, fault.SlugToolkitNotFound, "Version %s of toolkit %s is no longer there.", version, current.Slug)
}
