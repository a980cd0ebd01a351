package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/session"
)

const sessionColumns = `id, project_id, user_id, config, version, token_hash, created_at, updated_at, expires_at`

func scanSession(r row) (v session.Session, err error) {
	err = r.Scan(&v.ID, &v.ProjectID, &v.UserID, asJSON(&v.Config), &v.Version, &v.TokenHash,
		at(&v.CreatedAt), at(&v.UpdatedAt), at(&v.ExpiresAt))
	return v, err
}

// alive is the condition under which a session exists for anybody who asks.
const alive = `(expires_at = 0 OR expires_at > ?)`

func noSession(id string) error {
	return fault.New(fault.NotFound, fault.SlugSessionNotFound, "There is no session %s in this project; it may have ended.", id).
		WithFix("Create a new session for the user.")
}

// CreateSession stores a new session. Nobody can hold anything about it yet, so the bus is not told.
func (s *Store) CreateSession(ctx context.Context, v session.Session) error {
	err := s.write(ctx, "store session", func(t *tx) error {
		_, err := t.exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			v.ID, v.ProjectID, v.UserID, asJSON(v.Config), v.Version, v.TokenHash,
			micros(v.CreatedAt), micros(v.UpdatedAt), micros(v.ExpiresAt))
		return err
	})
	if s.db.violation(err).unique {
		return fault.New(fault.Conflict, fault.SlugConflict, "Session %s exists already.", v.ID).Because(err)
	}
	return err
}

// Session gives a session.
func (s *Store) Session(ctx context.Context, projectID, id string) (session.Session, error) {
	v, err := one(ctx, s, scanSession,
		`SELECT `+sessionColumns+` FROM sessions WHERE project_id = $1 AND id = $2 AND (expires_at = 0 OR expires_at > $3)`,
		projectID, id, micros(s.now()))
	err = s.orMissing(err, func() error { return noSession(id) })
	return v, s.wrap("read session", err)
}

// SessionByToken finds the session that a bearer token opens, in whatever project.
func (s *Store) SessionByToken(ctx context.Context, tokenHash string) (session.Session, error) {
	v, err := one(ctx, s, scanSession,
		`SELECT `+sessionColumns+` FROM sessions WHERE token_hash = $1 AND token_hash <> '' AND (expires_at = 0 OR expires_at > $2)`,
		tokenHash, micros(s.now()))
	err = s.orMissing(err, func() error {
		return fault.New(fault.NotFound, fault.SlugSessionNotFound, "The token opens no session; the session may have ended.")
	})
	return v, s.wrap("find session", err)
}

// NewestSession gives a user's newest session.
func (s *Store) NewestSession(ctx context.Context, projectID, userID string) (session.Session, error) {
	v, err := one(ctx, s, scanSession,
		`SELECT `+sessionColumns+` FROM sessions WHERE project_id = $1 AND user_id = $2 AND (expires_at = 0 OR expires_at > $3)
		ORDER BY created_at DESC, id DESC LIMIT 1`, projectID, userID, micros(s.now()))
	err = s.orMissing(err, func() error {
		return fault.New(fault.NotFound, fault.SlugSessionNotFound, "User %s has no session.", userID)
	})
	return v, s.wrap("find newest session", err)
}

// UpdateSession changes a session and raises its version; the configuration that it replaces goes to the history.
func (s *Store) UpdateSession(ctx context.Context, projectID, id string, update func(*session.Session) error) (session.Session, error) {
	var v session.Session
	err := swap(ctx, "Session "+id, func() (err error) {
		if v, err = s.Session(ctx, projectID, id); err != nil {
			return err
		}
		version := v.Version
		if err := update(&v); err != nil {
			return err
		}
		v.ID, v.ProjectID, v.Version = id, projectID, version+1
		return s.replaceSession(ctx, v)
	})
	return v, err
}

