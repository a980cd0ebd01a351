package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

var executionLogBehaviours = behaviours{
	"an entry comes back whole":              logWhole,
	"a batch is stored whole or not at all":  logBatch,
	"old entries are deleted":                logsDeleted,
	"another project's entry does not exist": logForeign,
}

// aLogEntry has something in every field.
func aLogEntry(id, projectID string) execute.LogEntry {
	return execute.LogEntry{
		ID: id, ProjectID: projectID, UserID: "ann", SessionID: "trs_1", RequestID: "req_1", Tool: "GITHUB_A", Toolkit: "github",
		AccountID: "ca_1", AuthConfig: "ac_1", Origin: "mcp", Status: "failed", Error: "it broke", Upstream: 502,
		StartedAt: start, Took: 1500 * time.Microsecond, UpstreamFor: time.Millisecond,
	}
}

func logWhole(t *testing.T, f *fixture) {
	ctx := t.Context()
	want := aLogEntry("log_1", ours)
	must(t, f.AppendLogs(ctx, []execute.LogEntry{want}))
	same(t, "read", got(f.Log(ctx, ours, "log_1"))(t), want)
	_, err := f.Log(ctx, ours, "log_none")
	wantKind(t, "unknown", err, fault.NotFound)
	must(t, f.AppendLogs(ctx, nil))
}

func logBatch(t *testing.T, f *fixture) {
	ctx := t.Context()
	var entries []execute.LogEntry
	for i := range 150 { // more than one statement's worth
		entries = append(entries, aLogEntry(fmt.Sprintf("log_%d", i), ours))
	}
	must(t, f.AppendLogs(ctx, entries))
	for _, i := range []int{0, 63, 64, 128, 149} {
		same(t, "read", got(f.Log(ctx, ours, entries[i].ID))(t), entries[i])
	}
	more := []execute.LogEntry{aLogEntry("log_new", ours)}
	if err := f.AppendLogs(ctx, append(more, entries...)); err == nil {
		t.Error("entries were stored twice")
	}
	_, err := f.Log(ctx, ours, "log_new")
	wantKind(t, "half a batch", err, fault.NotFound)
}

func logsDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	var entries []execute.LogEntry
	for i := range 1200 { // more than one batch of the clean-up
		e := aLogEntry(fmt.Sprintf("log_%d", i), ours)
		e.StartedAt = start.Add(time.Duration(i) * time.Second)
		entries = append(entries, e)
	}
	must(t, f.AppendLogs(ctx, entries))
	same(t, "deleted", got(f.DeleteLogsBefore(ctx, start.Add(1100*time.Second)))(t), 1100)
	_, err := f.Log(ctx, ours, "log_1099")
	wantKind(t, "deleted entry", err, fault.NotFound)
	got(f.Log(ctx, ours, "log_1100"))(t)
}

func logForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.AppendLogs(ctx, []execute.LogEntry{aLogEntry("log_1", theirs)}))
	_, err := f.Log(ctx, ours, "log_1")
	wantKind(t, "get", err, fault.NotFound)
}
