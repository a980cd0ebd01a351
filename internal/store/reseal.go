package store

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

// sealedTable is a table with columns that hold what a vault sealed.
type sealedTable struct {
	name    string
	key     []string // a unique one
	row     string   // what vaultOf was given
	columns []string
}

// sealedTables lists every column in which something is sealed; a test compares it with the schema. Rotation of keys works
// through it, so a column that is not here would be lost when old keys are retired.
var sealedTables = []sealedTable{
	{"auth_configs", []string{"project_id", "id"}, "id", []string{"credentials", "shared", "proxy_key"}},
	{"connected_accounts", []string{"project_id", "id"}, "id", []string{"fields"}},
	{"connection_requests", []string{"token_hash"}, "token_hash", []string{"verifier", "prefill", "held"}},
	{"events", []string{"project_id", "id"}, "id", []string{"data"}},
	{"imports", []string{"project_id", "id"}, "id", []string{"request", "description"}},
	{"idempotent_answers", []string{"project_id", "key"}, "key", []string{"answer"}},
	{"session_memories", []string{"project_id", "session_id", "task"}, "task", []string{"notes"}},
	{"webhook_endpoints", []string{"project_id", "id"}, "id", []string{"data"}},
	{"webhook_subscriptions", []string{"project_id", "id"}, "id", []string{"secret", "previous_secret"}},
}

// Resealing says how far a Reseal is.
type Resealing struct {
	Table    string // which one is read
	Pass     int    // from 1; the last finds nothing to do
	Rows     int    // read so far in this pass
	Total    int    // rows of all the tables when it began
	Resealed int    // values that were sealed anew so far, in all passes
}

// resealBatch is how many rows are read, and changed in one transaction: few enough that other writers hardly wait.
const resealBatch = 200

// resealPasses bounds how often all is read again because something was sealed with an old key in between.
const resealPasses = 20

// errRestless says that there was always something that had been sealed with an old key meanwhile.
var errRestless = errors.New("other nodes go on sealing with an old key")

