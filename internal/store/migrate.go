package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// migrations hold one set of files for both databases.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. A database of a newer server is refused, because what was added there is not known
// here.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, options ...goose.ProviderOption) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	options = append(options, goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_versions"), goose.WithLogger(goose.NopLogger()))
	provider, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	stored, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if stored > known {
		return fault.New(fault.Invalid, fault.SlugInvalid, "The database has schema version %d; this server knows versions up to %d.", stored, known).
			WithFix("Start the server version that the database was last used with, or a newer one.")
	}
	return nil
}
