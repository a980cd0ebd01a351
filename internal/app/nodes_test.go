package app_test

import (
	"crypto/rand"
	"encoding/base64"
	"testing"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/app"
	"github.com/patchbay-dev/patchbay/internal/store/postgrestest"
)

// TestTwoNodesOnOnePostgres starts two servers on one database: what one stores the other serves, and what one ends is ended
// on the other.
func TestTwoNodesOnOnePostgres(t *testing.T) {
	t.Parallel()
	database := postgrestest.Start(t)(t)
	masterKey := base64.StdEncoding.EncodeToString([]byte(rand.Text() + rand.Text())[:32])
	environ := []string{"PATCHBAY_DATABASE=" + database, "PATCHBAY_MASTER_KEY=" + masterKey, "PATCHBAY_API_KEY=" + operatorsKey}
	one := start(t, load(t, t.TempDir(), environ...))
	two := start(t, load(t, t.TempDir(), environ...))
	if !one.Welcome().First || two.Welcome().First {
		t.Error("the second node takes itself for the first")
	}

	session, err := client(t, one, operatorsKey).Sessions.Create(t.Context(), patchbay.NewSession{UserID: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	onTwo := client(t, two, operatorsKey)
	same, err := onTwo.Sessions.Use(t.Context(), session.ID)
	if err != nil || same.UserID != "ada" {
		t.Fatalf("the other node does not know the session: %v", err)
	}

	// The operator's commands go to the database, beside the running nodes.
	keys := openKeys(t, load(t, t.TempDir(), environ...))
	made := map[string]string{}
	makeKey(t, keys, "short-lived", made)
	for id, key := range made {
		for _, node := range []*app.App{one, two} {
			if _, err := client(t, node, key).Sessions.Use(t.Context(), session.ID); err != nil {
				t.Errorf("the new key does not work: %v", err)
			}
		}
		if _, err := keys.Revoke(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		for _, node := range []*app.App{one, two} {
			refused(t, client(t, node, key), session.ID)
		}
	}
	if err := session.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(t, onTwo, session.ID)
}

// refused waits until word of a change has reached a node. It fails with the test's deadline.
func refused(t *testing.T, c *patchbay.Client, sessionID string) {
	t.Helper()
	for t.Context().Err() == nil {
		if _, err := c.Sessions.Use(t.Context(), sessionID); err != nil {
			return
		}
	}
	t.Error("it works on")
}

// TestAnotherMasterKeyOnASharedDatabaseIsRefused is the mistake of a second node with a key file of its own.
func TestAnotherMasterKeyOnASharedDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	database := postgrestest.Start(t)(t)
	start(t, load(t, t.TempDir(), "PATCHBAY_DATABASE="+database))
	second := app.New(app.Options{Config: load(t, t.TempDir(), "PATCHBAY_DATABASE="+database), Toolkits: hackerNews()})
	if err := second.Start(t.Context()); err == nil {
		stop(t, second)
		t.Error("it started with a master key of its own")
	}
}
