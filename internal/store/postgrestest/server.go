// Package postgrestest starts Postgres servers for tests and makes empty databases on them. It knows nothing of what is
// stored there (package storetest does), and is imported by tests only.
package postgrestest

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Variable names the environment variable with the URL of a Postgres server to test on. The tests make and drop
// schemas in its database.
const Variable = "PATCHBAY_TEST_POSTGRES"

// Start gives a function that makes empty databases (schemas) on one Postgres server: the one that the environment names,
// or one of the test's own, stopped when the test ends. Without any Postgres the test is skipped, but not in CI.
func Start(t *testing.T) (empty func(t testing.TB) string) {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		server = startServer(t)
	}
	return func(t testing.TB) string { return freshSchema(t, server) }
}

// schemas numbers the schemas of this process.
var schemas atomic.Int64

// freshSchema makes a schema of the test's own and gives the URL of a database in which nothing else is seen.
func freshSchema(t testing.TB, server string) string {
	t.Helper()
	schema := fmt.Sprintf("test_%d_%d", os.Getpid(), schemas.Add(1))
	run := func(ctx context.Context, statement string) {
		t.Helper()
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	run(t.Context(), "CREATE SCHEMA "+schema)
	t.Cleanup(func() { run(context.Background(), "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", schema)
	query.Set("pool_max_conns", "6")
	u.RawQuery = query.Encode()
	return u.String()
}

// script starts a server in directory $1 with the programs of directory $2 and runs it until its standard input
// ends, which it does however the test process ends. It has a socket in that directory and no port.
const script = `
trap '' INT
cd "$1" || exit 1
"$2/initdb" -D data -U postgres -A trust -E UTF8 --no-sync >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
"$2/pg_ctl" -D data -l server.log -w -o "-k $1 -c listen_addresses='' -c fsync=off -c max_connections=200" start >start.log 2>&1 ||
	{ cat start.log server.log >&2; exit 1; }
echo ready
cat >/dev/null
"$2/pg_ctl" -D data -m immediate -w stop >/dev/null
`

// startServer starts a server and gives its URL.
func startServer(t *testing.T) string {
	t.Helper()
	programs := findPrograms()
	if programs == "" {
		reason := "no Postgres here: install it (initdb, pg_ctl), or name a server with " + Variable
		if os.Getenv("CI") != "" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	directory, err := os.MkdirTemp("", "patchbay-pg-") // short: the path of a socket has about a hundred characters
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(directory); err != nil {
			t.Error(err)
		}
	})
	server := exec.Command("/bin/sh", "-c", script, "sh", directory, programs)
	if os.Geteuid() == 0 { // Postgres refuses to run as root
		giveTo(t, "nobody", directory)
		server = exec.Command("su", "-s", "/bin/sh", "nobody", "-c", script, "sh", directory, programs)
	}
	var complaints strings.Builder
	server.Stderr = &complaints
	stdin, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := server.Wait(); err != nil {
			t.Errorf("stop Postgres: %v\n%s", err, complaints.String())
		}
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("Postgres did not start: %v\n%s", err, complaints.String())
	}
	return "postgres:///postgres?user=postgres&host=" + url.QueryEscape(directory)
}

// findPrograms gives the directory of initdb and pg_ctl, of the newest Postgres where there are several; empty for none.
func findPrograms() string {
	var places []string
	if found, err := exec.LookPath("initdb"); err == nil {
		places = append(places, filepath.Dir(found))
	}
	places = append(places, "/usr/local/bin", "/opt/homebrew/bin")
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for i := len(versions) - 1; i >= 0; i-- {
		places = append(places, versions[i])
	}
	for _, place := range places {
		_, noInit := os.Stat(filepath.Join(place, "initdb"))
		_, noControl := os.Stat(filepath.Join(place, "pg_ctl"))
		if noInit == nil && noControl == nil {
			return place
		}
	}
	return ""
}

// giveTo makes a user the owner of a directory.
func giveTo(t *testing.T, name, directory string) {
	t.Helper()
	owner, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(directory, uid, -1); err != nil {
		t.Fatal(err)
	}
}
