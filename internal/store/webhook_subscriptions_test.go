package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// TestADamagedSubscriptionStopsNoOther claims two, one of which has a secret that cannot be opened.
func TestADamagedSubscriptionStopsNoOther(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.Now()
	directory := t.TempDir()
	s, err := Open(ctx, Options{
		Database: filepath.Join(directory, "patchbay.db"), MasterKey: secret.KeyFile(filepath.Join(directory, "master.key")), Bus: new(notify.Bus),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []string{"ws_damaged", "ws_whole"} {
		err := s.CreateSubscription(ctx, event.Subscription{
			ID: id, ProjectID: "pr_1", URL: "https://example.com/", Payload: event.V3, Status: event.Enabled, Secret: secret.Hide("whsec_a"),
			Filter: event.Filter{Types: []event.Type{event.TriggerMessage}}, CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AppendEvents(ctx, []event.Event{{
		ID: "msg_1", ProjectID: "pr_1", Key: "k", Type: event.TriggerMessage, Data: []byte(`{}`), OccurredAt: now, CreatedAt: now,
	}}); err != nil {
		t.Fatal(err)
	}
	err = s.write(ctx, "damage", func(t *tx) error {
		_, err := t.exec(`UPDATE webhook_subscriptions SET secret = $1 WHERE id = 'ws_damaged'`, []byte("damaged"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(time.Minute)
	claimed, err := s.ClaimSubscriptions(ctx, "node", soon, soon.Add(time.Minute), 10)
	if err != nil || len(claimed) != 1 || claimed[0].ID != "ws_whole" {
		t.Errorf("claimed %v, %v", claimed, err)
	}
}
