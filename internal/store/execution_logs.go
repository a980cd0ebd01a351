package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

const logColumns = `id, project_id, user_id, session_id, request_id, tool, toolkit, account_id, auth_config_id, origin, status, error, upstream,
	started_at, took, upstream_for`

func scanLog(r row) (e execute.LogEntry, err error) {
	var took, upstreamFor int64
	err = r.Scan(&e.ID, &e.ProjectID, &e.UserID, &e.SessionID, &e.RequestID, &e.Tool, &e.Toolkit, &e.AccountID, &e.AuthConfig, &e.Origin,
		&e.Status, &e.Error, &e.Upstream, at(&e.StartedAt), &took, &upstreamFor)
	e.Took, e.UpstreamFor = time.Duration(took)*time.Microsecond, time.Duration(upstreamFor)*time.Microsecond
	return e, err
}

// logValues gives what is stored, in the order of logColumns.
func logValues(e *execute.LogEntry) []any {
	return []any{e.ID, e.ProjectID, e.UserID, e.SessionID, e.RequestID, e.Tool, e.Toolkit, e.AccountID, e.AuthConfig, e.Origin,
		e.Status, e.Error, e.Upstream, micros(e.StartedAt), e.Took.Microseconds(), e.UpstreamFor.Microseconds()}
}

// logsPerStatement is how many entries one INSERT takes. SQLite's driver looks each parameter up by name, which costs more
// the more there are: with 64 rows half the time of writing the log went into that.
const logsPerStatement = 8

// AppendLogs stores entries, all or none.
func (s *Store) AppendLogs(ctx context.Context, entries []execute.LogEntry) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(ctx, "store execution logs", func(t *tx) error {
		for some := range slices.Chunk(entries, logsPerStatement) {
			var args []any
			for i := range some {
				args = append(args, logValues(&some[i])...)
			}
			if _, err := t.exec(`INSERT INTO execution_logs (`+logColumns+`) VALUES `+placeholders(len(some), len(args)/len(some)), args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// placeholders gives "($1, $2), ($3, $4)" for two rows of two columns.
func placeholders(rows, columns int) string {
	var text strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			text.WriteString("(")
		case i%columns == 0:
			text.WriteString("), (")
		default:
			text.WriteString(", ")
		}
		text.WriteString("$" + strconv.Itoa(i+1))
	}
	return text.String() + ")"
}

// Log gives one entry.
func (s *Store) Log(ctx context.Context, projectID, id string) (execute.LogEntry, error) {
	e, err := scanLog(s.db.reader().QueryRowContext(ctx,
		`SELECT `+logColumns+` FROM execution_logs WHERE project_id = $1 AND id = $2`, projectID, id))
	err = s.orMissing(err, func() error {
		return fault.New(fault.NotFound, fault.SlugNotFound, "There is no log entry %s in this project.", id)
	})
	return e, s.wrap("read execution log", err)
}

// DeleteLogsBefore deletes entries of calls that began before t and gives how many.
func (s *Store) DeleteLogsBefore(ctx context.Context, before time.Time) (int, error) {
	return s.inBatches(ctx, "delete execution logs", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM execution_logs WHERE (project_id, id) IN (
			SELECT project_id, id FROM execution_logs WHERE started_at < $1 ORDER BY started_at LIMIT $2)`, micros(before), batch)
		return int(n), err
	})
}
