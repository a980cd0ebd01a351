package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// memoryRow is a memory as it is stored.
type memoryRow struct {
	notes   []byte // sealed
	version int
}

func scanMemory(r row) (m memoryRow, err error) {
	err = r.Scan(&m.notes, &m.version)
	return m, err
}

func (s *Store) memoryVault(ctx context.Context, key session.MemoryKey) (vault, error) {
	return s.vaultOf(ctx, key.ProjectID, "session_memories", key.Task)
}

// Memory gives what was noted in a task; none is no fault.
func (s *Store) Memory(ctx context.Context, key session.MemoryKey) (session.Memory, error) {
	stored, err := one(ctx, s, scanMemory,
		`SELECT notes, version FROM session_memories WHERE project_id = $1 AND session_id = $2 AND task = $3`, key.ProjectID, key.SessionID, key.Task)
	err = s.orMissing(err, func() error { return fault.New(fault.NotFound, fault.SlugNotFound, "Nothing was noted.") })
	if fault.Is(err, fault.NotFound) {
		return session.Memory{}, nil
	}
	if err != nil {
		return session.Memory{}, s.wrap("read memory", err)
	}
	v, err := s.memoryVault(ctx, key)
	if err != nil {
		return session.Memory{}, err
	}
	plain, err := v.openBytes(stored.notes, "notes")
	if err != nil {
		return session.Memory{}, s.wrap("read memory", err)
	}
	m := session.Memory{Version: stored.version}
	if err := json.Unmarshal(plain, &m.Notes); err != nil {
		return session.Memory{}, fmt.Errorf("decode memory: %w", err)
	}
	return m, nil
}

// UpdateMemory changes a memory, or makes the first one of a task.
func (s *Store) UpdateMemory(ctx context.Context, key session.MemoryKey, now time.Time, update func(*session.Memory)) error {
	v, err := s.memoryVault(ctx, key)
	if err != nil {
		return err
	}
	return swap(ctx, "What is noted of this task", func() error {
		m, err := s.Memory(ctx, key)
		if err != nil {
			return err
		}
		update(&m)
		plain, err := json.Marshal(m.Notes)
		if err != nil {
			return fmt.Errorf("encode memory: %w", err)
		}
		sealed, err := v.sealBytes(plain, "notes")
		if err != nil {
			return err
		}
		return s.replaceMemory(ctx, key, memoryRow{sealed, m.Version}, now)
	})
}

// replaceMemory writes a memory if the version before it is still what is stored.
func (s *Store) replaceMemory(ctx context.Context, key session.MemoryKey, m memoryRow, now time.Time) error {
	err := s.write(ctx, "store memory", func(t *tx) error {
		n, err := t.exec(`INSERT INTO session_memories (project_id, session_id, task, notes, version, changed_at) VALUES ($1, $2, $3, $4, 1, $6)
			ON CONFLICT (project_id, session_id, task) DO UPDATE SET notes = excluded.notes, version = session_memories.version + 1, changed_at = excluded.changed_at
			WHERE session_memories.version = $5`,
			key.ProjectID, key.SessionID, key.Task, m.notes, m.version, micros(now))
		if err == nil && n == 0 {
			return errSwapped
		}
		if err != nil {
			return err
		}
		t.announce(notify.Memory, key.Task, "")
		_, err = t.execAnnouncing(notify.Memory, `DELETE FROM session_memories WHERE project_id = $1 AND session_id = $2 AND task IN (
			SELECT task FROM session_memories WHERE project_id = $1 AND session_id = $2 ORDER BY changed_at DESC, task DESC LIMIT $3 OFFSET $4)
			RETURNING task, ''`, key.ProjectID, key.SessionID, batch, session.MaxMemories)
		return err
	})
	if s.db.violation(err).foreignKey {
		return noSession(key.SessionID)
	}
	return err
}

// DeleteMemoriesBefore deletes what did not change since a time, and gives how many.
func (s *Store) DeleteMemoriesBefore(ctx context.Context, before time.Time) (int, error) {
	return s.inBatches(ctx, "delete memories", func(t *tx) (int, error) {
		return t.execAnnouncing(notify.Memory, `DELETE FROM session_memories WHERE (project_id, session_id, task) IN (
			SELECT project_id, session_id, task FROM session_memories WHERE changed_at < $1 ORDER BY changed_at LIMIT $2)
			RETURNING task, ''`, micros(before), batch)
	})
}