// replaceSession writes a session if the version before it is still what is stored.
func (s *Store) replaceSession(ctx context.Context, v session.Session) error {
	return s.write(ctx, "update session", func(t *tx) error {
		n, err := t.exec(`INSERT INTO session_revisions (project_id, session_id, version, config, created_at)
			SELECT project_id, id, version, config, updated_at FROM sessions WHERE project_id = $1 AND id = $2 AND version = $3`,
			v.ProjectID, v.ID, v.Version-1)
		if s.db.violation(err).unique || err == nil && n == 0 {
			return errSwapped
		}
		if err != nil {
			return err
		}
		n, err = t.exec(`UPDATE sessions SET user_id = $4, config = $5, version = version + 1, token_hash = $6, updated_at = $7, expires_at = $8
			WHERE project_id = $1 AND id = $2 AND version = $3`,
			v.ProjectID, v.ID, v.Version-1,
			v.UserID, asJSON(v.Config), v.TokenHash, micros(v.UpdatedAt), micros(v.ExpiresAt))
		if err == nil && n == 0 {
			return errSwapped
		}
		t.announce(notify.Session, v.ID, "")
		return err
	})
}

// DeleteSession deletes a session and its history.
func (s *Store) DeleteSession(ctx context.Context, projectID, id string) error {
	return s.write(ctx, "delete session", func(t *tx) error {
		n, err := t.exec(`DELETE FROM sessions WHERE project_id = $1 AND id = $2`, projectID, id)
		if err == nil && n == 0 {
			return noSession(id)
		}
		t.announce(notify.Session, id, "")
		return err
	})
}

// ListSessions gives sessions, newest first.
func (s *Store) ListSessions(ctx context.Context, projectID string, f session.Filter) ([]session.Session, connect.Page, error) {
	l := listing[session.Session]{
		columns: sessionColumns, from: "sessions", order: "created_at", tie: "id",
		limit: f.Limit, cursor: f.Cursor, scan: scanSession,
		key: func(v session.Session) (int64, string) { return micros(v.CreatedAt), v.ID },
	}
	l.where.and("project_id = ?", projectID)
	l.where.and(alive, micros(s.now()))
	in(&l.where, "user_id", f.UserIDs)
	l.where.contains(f.Search, "id", "user_id")
	sessions, page, err := list(ctx, s, l)
	return sessions, page, s.wrap("list sessions", err)
}

// DeleteExpiredSessions deletes sessions whose time to live has passed and gives how many.
func (s *Store) DeleteExpiredSessions(ctx context.Context, now time.Time) (int, error) {
	return s.inBatches(ctx, "delete expired sessions", func(t *tx) (int, error) {
		return t.execAnnouncing(notify.Session, `DELETE FROM sessions WHERE (project_id, id) IN (
			SELECT project_id, id FROM sessions WHERE expires_at > 0 AND expires_at <= $1 ORDER BY expires_at LIMIT $2)
			RETURNING id, ''`, micros(now), batch)
	})
}

// Revisions gives the configurations of a session, newest first.
func (s *Store) Revisions(ctx context.Context, projectID, id string, limit int, cursor string) ([]session.Revision, connect.Page, error) {
	current, err := s.Session(ctx, projectID, id)
	if err != nil {
		return nil, connect.Page{}, err
	}
	page := connect.Page{Total: current.Version}
	below := current.Version + 1
	if cursor != "" {
		order, _, err := parseCursor(cursor)
		if err != nil {
			return nil, page, err
		}
		below = int(order)
	}
	var revisions []session.Revision
	if current.Version < below {
		revisions = append(revisions, session.Revision{
			SessionID: id, Version: current.Version, Config: current.Config, CreatedAt: current.UpdatedAt,
		})
	}
	query := `SELECT version, config, created_at FROM session_revisions
		WHERE project_id = $1 AND session_id = $2 AND version < $3 ORDER BY version DESC`
	if limit > 0 {
		query += ` LIMIT ` + strconv.Itoa(limit+1)
	}
	// Bounded by the current version, so that an update in between does not show a version twice.
	earlier, err := collect(ctx, s.db.reader(), func(r row) (session.Revision, error) {
		v := session.Revision{SessionID: id}
		err := r.Scan(&v.Version, asJSON(&v.Config), at(&v.CreatedAt))
		return v, err
	}, query, projectID, id, min(below, current.Version))
	if err != nil {
		return nil, page, fmt.Errorf("list session revisions: %w", err)
	}
	revisions = append(revisions, earlier...)
	if limit > 0 && len(revisions) > limit {
		revisions = revisions[:limit]
		page.Next = formatCursor(int64(revisions[limit-1].Version), id)
	}
	return revisions, page, nil
}
