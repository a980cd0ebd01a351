package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// The forms of payload (API contract section 12.2). The field order is that of the contract.

type payloadV3 struct {
	ID        string          `json:"id"`
	Timestamp string          `json:"timestamp"`
	Type      Type            `json:"type"`
	Metadata  any             `json:"metadata"`
	Data      json.RawMessage `json:"data"`
}

type triggerMetadata struct {
	LogID        string `json:"log_id"`
	TriggerSlug  string `json:"trigger_slug"`
	TriggerID    string `json:"trigger_id"`
	AccountID    string `json:"connected_account_id"`
	AuthConfigID string `json:"auth_config_id"`
	UserID       string `json:"user_id"`
}

type lifecycleMetadata struct {
	ProjectID      string `json:"project_id"`
	OrganisationID string `json:"org_id"`
}

type payloadV2 struct {
	Type      string                     `json:"type"`
	Timestamp string                     `json:"timestamp"`
	LogID     string                     `json:"log_id"`
	Data      map[string]json.RawMessage `json:"data"`
}

type payloadV1 struct {
	TriggerName  string          `json:"trigger_name"`
	ConnectionID string          `json:"connection_id"`
	TriggerID    string          `json:"trigger_id"`
	Payload      json.RawMessage `json:"payload"`
	LogID        string          `json:"log_id"`
}

// render writes an event in a form of payload. The same event gives the same bytes each time. Lifecycle events, which have no
// older form, are V3 whatever is asked.
func render(e Event, form Payload, organisationID string) ([]byte, error) {
	if e.Type != TriggerMessage {
		return json.Marshal(payloadV3{e.ID, stamp(e.OccurredAt), e.Type, lifecycleMetadata{e.ProjectID, organisationID}, e.Data})
	}
	switch form {
	case V1:
		return json.Marshal(payloadV1{e.TriggerSlug, e.AccountID, e.TriggerID, e.Data, e.LogID})
	case V2:
		data, err := e.dataV2()
		if err != nil {
			return nil, err
		}
		return json.Marshal(payloadV2{strings.ToLower(e.TriggerSlug), stamp(e.OccurredAt), e.LogID, data})
	default:
		return json.Marshal(payloadV3{e.ID, stamp(e.OccurredAt), e.Type, triggerMetadata{
			e.LogID, e.TriggerSlug, e.TriggerID, e.AccountID, e.AuthConfigID, e.UserID,
		}, e.Data})
	}
}

// dataV2 gives the payload with the ids among its members, which win over members of the same name.
func (e Event) dataV2() (map[string]json.RawMessage, error) {
	data := make(map[string]json.RawMessage)
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return nil, fmt.Errorf("read the data of event %s: %w", e.ID, err)
	}
	own := make(map[string]json.RawMessage)
	for name, value := range map[string]string{
		"connection_id": e.AccountID, "connection_nano_id": e.AccountID,
		"trigger_id": e.TriggerID, "trigger_nano_id": e.TriggerID, "user_id": e.UserID,
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		own[name] = text
	}
	maps.Copy(data, own)
	return data, nil
}

// stamp writes a time as the API does: UTC with milliseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
