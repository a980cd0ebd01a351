package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Added says what storing a toolkit came to.
type Added struct {
	Stored
	Unchanged bool // the content is that of the current version: nothing was stored
	Diff      Changes
}

// Limits of what a project may store; the server's operator has none but those of documents.
const (
	maxProjectToolkits = 200
	maxProjectTools    = 5_000 // in one toolkit
)

// Check says what Add would say, and stores nothing.
func (c *Catalog) Check(projectID string, d Document) (*Toolkit, error) {
	tk, err := d.toolkit()
	if err != nil {
		return nil, asInvalid(err)
	}
	if reservedSlugs[tk.Slug] {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The slug %q is reserved.", tk.Slug)
	}
	if err := tk.mayRun(projectID); err != nil {
		return nil, err
	}
	if err := c.checkAddress(projectID, d, tk); err != nil {
		return nil, err
	}
	base := c.base.Load()
	if other, taken := base.Toolkit(tk.Slug); taken && (projectID != "" || c.isShipped(tk.Slug)) {
		return nil, fault.New(fault.Conflict, fault.SlugConflict, "The server has a toolkit %q (%s) already.", other.Slug, other.Name).
			WithFix("Choose another slug, for example my_%s.", other.Slug)
	}
	if lines := c.Snapshot(projectID).claimed(tk); len(lines) > 0 {
		return nil, fault.New(fault.Conflict, fault.SlugConflict, "Other toolkits have tools of the same names: %s.", strings.Join(lines[:min(5, len(lines))], ", ")).
			WithDetails(lines...).WithFix("Choose another slug for the toolkit.")
	}
	if projectID == "" {
		return tk, nil
	}
	if n := len(tk.Tools); n > maxProjectTools {
		return nil, tooLarge("it has %d tools; a project's own toolkit may have %d", n, maxProjectTools)
	}
	if kept, ok := c.projects.Load(projectID); ok {
		all := kept.(*shelf).versions
		if _, update := all[tk.Slug]; !update && len(all) >= maxProjectToolkits {
			return nil, fault.New(fault.Unprocessable, fault.SlugInvalid, "The project has %d toolkits of its own, which is as many as it may have.", len(all)).
				WithFix("Delete one that is not used: DELETE /api/v3.1/custom/toolkits/{slug}.")
		}
	}
	return tk, nil
}

// checkAddress refuses places that a toolkit must not send requests to, or that a server's credentials must not.
func (c *Catalog) checkAddress(projectID string, d Document, tk *Toolkit) error {
	if tk.BaseURL == nil {
		return nil
	}
	if projectID != "" && c.checkURL != nil {
		if err := c.checkURL(tk.BaseURL.String()); err != nil {
			return err
		}
	}
	if d.Definition != nil && d.Definition.Source.Kind == SourceMCP && !tk.NoAuth() && c.checkCred != nil {
		return c.checkCred(tk.BaseURL.String())
	}
	return nil
}

func (c *Catalog) isShipped(slug string) bool {
	return slices.ContainsFunc(c.shipped, func(s Shipped) bool { return s.Toolkit.Slug == slug }) ||
		slices.ContainsFunc(c.files, func(f definitionFile) bool { return f.toolkit != nil && f.toolkit.Slug == slug })
}

// Add stores a toolkit, for one project or with the empty id for the server, and has it served on all nodes. Where a toolkit of
// this slug is there already it becomes a new version, and older names of its tools go on resolving; content that is already
// there is not stored again.
func (c *Catalog) Add(ctx context.Context, projectID string, d Document) (Added, error) {
	if c.store == nil {
		return Added{}, errors.New("catalog: nothing can be stored without a store")
	}
	tk, err := c.Check(projectID, d)
	if err != nil {
		return Added{}, err
	}
	known, err := c.storedVersions(ctx, projectID, tk.Slug)
	if err != nil {
		return Added{}, err
	}
	if err := d.mayFollow(tk.Slug, known); err != nil {
		return Added{}, err
	}
	if d.Definition != nil {
		own := *d.Definition // the caller's stays as it is
		own.Tools = slices.Clone(own.Tools)
		d.Definition = &own
		if err := c.inherit(ctx, &d, known); err != nil {
			return Added{}, err
		}
		if tk, err = d.Definition.Toolkit(); err != nil {
			return Added{}, asInvalid(err)
		}
	}
	version, err := c.chooseVersion(d, tk, known)
	if err != nil {
		return Added{}, err
	}
	if d.Definition != nil {
		d.Definition.Version = version
	}
	form, hash, data, err := d.encode()
	if err != nil {
		return Added{}, err
	}
	added := Added{Stored: Stored{
		ProjectID: projectID, Slug: tk.Slug, Version: version, Name: tk.Name, Form: form, Origin: OriginAdded,
		Hash: hash, Tools: len(tk.Tools), CreatedAt: c.now().UTC().Truncate(time.Microsecond), Source: Source{Kind: "custom"},
	}}
	if d.Definition != nil && d.Definition.Source.Kind != "" {
		added.Source = d.Definition.Source
	}
	if len(known) > 0 {
		if known[0].Hash == hash {
			added.Stored, added.Unchanged = known[0], true
			return added, nil
		}
		if before, err := c.open(ctx, known[0]); err == nil { // one that cannot be read any more is no reason not to replace it
			added.Diff = Diff(before, tk)
			added.Changes = added.Diff.String()
		}
	}
	store := c.store.CreateToolkit
	if slices.ContainsFunc(known, func(s Stored) bool { return s.Version == version }) {
		store = c.store.PutToolkit
	}
	if err := store(ctx, added.Stored, data); err != nil {
		return Added{}, err
	}
	if len(known) >= keptVersions {
		if err := c.dropOld(ctx, known[keptVersions-1:]); err != nil {
			return Added{}, err
		}
	}
	return added, c.reload(context.WithoutCancel(ctx), projectID)
}

