package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Snapshot copies a SQLite database to a new file, as it stands at one moment. Other processes go on reading and writing it. What
// was deleted is not in the copy.
func Snapshot(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("look for the database: %w", err) // opening it would make one
	}
	db, err := sql.Open("sqlite", sqliteDSN(from, "_txlock=deferred"))
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := makePrivateFile(to); err != nil { // SQLite fills an empty file, and would make it with another mode
		return fmt.Errorf("make the copy: %w", err)
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, to); err != nil {
		return errors.Join(fmt.Errorf("copy the database: %w", err), os.Remove(to))
	}
	return nil
}

// CheckFile reads a SQLite database file from end to end. A damaged one is a fault that says so.
func CheckFile(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", sqliteDSN(path, "_query_only=1"))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var verdict string
	err = db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict)
	if err == nil && verdict != "ok" {
		err = errors.New(verdict)
	}
	if err != nil {
		return fault.New(fault.Invalid, fault.SlugInvalid, "The database %s is damaged.", path).WithFix("Use another backup.").Because(err)
	}
	return nil
}

// CheckSealed opens everything that is sealed, and gives how many values that were. The first that does not open ends it.
func (s *Store) CheckSealed(ctx context.Context) (int, error) {
	opened, sealers := 0, s.freshSealers()
	for _, table := range sealedTables {
		err := s.eachSealed(ctx, table, func(rows []sealedRow) error {
			for _, row := range rows {
				sealer, err := sealers(ctx, row.project)
				if err != nil {
					return err
				}
				v := vault{sealer, table.name + "/" + row.id + "/"}
				for i, sealed := range row.values {
					if _, err := v.openBytes(sealed, table.columns[i]); err != nil {
						return err
					}
					if sealed != nil {
						opened++
					}
				}
			}
			return nil
		})
		if err != nil {
			return opened, err
		}
	}
	return opened, nil
}
