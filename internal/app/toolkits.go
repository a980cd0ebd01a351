package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/search"
)

// catalogOptions reads the shipped toolkits and the operator's own, and says what the operator set for each.
func catalogOptions(c config.Config, shipped fs.FS) (o catalog.Options, err error) {
	toolkits, err := catalog.LoadToolkits(shipped)
	if err != nil {
		return o, fmt.Errorf("shipped toolkits: %w", err)
	}
	o.Shipped, err = withFiles(shipped, toolkits)
	if err != nil {
		return o, err
	}
	for _, dir := range c.ToolkitDirs {
		own, err := loadDir(dir)
		if err != nil {
			return o, err
		}
		o.Files = append(o.Files, dir)
		for _, s := range own { // a toolkit of the operator's stands in for a shipped one
			o.Shipped = slices.DeleteFunc(o.Shipped, func(before catalog.Shipped) bool { return before.Toolkit.Slug == s.Toolkit.Slug })
		}
		o.Shipped = append(o.Shipped, own...)
	}
	all := make([]*catalog.Toolkit, len(o.Shipped))
	for i, s := range o.Shipped {
		all[i] = s.Toolkit
	}
	if _, err := catalog.NewSnapshot(all...); err != nil {
		return o, err
	}
	o.Override = overrides(c.Toolkits)
	return o, nil
}

// withFiles adds to toolkits in our own format the files that they were read from.
func withFiles(fsys fs.FS, toolkits []*catalog.Toolkit) ([]catalog.Shipped, error) {
	out := make([]catalog.Shipped, len(toolkits))
	for i, tk := range toolkits {
		files, err := catalog.ReadFiles(fsys, tk.Slug)
		if err != nil {
			return nil, err
		}
		out[i] = catalog.Shipped{Toolkit: tk, Files: files}
	}
	return out, nil
}

// loadCatalog is the catalog without what is stored.
func loadCatalog(ctx context.Context, c config.Config, shipped fs.FS) (*catalog.Snapshot, error) {
	o, err := catalogOptions(c, shipped)
	if err != nil {
		return nil, err
	}
	whole, err := catalog.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return whole.Snapshot(""), nil
}

// openCatalog is the whole catalog, with what is stored.
func (p *parts) openCatalog(ctx context.Context, o catalog.Options) (err error) {
	a := p.app
	directory := filepath.Join(a.config.Data, "catalog")
	p.index = search.NewIndexes(search.IndexesOptions{Directory: directory, Program: program(), Log: a.log, Vectors: p.vectorsOf()}).Of
	o.Store, o.Directory, o.Bus, o.Now, o.Log = p.store, directory, p.bus, a.now, a.log
	o.CheckURL = func(address string) error { return p.outbound.Check(context.Background(), address) }
	o.CheckCredential = func(address string) error { return p.outbound.CheckCredential(context.Background(), address) }
	o.Prepare = func(s *catalog.Snapshot) {
		if p.catalog != nil { // a new catalog takes the place of one that is in use: no search should wait for its index
			p.index(s)
		}
	}
	if p.catalog, err = catalog.Open(ctx, o); err != nil {
		return err
	}
	return p.checkOverrides()
}

// checkOverrides refuses settings of a toolkit that does not exist: a mistake that would otherwise go unnoticed.
func (p *parts) checkOverrides() error {
	snapshot, left := p.catalog.Snapshot(""), p.catalog.LeftOut("")
	for _, slug := range slices.Sorted(maps.Keys(p.app.config.Toolkits)) {
		isLeft := slices.ContainsFunc(left, func(l catalog.LeftOut) bool { return l.Slug == slug })
		if _, ok := snapshot.Toolkit(slug); !ok && !isLeft {
			return unknownToolkit(snapshot, slug)
		}
	}
	return nil
}

// program names this build of the program, as far as can be told: what it keeps of its own work is not for another one.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	state, err := os.Stat(path)
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%d %d", state.Size(), state.ModTime().UnixNano())
}

func loadDir(dir string) ([]catalog.Shipped, error) {
	toolkits, err := catalog.LoadToolkits(os.DirFS(dir))
	imported, wrong := filepath.Glob(filepath.Join(dir, "*.json"))
	err = errors.Join(err, wrong)
	if err == nil && len(toolkits)+len(imported) == 0 {
		err = fmt.Errorf("no directory in it holds a toolkit.yaml, and no file in it is an imported toolkit")
	}
	var own []catalog.Shipped
	if err == nil {
		own, err = withFiles(os.DirFS(dir), toolkits)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The toolkits in %s cannot be used.", dir).
			WithDetails(strings.Split(err.Error(), "\n")...).
			WithFix("Correct the files, or take the directory out of toolkit_dirs. Check one toolkit with: patchbay toolkit check DIR")
	}
	return own, nil
}

// overrides gives toolkits as the settings below toolkits.<slug> want them.
func overrides(settings map[string]config.Toolkit) func(*catalog.Toolkit) (*catalog.Toolkit, error) {
	return func(toolkit *catalog.Toolkit) (*catalog.Toolkit, error) {
		set, ok := settings[toolkit.Slug]
		if !ok {
			return toolkit, nil
		}
		return toolkit.With(catalog.Override{
			BaseURL:      set.BaseURL,
			AuthorizeURL: set.OAuth2.AuthorizeURL,
			TokenURL:     set.OAuth2.TokenURL,
			RevokeURL:    set.OAuth2.RevokeURL,
			Scopes:       set.OAuth2.Scopes,
		})
	}
}

func unknownToolkit(s *catalog.Snapshot, slug string) error {
	f := fault.New(fault.Invalid, fault.SlugToolkitNotFound, "The settings speak of a toolkit %q, which this server does not have.", slug)
	if near := s.NearestToolkits(slug, 3); len(near) > 0 {
		return f.WithFix("Did you mean %s?", strings.Join(near, ", "))
	}
	return f.WithFix("Remove toolkits.%s from the settings, or add the toolkit's directory to toolkit_dirs.", slug)
}

// oauthApps picks the operator's own OAuth apps out of the settings.
func oauthApps(settings map[string]config.Toolkit) map[string]connect.OAuthApp {
	apps := map[string]connect.OAuthApp{}
	for slug, t := range settings {
		if t.OAuth2.ClientID != "" {
			apps[slug] = connect.OAuthApp{ClientID: t.OAuth2.ClientID, ClientSecret: t.OAuth2.ClientSecret, Scopes: t.OAuth2.Scopes}
		}
	}
	return apps
}
