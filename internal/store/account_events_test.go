package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// TestAnAccountsChangeAndItsEventAreStoredTogether: both, or neither.
func TestAnAccountsChangeAndItsEventAreStoredTogether(t *testing.T) {
	t.Parallel()
	var calledFor []connect.Status
	var data string
	s, err := store.Open(t.Context(), store.Options{
		Database:  filepath.Join(t.TempDir(), "patchbay.db"),
		MasterKey: secret.KeyFile(filepath.Join(t.TempDir(), "master.key")),
		Bus:       new(notify.Bus),
		AccountEvents: func(_ context.Context, before connect.Status, a connect.ConnectedAccount) ([]event.Event, error) {
			calledFor = append(calledFor, before, a.Status)
			return []event.Event{{ProjectID: a.ProjectID, Type: event.AccountExpired, Key: a.ID, AccountID: a.ID, Data: []byte(data)}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	account := connect.ConnectedAccount{ID: "ca_1", ProjectID: "pr_1", Status: connect.Active, CreatedAt: time.Now()}
	if err := s.CreateAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	change := func(status connect.Status, alias string) error {
		_, err := s.UpdateAccount(t.Context(), "pr_1", "ca_1", func(a *connect.ConnectedAccount) error {
			a.Status, a.Alias = status, alias
			return nil
		})
		return err
	}
	logged := func() int {
		events, err := s.EventsAfter(t.Context(), "pr_1", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(events)
	}
	if err := change(connect.Active, "renamed"); err != nil || len(calledFor) != 0 || logged() != 0 {
		t.Errorf("without a change of status: %v, called for %v, %d events", err, calledFor, logged())
	}
	data = "not an object"
	if err := change(connect.Expired, ""); err == nil {
		t.Error("an event that cannot be stored was passed over")
	}
	if a, err := s.Account(t.Context(), "pr_1", "ca_1"); err != nil || a.Status != connect.Active {
		t.Errorf("the account changed without its event: %s, %v", a.Status, err)
	}
	data = `{"id":"ca_1"}`
	if err := change(connect.Expired, ""); err != nil || logged() != 1 {
		t.Errorf("%v, %d events", err, logged())
	}
}