// Reseal seals everything anew that is not sealed with the primary key of its keyset, in batches, while others read and write.
// When it is done, a whole pass has found nothing. It can be broken off and begun again at any time.
func (s *Store) Reseal(ctx context.Context, progress func(Resealing)) error {
	var at Resealing
	for _, table := range sealedTables {
		rows := 0
		if err := s.db.reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM `+table.name).Scan(&rows); err != nil {
			return s.wrap("count what is sealed in "+table.name, err)
		}
		at.Total += rows
	}
	for at.Pass = 1; at.Pass <= resealPasses; at.Pass++ {
		before := at.Resealed
		at.Rows = 0
		sealers := s.freshSealers()
		for _, table := range sealedTables {
			at.Table = table.name
			err := s.eachSealed(ctx, table, func(rows []sealedRow) error {
				changed, err := s.resealRows(ctx, table, rows, sealers)
				at.Rows += len(rows)
				at.Resealed += changed
				progress(at)
				return err
			})
			if err != nil {
				return err
			}
		}
		if at.Resealed == before {
			return nil
		}
	}
	return errRestless
}

// SealedWithOldKeys counts the values that are not sealed with the primary key of their keyset.
func (s *Store) SealedWithOldKeys(ctx context.Context) (int, error) {
	old, sealers := 0, s.freshSealers()
	for _, table := range sealedTables {
		err := s.eachSealed(ctx, table, func(rows []sealedRow) error {
			for _, row := range rows {
				sealer, err := sealers(ctx, row.project)
				if err != nil {
					return err
				}
				for _, value := range row.values {
					if value != nil && !sealer.Current(value) {
						old++
					}
				}
			}
			return nil
		})
		if err != nil {
			return old, err
		}
	}
	return old, nil
}

// sealersOf gives the sealer of a project.
type sealersOf func(ctx context.Context, projectID string) (*secret.Sealer, error)

// freshSealers looks at each project's stored keyset once.
func (s *Store) freshSealers() sealersOf {
	known := make(map[string]*secret.Sealer)
	return func(ctx context.Context, projectID string) (*secret.Sealer, error) {
		if sealer := known[projectID]; sealer != nil {
			return sealer, nil
		}
		sealer, err := s.keyring.Fresh(ctx, projectID)
		known[projectID] = sealer
		return sealer, err
	}
}

// sealedRow is what is sealed in one row.
type sealedRow struct {
	project, id string
	key         []string
	values      [][]byte // of the table's columns
}

// eachSealed reads a table in batches, in the order of its primary key.
func (s *Store) eachSealed(ctx context.Context, table sealedTable, f func([]sealedRow) error) error {
	after := make([]any, len(table.key))
	marks := make([]string, len(table.key))
	for i := range after {
		after[i], marks[i] = "", "$"+strconv.Itoa(i+1)
	}
	key := strings.Join(table.key, ", ")
	query := `SELECT project_id, ` + table.row + `, ` + key + `, ` + strings.Join(table.columns, ", ") + ` FROM ` + table.name +
		` WHERE (` + key + `) > (` + strings.Join(marks, ", ") + `) ORDER BY ` + key + ` LIMIT ` + strconv.Itoa(resealBatch)
	for {
		rows, err := collect(ctx, s.db.reader(), table.scan, query, after...)
		if err != nil {
			return s.wrap("read what is sealed in "+table.name, err)
		}
		if len(rows) == 0 {
			return nil
		}
		for i, value := range rows[len(rows)-1].key {
			after[i] = value
		}
		if err := f(rows); err != nil {
			return err
		}
	}
}

func (table sealedTable) scan(r row) (one sealedRow, err error) {
	one.key, one.values = make([]string, len(table.key)), make([][]byte, len(table.columns))
	into := []any{&one.project, &one.id}
	for i := range one.key {
		into = append(into, &one.key[i])
	}
	for i := range one.values {
		into = append(into, &one.values[i])
	}
	return one, r.Scan(into...)
}

// resealing is one value on its way from an old key to the primary one.
type resealing struct {
	column   string
	key      []string
	old, new []byte
}

// resealRows seals the values of rows anew that need it, and gives how many it replaced. A value that somebody else replaced
// meanwhile is left as it is.
func (s *Store) resealRows(ctx context.Context, table sealedTable, rows []sealedRow, sealers sealersOf) (int, error) {
	var work []resealing
	for _, row := range rows {
		sealer, err := sealers(ctx, row.project)
		if err != nil {
			return 0, err
		}
		if work, err = table.reseal(work, sealer, row); err != nil {
			return 0, err
		}
	}
	if len(work) == 0 {
		return 0, nil
	}
	replaced := 0
	err := s.write(ctx, "seal anew in "+table.name, func(t *tx) error {
		replaced = 0
		for _, one := range work {
			n, err := t.exec(table.replace(one.column), one.args()...)
			if err != nil {
				return err
			}
			replaced += int(n)
		}
		return nil
	})
	return replaced, err
}

// reseal adds the values of a row that need it, sealed anew.
func (table sealedTable) reseal(work []resealing, sealer *secret.Sealer, row sealedRow) ([]resealing, error) {
	v := vault{sealer, table.name + "/" + row.id + "/"}
	for i, old := range row.values {
		if old == nil || sealer.Current(old) {
			continue
		}
		plain, err := v.openBytes(old, table.columns[i])
		if err != nil {
			return nil, err
		}
		sealed, err := v.sealBytes(plain, table.columns[i])
		if err != nil {
			return nil, err
		}
		work = append(work, resealing{table.columns[i], row.key, old, sealed})
	}
	return work, nil
}

// replace is the statement that puts a new value in the place of the old one. The version of a row stays: what it says is
// the same.
func (table sealedTable) replace(column string) string {
	statement := `UPDATE ` + table.name + ` SET ` + column + ` = $1 WHERE ` + column + ` = $2`
	for i, name := range table.key {
		statement += ` AND ` + name + ` = $` + strconv.Itoa(i+3)
	}
	return statement
}

func (r resealing) args() []any {
	args := []any{r.new, r.old}
	for _, value := range r.key {
		args = append(args, value)
	}
	return args
}
