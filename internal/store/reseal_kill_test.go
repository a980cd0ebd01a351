package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// rotatingVariable holds the data directory in the child process of TestKillNineInARotation.
const rotatingVariable = "PATCHBAY_TEST_ROTATING"

const rotatedAccounts = 1500

// TestKillNineInARotation kills a process while it seals everything anew: everything opens all the same, and the rotation goes on
// where it was.
func TestKillNineInARotation(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rotatedAccounts {
		account := connect.ConnectedAccount{ID: fmt.Sprintf("ca_%04d", i), ProjectID: "pr_1", Values: connect.Fields{"token": secret.Hide(fmt.Sprintf("token %d", i))}}
		if err := s.CreateAccount(t.Context(), account); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	killWhileRotating(t, directory)

	s, err = openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	left, err := s.SealedWithOldKeys(t.Context())
	if err != nil || left == 0 || left >= rotatedAccounts {
		t.Fatalf("%d values are left to be sealed anew: %v", left, err)
	}
	checkOpens(t, s)
	if err := rotate(t, s, func(store.Resealing) {}); err != nil {
		t.Fatal(err)
	}
	if left, err := s.SealedWithOldKeys(t.Context()); err != nil || left != 0 {
		t.Errorf("%d values are still sealed with old keys: %v", left, err)
	}
	states, err := s.Keyring().States(t.Context())
	for _, state := range states {
		if state.Keys != 2 {
			t.Errorf("%s has %d keys: the rotation was begun anew", state.Owner, state.Keys)
		}
	}
	if err != nil {
		t.Error(err)
	}
	checkOpens(t, s)
}

func checkOpens(t *testing.T, s *store.Store) {
	t.Helper()
	if opened, err := s.CheckSealed(t.Context()); err != nil || opened != rotatedAccounts {
		t.Errorf("%d values open: %v", opened, err)
	}
}

func rotate(t *testing.T, s *store.Store, progress func(store.Resealing)) error {
	t.Helper()
	began, err := s.BeginRotation(t.Context())
	if err != nil {
		return err
	}
	if _, err := s.Keyring().Rotate(t.Context(), began); err != nil {
		return err
	}
	return s.Reseal(t.Context(), progress)
}

// killWhileRotating runs a child that rotates, and kills it when it has sealed some anew.
func killWhileRotating(t *testing.T, directory string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.Command(program, "-test.run=^TestRotating$")
	victim.Env = append(os.Environ(), rotatingVariable+"="+directory)
	victim.Stderr = os.Stderr
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "sealed anew: ") {
			if err := victim.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	if err := victim.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// TestRotating is the child of TestKillNineInARotation: when it has sealed some anew, it says so and waits for its end.
func TestRotating(t *testing.T) {
	directory := os.Getenv(rotatingVariable)
	if directory == "" {
		t.Skip("runs only as the child of TestKillNineInARotation")
	}
	s, err := openData(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Fatal(rotate(t, s, func(r store.Resealing) {
		if r.Resealed > rotatedAccounts/3 {
			fmt.Fprintln(os.Stdout, "sealed anew:", r.Resealed)
			select {} // in the midst of it
		}
	}))
}
