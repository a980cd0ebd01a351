package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

var mcpServerBehaviours = behaviours{
	"an MCP server comes back whole":               mcpServerWhole,
	"an MCP server is changed":                     mcpServerChanged,
	"MCP servers are listed by filter and by page": mcpServersListed,
	"a visitor has one instance":                   mcpInstanceOnce,
	"the first session of an instance stays":       mcpInstanceSession,
	"instances go with their sessions":             mcpInstancesDeleted,
	"another project's MCP server does not exist":  mcpServerForeign,
}

// aServer has something in every field.
func aServer(id, projectID string) legacy.Server {
	return legacy.Server{
		ID: id, ProjectID: projectID, Name: "server " + id, Toolkits: []string{"gmail", "github"}, AuthConfigIDs: []string{"ac_1"},
		AllowedTools: []string{"GMAIL_FETCH_EMAILS"}, ManagedAuth: true, Version: 1, CreatedAt: start, UpdatedAt: start,
	}
}

func anInstance(id, serverID, userID string) legacy.Instance {
	return legacy.Instance{
		ID: id, ProjectID: ours, ServerID: serverID, ServerVersion: 1, Visitor: legacy.Visitor{UserID: userID}, CreatedAt: start, UpdatedAt: start,
	}
}

func mcpServerWhole(t *testing.T, f *fixture) {
	want := aServer("s1", ours)
	must(t, f.CreateMCPServer(t.Context(), want))
	same(t, "read", got(f.MCPServer(t.Context(), ours, "s1"))(t), want)
	wantKind(t, "same id", f.CreateMCPServer(t.Context(), want), fault.Conflict)
}

func mcpServerChanged(t *testing.T, f *fixture) {
	must(t, f.CreateMCPServer(t.Context(), aServer("s1", ours)))
	f.news()
	changed := got(f.UpdateMCPServer(t.Context(), ours, "s1", func(s *legacy.Server) error {
		s.Name, s.Toolkits, s.AuthConfigIDs, s.AllowedTools, s.ManagedAuth = "other", []string{"slack"}, nil, nil, false
		s.UpdatedAt = start.Add(time.Hour)
		return nil
	}))(t)
	same(t, "answered", changed, legacy.Server{
		ID: "s1", ProjectID: ours, Name: "other", Toolkits: []string{"slack"}, Version: 2, CreatedAt: start, UpdatedAt: start.Add(time.Hour),
	})
	same(t, "read", got(f.MCPServer(t.Context(), ours, "s1"))(t), changed)
	same(t, "told", f.news(), []notify.Change{{Kind: notify.MCPServer, ID: "s1"}})
}

func mcpServersListed(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i, id := range []string{"a", "b", "c"} {
		s := aServer(id, ours)
		s.CreatedAt, s.UpdatedAt = start.Add(time.Duration(i)*time.Hour), start.Add(-time.Duration(i)*time.Hour)
		s.Toolkits = []string{"gmail", "kit_" + id}
		must(t, f.CreateMCPServer(ctx, s))
	}
	must(t, f.CreateMCPServer(ctx, aServer("d", theirs)))
	for name, c := range map[string]struct {
		filter legacy.Filter
		want   string
		total  int
	}{
		"last changed first":      {legacy.Filter{}, "abc", 3},
		"by creation, ascending":  {legacy.Filter{ByCreation: true, Ascending: true}, "abc", 3},
		"by creation":             {legacy.Filter{ByCreation: true}, "cba", 3},
		"second page":             {legacy.Filter{Page: 2, Limit: 2}, "c", 3},
		"by toolkit":              {legacy.Filter{Toolkits: []string{"kit_b", "kit_c"}}, "bc", 2},
		"a toolkit is no pattern": {legacy.Filter{Toolkits: []string{"kit%"}}, "", 0},
		"by auth config":          {legacy.Filter{AuthConfigs: []string{"ac_1"}}, "abc", 3},
		"by name":                 {legacy.Filter{Name: "SERVER B"}, "b", 1},
	} {
		servers, total, err := f.ListMCPServers(ctx, ours, c.filter)
		must(t, err)
		ids := ""
		for _, s := range servers {
			ids += s.ID
		}
		same(t, name, ids, c.want)
		same(t, name+", total", total, c.total)
	}
}

func mcpInstanceOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateMCPServer(ctx, aServer("s1", ours)))
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			stored, err := f.AddMCPInstance(ctx, anInstance(string(rune('a'+i)), "s1", "anna"))
			if err != nil {
				t.Error(err)
			}
			ids[i] = stored.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		same(t, "instance", id, ids[0])
	}
	withHelpers := anInstance("helped", "s1", "anna")
	withHelpers.Visitor.Helpers = true
	same(t, "another visitor", got(f.AddMCPInstance(ctx, withHelpers))(t), withHelpers)
	same(t, "counted", got(f.MCPServer(ctx, ours, "s1"))(t).Instances, 2)
	_, err := f.AddMCPInstance(ctx, anInstance("x", "nothing", "anna"))
	wantKind(t, "no server", err, fault.NotFound)
}

func mcpInstanceSession(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateMCPServer(ctx, aServer("s1", ours)))
	i := got(f.AddMCPInstance(ctx, anInstance("a", "s1", "anna")))(t)
	i.SessionID, i.ServerVersion = "trs_1", 2
	same(t, "first", got(f.SetMCPInstanceSession(ctx, i, ""))(t), true)
	late := i
	late.SessionID = "trs_2"
	same(t, "late", got(f.SetMCPInstanceSession(ctx, late, ""))(t), false)
	same(t, "stored", got(f.AddMCPInstance(ctx, anInstance("b", "s1", "anna")))(t), i)
}

func mcpInstancesDeleted(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateMCPServer(ctx, aServer("s1", ours)))
	for id, user := range map[string]string{"a": "anna", "b": "ben"} {
		i := got(f.AddMCPInstance(ctx, anInstance(id, "s1", user)))(t)
		i.SessionID = "trs_" + id
		must(t, f.CreateSession(ctx, aSession(i.SessionID, ours)))
		same(t, "set", got(f.SetMCPInstanceSession(ctx, i, ""))(t), true)
	}
	must(t, f.CreateSession(ctx, aSession("trs_other", ours)))

	same(t, "by user", got(f.DeleteMCPInstances(ctx, ours, "s1", "anna"))(t), 1)
	same(t, "again", got(f.DeleteMCPInstances(ctx, ours, "s1", "anna"))(t), 0)
	_, err := f.Session(ctx, ours, "trs_a")
	wantKind(t, "session of anna", err, fault.NotFound)

	left, total, err := f.ListMCPInstances(ctx, ours, "s1", legacy.Filter{Limit: 10, Page: 1})
	must(t, err)
	same(t, "left", total, 1)
	same(t, "left", left[0].Visitor.UserID, "ben")

	must(t, f.DeleteMCPServer(ctx, ours, "s1"))
	_, err = f.Session(ctx, ours, "trs_b")
	wantKind(t, "session of ben", err, fault.NotFound)
	_, err = f.Session(ctx, ours, "trs_other")
	must(t, err)
	_, total, err = f.ListMCPInstances(ctx, ours, "s1", legacy.Filter{})
	must(t, err)
	same(t, "none left", total, 0)
	wantKind(t, "deleted twice", f.DeleteMCPServer(ctx, ours, "s1"), fault.NotFound)
}

func mcpServerForeign(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.CreateMCPServer(ctx, aServer("s1", theirs)))
	_, err := f.MCPServer(ctx, ours, "s1")
	wantKind(t, "read", err, fault.NotFound)
	_, err = f.UpdateMCPServer(ctx, ours, "s1", func(*legacy.Server) error { return nil })
	wantKind(t, "update", err, fault.NotFound)
	wantKind(t, "delete", f.DeleteMCPServer(ctx, ours, "s1"), fault.NotFound)
	_, err = f.AddMCPInstance(ctx, anInstance("a", "s1", "anna"))
	wantKind(t, "visit", err, fault.NotFound)
}
