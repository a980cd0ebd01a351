package event_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
)

func TestPayloads(t *testing.T) {
	t.Parallel()
	e := message("k")
	e.ID, e.LogID, e.OccurredAt = "msg_1", "log_1", time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	e.Data = json.RawMessage(`{"thing":"k","user_id":"not ours","n":12345678901234567890}`)
	expired := event.Event{
		ID: "msg_2", ProjectID: project, Type: event.AccountExpired, OccurredAt: e.OccurredAt, Data: json.RawMessage(`{"id":"ca_1"}`),
	}
	for _, test := range []struct {
		event event.Event
		form  event.Payload
		want  string
	}{
		{e, event.V3, `{"id":"msg_1","timestamp":"2026-01-02T03:04:05.678Z","type":"composio.trigger.message","metadata":{"log_id":"log_1",` +
			`"trigger_slug":"ACME_NEW_THING","trigger_id":"ti_1","connected_account_id":"ca_1","auth_config_id":"ac_1","user_id":"user_7"},` +
			`"data":{"thing":"k","user_id":"not ours","n":12345678901234567890}}`},
		{e, event.V2, `{"type":"acme_new_thing","timestamp":"2026-01-02T03:04:05.678Z","log_id":"log_1","data":{"connection_id":"ca_1",` +
			`"connection_nano_id":"ca_1","n":12345678901234567890,"thing":"k","trigger_id":"ti_1","trigger_nano_id":"ti_1","user_id":"user_7"}}`},
		{e, event.V1, `{"trigger_name":"ACME_NEW_THING","connection_id":"ca_1","trigger_id":"ti_1",` +
			`"payload":{"thing":"k","user_id":"not ours","n":12345678901234567890},"log_id":"log_1"}`},
		{expired, event.V1, `{"id":"msg_2","timestamp":"2026-01-02T03:04:05.678Z","type":"composio.connected_account.expired",` +
			`"metadata":{"project_id":"pr_ours","org_id":"ok_1"},"data":{"id":"ca_1"}}`},
	} {
		s, err := event.New(event.Options{Store: noStore{}, HTTP: noHTTP{}, Bus: noBus, OrganisationID: oneOrganisation})
		must(t, err)
		got, err := s.Render(t.Context(), test.event, test.form)
		must(t, err)
		if string(got) != test.want {
			t.Errorf("%s %s\n got %s\nwant %s", test.event.Type, test.form, got, test.want)
		}
	}
}
