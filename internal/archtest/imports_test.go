package archtest

import (
	"strings"
	"testing"
)

// levels gives each package of the house its floor. A package imports only from lower floors, so there is one direction to
// read in and no cycle to think about. A new package gets its floor here, as low as its imports allow.
var levels = map[string]int{
	"internal/fault": 1, "internal/id": 1, "internal/cache": 1,
	"internal/tenant": 2, "internal/secret": 2, "internal/outbound": 2, "internal/mapping": 2, "internal/notify": 2, "internal/job": 2,
	"internal/process": 2,
	"internal/catalog": 3, "internal/authserver": 3, "internal/event": 3, "internal/inference": 3,
	"internal/connect": 4, "internal/search": 4, "internal/realtime": 4, "internal/embedding": 4, "internal/planner": 4,
	"internal/execute": 5,
	"internal/session": 6, "internal/trigger": 6, "internal/legacy": 6, "internal/toolsync": 6,
	"internal/api": 7, "internal/oauthapi": 7, "internal/mcpserver": 7, "internal/store": 7, "web": 7,
	"internal/app": 8,
	"cmd":          9,
}

// sameFloor lists the arrows that are allowed between packages of one floor.
var sameFloor = map[string][]string{
	"internal/tenant":   {"internal/notify", "internal/secret"},
	"internal/secret":   {"internal/notify"},
	"internal/outbound": {"internal/secret"},
	"internal/process":  {"internal/secret"},
	"internal/legacy":   {"internal/session"}, // a server of the older API is a template of sessions
}

func TestImportsGoDown(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		from, floor, ok := home(s.dir)
		if !ok {
			continue
		}
		for _, path := range s.imports {
			dir, ours := strings.CutPrefix(path, module+"/")
			if !ours || under(dir, from) {
				continue // a package's own sub-packages are its inside
			}
			to, lower, known := home(dir)
			switch {
			case s.test && strings.HasSuffix(dir, "test"): // shared suites (storetest) are for tests of any floor
			case s.test && dir == "internal/store": // real SQLite in tests: fakes only where there is no store yet
			case !known && dir != "toolkits" && dir != "":
				t.Errorf("%s imports %s, which has no floor in levels", s.path, dir)
			case known && lower == floor && allowed(from, to):
			case known && lower >= floor:
				t.Errorf("%s (floor %d) imports %s (floor %d): imports go down only", s.path, floor, dir, lower)
			}
		}
	}
}

// home gives the package of levels that a directory belongs to.
func home(dir string) (name string, floor int, ok bool) {
	for name, floor := range levels {
		if under(dir, name) {
			return name, floor, true
		}
	}
	return "", 0, false
}

func allowed(from, to string) bool {
	for _, dir := range sameFloor[from] {
		if dir == to {
			return true
		}
	}
	return false
}

func TestTheSDKStandsAlone(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.dir != "." {
			continue
		}
		for _, path := range s.imports {
			standard := !strings.Contains(strings.Split(path, "/")[0], ".")
			if !standard && !(s.test && (path == module || path == "github.com/google/go-cmp/cmp")) {
				t.Errorf("%s imports %s: the SDK uses the standard library only", s.path, path)
			}
		}
	}
}

// confined says where a package from outside may be used. Everybody else goes through the package that owns the matter.
var confined = map[string][]string{
	"database/sql":                           {"internal/store"},
	"modernc.org/sqlite":                     {"internal/store"},
	"github.com/jackc/pgx/v5":                {"internal/store"},
	"github.com/pressly/goose/v3":            {"internal/store"},
	"github.com/tink-crypto":                 {"internal/secret"},
	"github.com/expr-lang/expr":              {"internal/mapping"},
	"code.dny.dev/ssrf":                      {"internal/outbound"},
	"github.com/coder/websocket":             {"internal/realtime"},
	"github.com/alecthomas/kong":             {"cmd"},
	"github.com/modelcontextprotocol/go-sdk": {"internal/mcpserver", "internal/catalog/source_mcp.go", "internal/execute/mcp.go", "internal/execute/mcp_confirm.go", "internal/execute/mcp_program.go", "internal/execute/mcp_programs.go", "internal/execute/mcp_sessions.go"},
	"github.com/coreos/go-oidc/v3":           {"internal/authserver"},
	"github.com/prometheus/client_golang":    {"internal/api", "internal/app"},
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test { // a test may look at a thing from outside
			continue
		}
		for _, path := range s.imports {
			for library, homes := range confined {
				if under(path, library) && !under(s.dir, homes...) && !under(s.path, homes...) {
					t.Errorf("%s imports %s, which is only for %s", s.path, path, strings.Join(homes, ", "))
				}
			}
		}
	}
}