// mayFollow refuses a document that was made of another version than the newest there is.
func (d Document) mayFollow(slug string, known []Stored) error {
	if d.Over == "" || len(known) > 0 && known[0].Version == d.Over {
		return nil
	}
	return fault.New(fault.Conflict, fault.SlugConflict, "The toolkit %s was changed or deleted meanwhile.", slug).WithFix("Look at it again, and repeat what is still wanted.")
}

// dropOld deletes versions of a toolkit, but for those that a project is pinned to.
func (c *Catalog) dropOld(ctx context.Context, versions []Stored) error {
	pins, err := c.store.ToolkitPins(ctx)
	if err != nil {
		return err
	}
	var old []string
	for _, v := range versions {
		if !slices.ContainsFunc(pins, v.heldBy) {
			old = append(old, v.Version)
		}
	}
	return c.store.DeleteToolkitVersions(ctx, versions[0].ProjectID, versions[0].Slug, old...)
}

// inherit lets a definition keep the names of the version before.
func (c *Catalog) inherit(ctx context.Context, d *Document, known []Stored) error {
	if len(known) == 0 || known[0].Form != FormDefinition {
		return nil
	}
	data, err := c.store.ToolkitDocument(ctx, known[0].ProjectID, known[0].Slug, known[0].Version)
	if err != nil {
		return err
	}
	if before, err := decodeDocument(known[0].Form, data); err == nil {
		d.Definition.keepNames(before.Definition)
	}
	return nil
}

// chooseVersion takes the version that the document says, or makes the next one.
func (c *Catalog) chooseVersion(d Document, tk *Toolkit, known []Stored) (string, error) {
	var versions []string
	for _, s := range known {
		versions = append(versions, s.Version)
	}
	if d.Definition != nil && d.Definition.Version == "" {
		return nextVersion(c.now(), versions), nil
	}
	if len(versions) > 0 && tk.Version < versions[0] {
		return "", fault.New(fault.Conflict, fault.SlugConflict, "Version %s of %s is older than %s, which is there.", tk.Version, tk.Slug, versions[0]).
			WithFix("Give it version %s, or none.", nextVersion(c.now(), versions))
	}
	return tk.Version, nil
}

// storedVersions gives the versions of a toolkit that was added, newest first.
func (c *Catalog) storedVersions(ctx context.Context, projectID, slug string) ([]Stored, error) {
	rows, err := c.store.StoredToolkitsOf(ctx, projectID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(newShelf(rows, nil).versions[slug], func(s Stored) bool { return s.Origin != OriginAdded }), nil
}

// Remove deletes a toolkit of a project, or of the server, in all its versions.
func (c *Catalog) Remove(ctx context.Context, projectID, slug string) error {
	if c.store == nil {
		return errors.New("catalog: nothing is stored without a store")
	}
	slug = strings.ToLower(slug)
	known, err := c.storedVersions(ctx, projectID, slug)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		f := fault.New(fault.NotFound, fault.SlugToolkitNotFound, "There is no toolkit %q that was added here.", shortText(slug))
		if c.isShipped(slug) {
			return f.WithFix("%s came with the server or from a directory of toolkit_dirs, and cannot be removed by this.", slug)
		}
		return f
	}
	var versions []string
	for _, s := range known {
		versions = append(versions, s.Version)
	}
	if err := c.store.DeleteToolkitVersions(ctx, projectID, slug, versions...); err != nil {
		return err
	}
	return c.reload(context.WithoutCancel(ctx), projectID)
}

// List gives what was added for a project, or for the server: the current version of each, by slug.
func (c *Catalog) List(projectID string) []Stored {
	of := c.shelfOf(projectID)
	var list []Stored
	for _, versions := range of.versions {
		if s := newestAdded(versions); s.Slug != "" {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Stored) int { return strings.Compare(a.Slug, b.Slug) })
	return list
}

