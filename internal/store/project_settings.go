package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Settings gives what a project chose; the zero value where it chose nothing, or does not exist.
func (s *Store) Settings(ctx context.Context, projectID string) (tenant.Settings, error) {
	settings, _, err := s.settings(ctx, projectID)
	return settings, err
}

func (s *Store) settings(ctx context.Context, projectID string) (settings tenant.Settings, version int64, err error) {
	err = s.db.reader().QueryRowContext(ctx, `SELECT document, version FROM project_settings WHERE project_id = $1`, projectID).
		Scan(asJSON(&settings), &version)
	if errors.Is(err, sql.ErrNoRows) || s.db.violation(err).text {
		return tenant.Settings{}, 0, nil
	}
	return settings, version, s.wrap("read project settings", err)
}

// UpdateSettings reads, changes and writes in one step.
func (s *Store) UpdateSettings(ctx context.Context, projectID string, change func(*tenant.Settings) error) (tenant.Settings, error) {
	var settings tenant.Settings
	err := swap(ctx, "The settings of project "+projectID, func() error {
		var version int64
		var err error
		if settings, version, err = s.settings(ctx, projectID); err != nil {
			return err
		}
		if err := change(&settings); err != nil {
			return err
		}
		return s.replaceSettings(ctx, projectID, settings, version)
	})
	if s.db.violation(err).foreignKey {
		return tenant.Settings{}, fault.New(fault.NotFound, fault.SlugNotFound, "There is no project %s.", projectID).Because(err)
	}
	return settings, err
}

// replaceSettings writes settings if the version they were read with is still what is stored; 0 is none.
func (s *Store) replaceSettings(ctx context.Context, projectID string, settings tenant.Settings, version int64) error {
	return s.write(ctx, "store project settings", func(t *tx) error {
		n, err := t.exec(`INSERT INTO project_settings (project_id, document, version) VALUES ($1, $2, 1)
			ON CONFLICT (project_id) DO UPDATE SET document = excluded.document, version = project_settings.version + 1
			WHERE project_settings.version = $3`, projectID, asJSON(settings), version)
		if err == nil && n == 0 {
			return errSwapped
		}
		t.announce(notify.Project, projectID, "")
		return err
	})
}
