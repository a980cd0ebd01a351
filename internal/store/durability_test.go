package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// victimVariable holds the data directory in the child process of TestKillNine.
const victimVariable = "PATCHBAY_TEST_VICTIM"

// TestKillNine kills a process in the midst of writing: what it had acknowledged is there, and nothing is there by half.
func TestKillNine(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	acknowledged := killWhileWriting(t, directory)
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	for id, version := range acknowledged {
		v, err := s.Session(t.Context(), "pr_1", id)
		if err != nil || v.Version < version {
			t.Errorf("session %s was acknowledged at version %d; now: version %d, %v", id, version, v.Version, err)
		}
		a, err := s.Account(t.Context(), "pr_1", "ca_"+id)
		if err != nil || a.Values["token"].Reveal() != "token of "+id {
			t.Errorf("the account of %s was acknowledged; now: %v", id, err)
		}
	}
	sessions, _, err := s.ListSessions(t.Context(), "pr_1", session.Filter{})
	if err != nil || len(sessions) < len(acknowledged) {
		t.Fatalf("%d sessions, %d were acknowledged: %v", len(sessions), len(acknowledged), err)
	}
	for _, v := range sessions {
		revisions, _, err := s.Revisions(t.Context(), "pr_1", v.ID, 0, "")
		if err != nil || len(revisions) != v.Version {
			t.Errorf("session %s has version %d and %d revisions: %v", v.ID, v.Version, len(revisions), err)
		}
		if size := len(v.Config.Preload.Tools); size != v.Version-1 {
			t.Errorf("session %s has version %d and the configuration of version %d", v.ID, v.Version, size+1)
		}
	}
	t.Logf("%d sessions acknowledged, %d there", len(acknowledged), len(sessions))
}

// killWhileWriting runs a child that writes, kills it, and gives the last version of each session that it had acknowledged.
func killWhileWriting(t *testing.T, directory string) map[string]int {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.Command(program, "-test.run=^TestVictim$")
	victim.Env = append(os.Environ(), victimVariable+"="+directory)
	victim.Stderr = os.Stderr
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := make(map[string]int)
	lines := bufio.NewScanner(output)
	for n := 1; lines.Scan(); n++ { // what is in the pipe after the kill was acknowledged too
		if n == 300 {
			if err := victim.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
		var id string
		var version int
		if _, err := fmt.Sscanf(lines.Text(), "acknowledged %s %d", &id, &version); err != nil {
			continue // the last line, cut off
		}
		acknowledged[id] = version
	}
	if err := victim.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended by itself: %v", err)
	}
	if len(acknowledged) < 50 {
		t.Fatalf("only %d sessions were acknowledged", len(acknowledged))
	}
	return acknowledged
}

// TestVictim is the child of TestKillNine: it writes without end and says what it has written.
func TestVictim(t *testing.T) {
	directory := os.Getenv(victimVariable)
	if directory == "" {
		t.Skip("runs only as the child of TestKillNine")
	}
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for writer := range 8 {
		go func() {
			for n := 0; ; n++ {
				if err := writeAndSay(t.Context(), s, fmt.Sprintf("trs_%d_%d", writer, n)); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	t.Fatal(<-errs)
}

// writeAndSay writes a session, its account and two more versions, and says each version when it is written.
func writeAndSay(ctx context.Context, s *store.Store, id string) error {
	values := connect.Fields{"token": secret.Hide("token of " + id)}
	if err := s.CreateAccount(ctx, connect.ConnectedAccount{ID: "ca_" + id, ProjectID: "pr_1", Values: values}); err != nil {
		return err
	}
	if err := s.CreateSession(ctx, session.Session{ID: id, ProjectID: "pr_1", Version: 1, CreatedAt: time.Now()}); err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "acknowledged %s %d\n", id, 1)
	for range 2 {
		v, err := s.UpdateSession(ctx, "pr_1", id, func(v *session.Session) error {
			v.Config.Preload.Tools = append(v.Config.Preload.Tools, "ONE_MORE")
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stdout, "acknowledged %s %d\n", id, v.Version)
	}
	return nil
}

// openData opens a data directory as the server does: database and key file, made on first start.
func openData(ctx context.Context, directory string) (*store.Store, error) {
	return store.Open(ctx, store.Options{
		Database:  filepath.Join(directory, "patchbay.db"),
		MasterKey: secret.KeyFile(filepath.Join(directory, "master.key")),
		Bus:       new(notify.Bus),
	})
}