// History gives the versions of a toolkit that a project sees, newest first, with what each changed.
func (c *Catalog) History(projectID string, tk *Toolkit) []Stored {
	var history []Stored
	if tk.Custom {
		history = slices.Clone(c.shelfOf(projectID).versions[tk.Slug])
	} else {
		history = slices.Clone(c.shelfOf("").versions[tk.Slug])
	}
	if !slices.ContainsFunc(history, func(s Stored) bool { return s.Version == tk.Version }) {
		history = append(history, Stored{Slug: tk.Slug, Version: tk.Version, CreatedAt: tk.UpdatedAt})
		slices.SortFunc(history, func(a, b Stored) int { return strings.Compare(b.Version, a.Version) })
	}
	return history
}

func (c *Catalog) shelfOf(projectID string) *shelf {
	if projectID == "" {
		return c.server.Load()
	}
	if kept, ok := c.projects.Load(projectID); ok {
		return kept.(*shelf)
	}
	return &shelf{}
}

// Pin keeps a project at one version of a toolkit until it is pinned to another; "latest" lets it follow again.
func (c *Catalog) Pin(ctx context.Context, projectID, slug, version string) error {
	if c.store == nil || projectID == "" {
		return errors.New("catalog: pins are a project's and are stored")
	}
	tk, err := c.Version(projectID, slug, version)
	if err != nil {
		return err
	}
	pin := Pin{ProjectID: projectID, Slug: tk.Slug, Version: tk.Version}
	if IsLatest(version) {
		pin.Version = ""
	}
	if err := c.store.PutToolkitPin(ctx, pin); err != nil {
		return err
	}
	return c.reload(context.WithoutCancel(ctx), projectID)
}

// Pins gives the pins of a project, by slug.
func (c *Catalog) Pins(projectID string) map[string]string { return c.shelfOf(projectID).pins }

// keepShipped stores the versions of what is shipped, so that a newer binary still has them.
func (c *Catalog) keepShipped(ctx context.Context) {
	kept := 0
	keeping := c.keeping
	c.keeping = nil // megabytes of text that nobody needs afterwards
	for _, s := range keeping {
		stored, err := c.keep(ctx, s)
		if err != nil {
			if ctx.Err() == nil {
				c.log.Error("a toolkit's version could not be kept", "toolkit", s.Toolkit.Slug, "error", err)
			}
			continue
		}
		kept += stored
	}
	if kept > 0 {
		c.log.Info("versions of toolkits are kept for pins", "toolkits", kept)
	}
}

func (c *Catalog) keep(ctx context.Context, s Shipped) (stored int, err error) {
	if s.Files == nil {
		return 0, nil
	}
	form, hash, data, err := Document{Files: s.Files}.encode()
	if err != nil {
		return 0, err
	}
	versions := c.shelfOf("").versions[s.Toolkit.Slug]
	row := Stored{
		Slug: s.Toolkit.Slug, Version: s.Toolkit.Version, Name: s.Toolkit.Name, Form: form, Origin: OriginShipped, Hash: hash,
		Tools: len(s.Toolkit.Tools), CreatedAt: c.now().UTC().Truncate(time.Microsecond), Source: Source{Kind: "shipped"},
	}
	for _, v := range versions {
		if v.Version == row.Version {
			if v.Hash == hash || v.Origin != OriginShipped {
				return 0, nil
			}
			row.CreatedAt, row.Changes = v.CreatedAt, v.Changes // the same version was edited
		}
	}
	if at := slices.IndexFunc(versions, func(v Stored) bool { return v.Version < row.Version }); at >= 0 && row.Changes == "" {
		if before, err := c.openDocument(ctx, versions[at]); err == nil {
			row.Changes = Diff(before, s.Toolkit).String()
		}
	}
	return 1, c.store.PutToolkit(ctx, row, data)
}

// Sweep deletes packed toolkits that nothing stored refers to any more. It gives how many.
func (c *Catalog) Sweep(ctx context.Context) (int, error) {
	if c.store == nil || c.directory == "" {
		return 0, nil
	}
	c.loading.Lock()
	defer c.loading.Unlock()
	rows, err := c.store.StoredToolkits(ctx)
	if err != nil {
		return 0, err
	}
	used := make(map[string]bool, len(rows))
	for _, s := range rows {
		used[filepath.Base(c.packedPath(s))] = true
	}
	for _, f := range c.files {
		used[f.packed] = true
	}
	entries, err := os.ReadDir(c.directory)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	removed := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".toolkit") && !used[e.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(c.directory, e.Name())))
			removed++
		}
	}
	return removed, err
}

// asInvalid makes a fault of an error about a caller's document.
func asInvalid(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	lines := strings.Split(err.Error(), "\n")
	return fault.New(fault.Invalid, fault.SlugInvalid, "The toolkit cannot be used: %s", fmt.Sprintf("%.500s", lines[0])).WithDetails(lines[:min(len(lines), 100)]...)
}
