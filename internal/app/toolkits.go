package app

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// loadCatalog reads the shipped toolkits and the operator's own, and applies the operator's overrides.
func loadCatalog(c config.Config, shipped fs.FS) (*catalog.Snapshot, error) {
	toolkits, err := catalog.LoadToolkits(shipped)
	if err != nil {
		return nil, fmt.Errorf("shipped toolkits: %w", err)
	}
	for _, dir := range c.ToolkitDirs {
		own, err := loadDir(dir)
		if err != nil {
			return nil, err
		}
		toolkits = append(toolkits, own...)
	}
	snapshot, err := catalog.NewSnapshot(toolkits...)
	if err != nil || len(c.Toolkits) == 0 {
		return snapshot, err
	}
	return withOverrides(snapshot, c.Toolkits)
}

func loadDir(dir string) ([]*catalog.Toolkit, error) {
	toolkits, err := catalog.LoadToolkits(os.DirFS(dir))
	imported, wrong := catalog.LoadDefinitions(os.DirFS(dir))
	toolkits, err = append(toolkits, imported...), errors.Join(err, wrong)
	if err == nil && len(toolkits) == 0 {
		err = fmt.Errorf("no directory in it holds a toolkit.yaml, and no file in it is an imported toolkit")
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The toolkits in %s cannot be used.", dir).
			WithDetails(strings.Split(err.Error(), "\n")...).
			WithFix("Correct the files, or take the directory out of toolkit_dirs. Check one toolkit with: patchbay toolkit check DIR")
	}
	return toolkits, nil
}

// withOverrides gives the snapshot as the settings below toolkits.<slug> want it. Settings of a toolkit that does not exist
// are a mistake that would otherwise go unnoticed.
func withOverrides(s *catalog.Snapshot, settings map[string]config.Toolkit) (*catalog.Snapshot, error) {
	changed := map[string]*catalog.Toolkit{}
	for _, slug := range slices.Sorted(maps.Keys(settings)) {
		toolkit, ok := s.Toolkit(slug)
		if !ok {
			return nil, unknownToolkit(s, slug)
		}
		set := settings[slug]
		overridden, err := toolkit.With(catalog.Override{
			BaseURL:      set.BaseURL,
			AuthorizeURL: set.OAuth2.AuthorizeURL,
			TokenURL:     set.OAuth2.TokenURL,
			RevokeURL:    set.OAuth2.RevokeURL,
			Scopes:       set.OAuth2.Scopes,
		})
		if err != nil {
			return nil, err
		}
		changed[toolkit.Slug] = overridden
	}
	all := slices.Clone(s.Toolkits())
	for i, toolkit := range all {
		if overridden, ok := changed[toolkit.Slug]; ok {
			all[i] = overridden
		}
	}
	return catalog.NewSnapshot(all...)
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
