package store

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

var _ catalog.Store = (*Store)(nil)

const toolkitColumns = `project_id, slug, version, name, form, origin, source, hash, tools, changes, created_at`

func scanToolkit(r row) (v catalog.Stored, err error) {
	err = r.Scan(&v.ProjectID, &v.Slug, &v.Version, &v.Name, &v.Form, &v.Origin, asJSON(&v.Source), &v.Hash, &v.Tools, &v.Changes, at(&v.CreatedAt))
	return v, err
}

// StoredToolkits gives all versions of the toolkits of all projects and of the server, without their documents.
func (s *Store) StoredToolkits(ctx context.Context) ([]catalog.Stored, error) {
	v, err := collect(ctx, s.db.listReader(), scanToolkit, `SELECT `+toolkitColumns+` FROM toolkits WHERE project_id >= '' ORDER BY project_id, slug, version`)
	return v, s.wrap("list toolkits", err)
}

// StoredToolkitsOf gives those of one project, or of the server with the empty id.
func (s *Store) StoredToolkitsOf(ctx context.Context, projectID string) ([]catalog.Stored, error) {
	v, err := collect(ctx, s.db.listReader(), scanToolkit, `SELECT `+toolkitColumns+` FROM toolkits WHERE project_id = $1 ORDER BY slug, version`, projectID)
	return v, s.wrap("list toolkits", err)
}

// ToolkitDocument gives the document of one version.
func (s *Store) ToolkitDocument(ctx context.Context, projectID, slug, version string) (document []byte, err error) {
	err = s.db.reader().QueryRowContext(ctx,
		`SELECT document FROM toolkit_documents WHERE project_id = $1 AND slug = $2 AND version = $3`, projectID, slug, version).Scan(&document)
	err = s.orMissing(err, func() error {
		return fault.New(fault.NotFound, fault.SlugToolkitNotFound, "Version %s of toolkit %s is not stored.", version, slug)
	})
	return document, s.wrap("read toolkit", err)
}

// CreateToolkit stores a version of a toolkit that was not there.
func (s *Store) CreateToolkit(ctx context.Context, v catalog.Stored, document []byte) error {
	return s.insertToolkit(ctx, v, document, func(*tx) error { return nil })
}

// PutToolkit stores a version of a toolkit, in place of one with the same name.
func (s *Store) PutToolkit(ctx context.Context, v catalog.Stored, document []byte) error {
	return s.insertToolkit(ctx, v, document, func(t *tx) error { return deleteToolkit(t, v.ProjectID, v.Slug, v.Version) })
}

func (s *Store) insertToolkit(ctx context.Context, v catalog.Stored, document []byte, before func(t *tx) error) error {
	err := s.write(ctx, "store toolkit", func(t *tx) error {
		if err := before(t); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO toolkits (`+toolkitColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			v.ProjectID, v.Slug, v.Version, v.Name, v.Form, v.Origin, asJSON(v.Source), v.Hash, v.Tools, v.Changes, micros(v.CreatedAt))
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO toolkit_documents (project_id, slug, version, document) VALUES ($1, $2, $3, $4)`,
			v.ProjectID, v.Slug, v.Version, document)
		t.announce(notify.Toolkit, v.ProjectID, "")
		return err
	})
	if s.db.violation(err).unique { // somebody else stored the same version at the same moment
		return fault.New(fault.Conflict, fault.SlugConflict, "Version %s of toolkit %s is being stored by somebody else.", v.Version, v.Slug).Because(err).
			WithFix("Try again; the content may be there already.")
	}
	return err
}

func deleteToolkit(t *tx, projectID, slug, version string) error {
	for _, table := range []string{"toolkit_documents", "toolkits"} {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE project_id = $1 AND slug = $2 AND version = $3`, projectID, slug, version); err != nil {
			return err
		}
	}
	return nil
}

// DeleteToolkitVersions deletes the named versions of a toolkit.
func (s *Store) DeleteToolkitVersions(ctx context.Context, projectID, slug string, versions ...string) error {
	return s.write(ctx, "delete toolkit", func(t *tx) error {
		for _, version := range versions {
			if err := deleteToolkit(t, projectID, slug, version); err != nil {
				return err
			}
		}
		t.announce(notify.Toolkit, projectID, "")
		return nil
	})
}

func scanPin(r row) (p catalog.Pin, err error) {
	err = r.Scan(&p.ProjectID, &p.Slug, &p.Version)
	return p, err
}

// ToolkitPins gives the pins of all projects.
func (s *Store) ToolkitPins(ctx context.Context) ([]catalog.Pin, error) {
	v, err := collect(ctx, s.db.listReader(), scanPin, `SELECT project_id, slug, version FROM toolkit_pins WHERE project_id >= '' ORDER BY project_id, slug`)
	return v, s.wrap("list toolkit pins", err)
}

// ToolkitPinsOf gives the pins of one project.
func (s *Store) ToolkitPinsOf(ctx context.Context, projectID string) ([]catalog.Pin, error) {
	v, err := collect(ctx, s.db.listReader(), scanPin, `SELECT project_id, slug, version FROM toolkit_pins WHERE project_id = $1 ORDER BY slug`, projectID)
	return v, s.wrap("list toolkit pins", err)
}

// PutToolkitPin sets a pin; with an empty version it takes it away.
func (s *Store) PutToolkitPin(ctx context.Context, p catalog.Pin) error {
	return s.write(ctx, "pin toolkit", func(t *tx) error {
		_, err := t.exec(`DELETE FROM toolkit_pins WHERE project_id = $1 AND slug = $2`, p.ProjectID, p.Slug)
		if err == nil && p.Version != "" {
			_, err = t.exec(`INSERT INTO toolkit_pins (project_id, slug, version) VALUES ($1, $2, $3)`, p.ProjectID, p.Slug, p.Version)
		}
		t.announce(notify.Toolkit, p.ProjectID, "")
		return err
	})
}
