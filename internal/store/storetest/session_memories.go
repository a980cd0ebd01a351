package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/session"
)

var memoryBehaviours = behaviours{
	"a memory comes back whole":                       memoryWhole,
	"parallel notes are all kept":                     memoryCounted,
	"a session keeps the memories that changed last":  memoriesBounded,
	"memories go with their session":                  memoryDeleted,
	"memories that nobody adds to are forgotten":      memoryForgotten,
	"another session's memory is not seen or changed": memoryForeign,
}

func memoryKey(projectID, sessionID, task string) session.MemoryKey {
	return session.MemoryKey{ProjectID: projectID, SessionID: sessionID, Task: task}
}

// note adds a note to a memory.
func (f *fixture) note(t *testing.T, key session.MemoryKey, text string) {
	t.Helper()
	must(t, f.UpdateMemory(t.Context(), key, f.now(), func(m *session.Memory) {
		m.Notes = append(m.Notes, session.Note{Toolkit: "slack", Text: text})
	}))
}

func (f *fixture) memory(t *testing.T, key session.MemoryKey) session.Memory {
	t.Helper()
	return got(f.Memory(t.Context(), key))(t)
}

func memoryWhole(t *testing.T, f *fixture) {
	must(t, f.CreateSession(t.Context(), aSession("trs_1", ours)))
	key := memoryKey(ours, "trs_1", "task")
	same(t, "before", f.memory(t, key), session.Memory{})
	f.news()
	f.note(t, key, "one\x00 \u2028 <b>")
	f.note(t, key, "two")
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Memory, ID: "task"}, {Kind: notify.Memory, ID: "task"}})
	same(t, "after", f.memory(t, key), session.Memory{Version: 2, Notes: []session.Note{{Toolkit: "slack", Text: "one\x00 \u2028 <b>"}, {Toolkit: "slack", Text: "two"}}})
	same(t, "another task", f.memory(t, memoryKey(ours, "trs_1", "other")), session.Memory{})
}

func memoryCounted(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	key := memoryKey(ours, "trs_1", "task")
	const writers = 16
	for i, err := range together(writers, func(i int) error {
		return f.UpdateMemory(ctx, key, f.now(), func(m *session.Memory) {
			m.Notes = append(m.Notes, session.Note{Text: fmt.Sprint(i)})
		})
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	m := f.memory(t, key)
	same(t, "notes", len(m.Notes), writers)
	same(t, "version", m.Version, writers)
}

func memoriesBounded(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	must(t, f.CreateSession(ctx, aSession("trs_2", ours)))
	f.note(t, memoryKey(ours, "trs_2", "old"), "of another session")
	task := func(i int) session.MemoryKey { return memoryKey(ours, "trs_1", fmt.Sprintf("task %02d", i)) }
	for i := range session.MaxMemories {
		f.note(t, task(i), "a note")
		f.pass(time.Second)
	}
	f.note(t, task(0), "another note")
	f.pass(time.Second)
	f.news()
	f.note(t, task(session.MaxMemories), "one too many")
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Memory, ID: task(session.MaxMemories).Task}, {Kind: notify.Memory, ID: task(1).Task}})
	for i, notes := range map[int]int{0: 2, 1: 0, 2: 1, session.MaxMemories: 1} {
		same(t, task(i).Task, len(f.memory(t, task(i)).Notes), notes)
	}
	same(t, "of another session", len(f.memory(t, memoryKey(ours, "trs_2", "old")).Notes), 1)
}

func memoryDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	key := memoryKey(ours, "trs_1", "task")
	update := func() error { return f.UpdateMemory(ctx, key, f.now(), func(*session.Memory) {}) }
	wantKind(t, "without a session", update(), fault.NotFound)
	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	f.note(t, key, "a note")
	must(t, f.DeleteSession(ctx, ours, "trs_1"))
	same(t, "after the session", f.memory(t, key), session.Memory{})
	wantKind(t, "after the session", update(), fault.NotFound)

	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	f.note(t, key, "a note")
	f.pass(2 * time.Hour)
	same(t, "ended", got(f.DeleteExpiredSessions(ctx, f.now()))(t), 1)
	same(t, "after the session's end", f.memory(t, key), session.Memory{})
}

func memoryForgotten(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateSession(ctx, aSession("trs_1", ours)))
	older, newer := memoryKey(ours, "trs_1", "older"), memoryKey(ours, "trs_1", "newer")
	f.note(t, newer, "first")
	f.note(t, older, "first")
	f.pass(time.Minute)
	f.note(t, newer, "second")
	f.news()
	same(t, "forgotten", got(f.DeleteMemoriesBefore(ctx, f.now()))(t), 1)
	same(t, "news", f.news(), []notify.Change{{Kind: notify.Memory, ID: "older"}})
	same(t, "older", f.memory(t, older), session.Memory{})
	same(t, "newer", len(f.memory(t, newer).Notes), 2)
	same(t, "forgotten again", got(f.DeleteMemoriesBefore(ctx, f.now()))(t), 0)
}

func memoryForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	for _, id := range []string{"trs_1", "trs_2"} {
		must(t, f.CreateSession(ctx, aSession(id, ours)))
	}
	must(t, f.CreateSession(ctx, session.Session{ID: "trs_1", ProjectID: theirs}))
	key := memoryKey(ours, "trs_1", "task")
	f.note(t, key, "ours")
	for _, foreign := range []session.MemoryKey{memoryKey(theirs, "trs_1", "task"), memoryKey(ours, "trs_2", "task")} {
		same(t, "seen", f.memory(t, foreign), session.Memory{})
		f.note(t, foreign, "foreign")
	}
	same(t, "untouched", f.memory(t, key).Notes, []session.Note{{Toolkit: "slack", Text: "ours"}})
}
