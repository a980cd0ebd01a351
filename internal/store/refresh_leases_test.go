package store

import (
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// TestADamagedAccountHoldsUpNoOther: the accounts of all projects are listed together.
func TestADamagedAccountHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	ctx, s, end := t.Context(), openForTest(t), time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)
	for i, id := range []string{"ca_damaged", "ca_whole"} {
		if err := s.CreateAccount(ctx, connect.ConnectedAccount{
			ID: id, WordID: id, ProjectID: "pr_" + id, UserID: "u", Status: connect.Active, Values: connect.Fields{"refresh_token": secret.Hide("r-" + id)},
			TokenExpiry: end.Add(time.Duration(i) * time.Second),
		}); err != nil {
			t.Fatal(err)
		}
	}
	err := s.write(ctx, "damage an account", func(t *tx) error {
		_, err := t.exec(`UPDATE connected_accounts SET fields = $1 WHERE id = 'ca_damaged'`, []byte("not what was sealed"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	due, err := s.AccountsToRefresh(ctx, connect.DueFilter{EndsBefore: end.Add(time.Hour), Now: end, LongestPause: time.Hour, Limit: 2})
	if err != nil || len(due) != 2 { // as many as there are, or the sweep would take this for the last page
		t.Fatalf("%d accounts, %v", len(due), err)
	}
	if due[0].ID != "ca_damaged" || len(due[0].Values) > 0 || due[1].Values["refresh_token"].Reveal() != "r-ca_whole" {
		t.Errorf("%+v", due)
	}
	if _, err := s.Account(ctx, "pr_ca_damaged", "ca_damaged"); err == nil {
		t.Error("a damaged account is read without an error")
	}
}
