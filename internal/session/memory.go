package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Memory is what a model noted in the calls of one task for the calls after them, oldest note first.
type Memory struct {
	Notes   []Note
	Version int // raised by every change; 0: nothing is stored
}

// Note is one fact about what is behind a toolkit, in one line.
type Note struct {
	Toolkit string `json:"toolkit"` // slug
	Text    string `json:"text"`
}

// MemoryKey says whose memory: of one task of one user in one session.
type MemoryKey struct {
	ProjectID, SessionID string
	Task                 string // hex SHA-256 of project, session, user and workflow id, so that any text will do for the last
}

// How much is remembered. What is over goes, oldest first.
const (
	maxNote         = 300 // characters
	maxToolkitNotes = 20
	maxNotes        = 60 // of one task
	// MaxMemories is how many tasks of one session have a memory; that of the one which noted nothing for the longest time goes.
	MaxMemories = 50
	memoryLife  = 30 * 24 * time.Hour // after the last change
)

// with gives the memory with further notes, and how many had to go. A note that is there already becomes the newest.
func (m Memory) with(notes []Note) (Memory, int) {
	all := slices.Clone(m.Notes)
	for _, n := range notes {
		if at := slices.Index(all, n); at >= 0 {
			all = slices.Delete(all, at, at+1)
		}
		all = append(all, n)
	}
	kept := make([]Note, 0, min(len(all), maxNotes))
	of := make(map[string]int)
	for _, n := range slices.Backward(all) {
		if of[n.Toolkit]++; of[n.Toolkit] <= maxToolkitNotes && len(kept) < maxNotes {
			kept = append(kept, n)
		}
	}
	slices.Reverse(kept)
	return Memory{Notes: kept, Version: m.Version}, len(all) - len(kept)
}

// of gives the notes on one toolkit.
func (m Memory) of(toolkit string) []string {
	var texts []string
	for _, n := range m.Notes {
		if n.Toolkit == toolkit {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

// memoryKey finds the memory of a task; false when it can have none, because nothing names the task or it is in no session.
func (v *View) memoryKey(workflow string) (MemoryKey, bool) {
	s := v.Session
	if workflow == "" || s.ID == "" {
		return MemoryKey{}, false
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{s.ProjectID, s.ID, s.UserID, workflow}, "\x00")))
	return MemoryKey{ProjectID: s.ProjectID, SessionID: s.ID, Task: hex.EncodeToString(sum[:])}, true
}

// memory gives what was noted in a task, from memory when it was asked for lately.
func (s *Service) memory(ctx context.Context, key MemoryKey) (Memory, error) {
	return s.memories.Load(key.Task, func() (Memory, error) { return s.store.Memory(ctx, key) })
}

// takeNotes stores notes and says what the model has to know of it, if anything. That they could not be stored is no reason to fail
// the calls that they came with.
func (s *Service) takeNotes(ctx context.Context, call metaCall, notes []Note) string {
	if len(notes) == 0 {
		return ""
	}
	key, ok := call.view.memoryKey(call.workflow())
	if !ok {
		return "The notes in memory were not kept: pass session.id of " + slugSearchTools + " as session_id, so that they belong to a task."
	}
	forgotten, err := s.addNotes(ctx, key, notes)
	switch {
	case err != nil:
		s.log.ErrorContext(ctx, "notes were not stored", "session", key.SessionID, "error", err)
		return "The notes in memory could not be stored; send them once more with your next call."
	case forgotten > 0:
		return fmt.Sprintf("The oldest notes of this task were forgotten, %d of them: %d are kept of a toolkit and %d of a task.", forgotten, maxToolkitNotes, maxNotes)
	default:
		return ""
	}
}

// addNotes stores notes and gives how many had to go. Notes that are known already are not written again.
func (s *Service) addNotes(ctx context.Context, key MemoryKey, notes []Note) (forgotten int, err error) {
	known, err := s.memory(ctx, key)
	if err != nil {
		return 0, err
	}
	if same, over := known.with(notes); slices.Equal(same.Notes, known.Notes) {
		return over, nil
	}
	err = s.store.UpdateMemory(ctx, key, s.now(), func(m *Memory) {
		*m, forgotten = m.with(notes)
	})
	s.memories.Drop(key.Task)
	return forgotten, err
}

// recall adds to the results of a search what was noted earlier in the task: of each toolkit once, where it is named first. It
// reports whether there was anything. Notes that cannot be read are no reason to fail the search.
func (s *Service) recall(ctx context.Context, v *View, ref WorkflowRef, results []SearchResult) bool {
	key, ok := v.memoryKey(ref.ID)
	if !ok || ref.Generate {
		return false
	}
	m, err := s.memory(ctx, key)
	if err != nil {
		s.log.ErrorContext(ctx, "notes were not read", "session", key.SessionID, "error", err)
		return false
	}
	given := make(map[string]bool)
	for i := range results {
		for _, toolkit := range results[i].Toolkits {
			texts := m.of(toolkit)
			if given[toolkit] || len(texts) == 0 {
				continue
			}
			given[toolkit] = true
			if results[i].Memory == nil {
				results[i].Memory = make(map[string][]string)
			}
			results[i].Memory[toolkit] = texts
		}
	}
	return len(given) > 0
}
