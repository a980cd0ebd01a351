package patchbay

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"
)

// Triggers has connected accounts watched; what happens there comes as events (Events, Webhooks). Get it from a Client.
type Triggers struct{ t *transport }

// TriggerType is one thing that can be watched in an app.
type TriggerType struct {
	Slug          string          `json:"slug"`
	Name          string          `json:"name"`
	Description   string          `json:"description"`
	Instructions  string          `json:"instructions"`
	Type          string          `json:"type"` // "poll" or "webhook"
	Toolkit       ToolkitRef      `json:"toolkit"`
	Config        json.RawMessage `json:"config"`  // JSON Schema of what can be configured
	Payload       json.RawMessage `json:"payload"` // JSON Schema of an event's data
	Version       string          `json:"version"`
	NeedsEndpoint bool            `json:"requires_webhook_endpoint_setup"` // an address has to be entered at the provider first
}

// NewTrigger says what is to be watched, and for whom.
type NewTrigger struct {
	UserID    string         `json:"user_id,omitempty"`
	AccountID string         `json:"connected_account_id,omitempty"` // empty: the user's one of the trigger's toolkit
	Config    map[string]any `json:"trigger_config"`
}

// CreatedTrigger is a trigger that was made, or was there. URL and Secret have to be entered at the provider where they are not
// empty; the secret is told once.
type CreatedTrigger struct {
	ID     string `json:"trigger_id"`
	URL    string `json:"webhook_url"`
	Secret string `json:"webhook_secret"`
}

// TriggerCheck says whether a trigger could be made.
type TriggerCheck struct {
	OK        bool            `json:"ok"`
	AccountID string          `json:"connected_account_id"`
	Problem   *TriggerProblem `json:"problem"` // nil when it could
	Warnings  []string        `json:"warnings"`
	Found     int             `json:"items_found"` // of a poll: how many there are now
}

// TriggerProblem says why a trigger cannot be made, and how to mend it.
type TriggerProblem struct {
	Slug    string   `json:"slug"`
	Message string   `json:"message"`
	Fix     string   `json:"suggested_fix"`
	Errors  []string `json:"errors"`
}

// Trigger watches one thing for one connected account.
type Trigger struct {
	ID        string          `json:"id"`
	Type      string          `json:"trigger_name"`
	AccountID string          `json:"connected_account_id"`
	UserID    string          `json:"user_id"`
	Config    json.RawMessage `json:"trigger_config"`
	State     TriggerState    `json:"state"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// TriggerState says how a trigger is.
type TriggerState struct {
	Status   string    `json:"status"`
	Reason   string    `json:"disabled_reason"`
	Message  string    `json:"message"`
	Failures int       `json:"consecutive_failures"`
	LastLook time.Time `json:"last_polled_at"` // of a poll
	NextLook time.Time `json:"next_poll_at"`
}

// TriggerFilter picks triggers; zero values do not filter.
type TriggerFilter struct {
	IDs          []string
	Types        []string
	UserIDs      []string
	AccountIDs   []string
	AuthConfigs  []string
	ShowDisabled bool
}

// Types goes through what can be watched, in the given toolkits or in all.
func (s Triggers) Types(ctx context.Context, toolkits ...string) iter.Seq2[TriggerType, error] {
	return all[TriggerType](ctx, s.t, "/triggers_types", queryOf("toolkit_slugs", comma(toolkits)))
}

// Type gives one type, with what can be configured and what its events hold.
func (s Triggers) Type(ctx context.Context, slug string) (TriggerType, error) {
	var kind TriggerType
	escaped, err := segment("the trigger type's slug", slug)
	if err != nil {
		return kind, err
	}
	err = s.t.get(ctx, "/triggers_types/"+escaped, nil, &kind)
	return kind, err
}

// Create watches. The same type and configuration for the same account is the same trigger; a disabled one is enabled.
func (s Triggers) Create(ctx context.Context, slug string, n NewTrigger) (CreatedTrigger, error) {
	var made CreatedTrigger
	escaped, err := segment("the trigger type's slug", slug)
	if err != nil {
		return made, err
	}
	err = s.t.post(ctx, "/trigger_instances/"+escaped+"/upsert", n.whole(), &made)
	return made, err
}

// Check says whether Create would work, and keeps nothing.
func (s Triggers) Check(ctx context.Context, slug string, n NewTrigger) (TriggerCheck, error) {
	var check TriggerCheck
	escaped, err := segment("the trigger type's slug", slug)
	if err != nil {
		return check, err
	}
	err = s.t.post(ctx, "/trigger_instances/"+escaped+"/check", n.whole(), &check)
	return check, err
}

// whole gives the trigger with a configuration, be it an empty one.
func (n NewTrigger) whole() NewTrigger {
	if n.Config == nil {
		n.Config = map[string]any{}
	}
	return n
}

// All goes through the project's triggers.
func (s Triggers) All(ctx context.Context, f TriggerFilter) iter.Seq2[Trigger, error] {
	query := queryOf("trigger_ids", comma(f.IDs), "trigger_names", comma(f.Types), "user_ids", comma(f.UserIDs),
		"connected_account_ids", comma(f.AccountIDs), "auth_config_ids", comma(f.AuthConfigs))
	if f.ShowDisabled {
		query.Set("show_disabled", "true")
	}
	return all[Trigger](ctx, s.t, "/trigger_instances/active", query)
}

// SetEnabled lets a trigger watch, or rest.
func (s Triggers) SetEnabled(ctx context.Context, triggerID string, enabled bool) error {
	path, err := triggerPath(triggerID)
	if err != nil {
		return err
	}
	status := "disable"
	if enabled {
		status = "enable"
	}
	return s.t.do(ctx, request{method: http.MethodPatch, path: path, body: map[string]string{"status": status}}, nil)
}

// Delete ends a trigger, and removes its webhook at the provider where one was made.
func (s Triggers) Delete(ctx context.Context, triggerID string) error {
	path, err := triggerPath(triggerID)
	if err != nil {
		return err
	}
	return s.t.delete(ctx, path, nil)
}

func triggerPath(id string) (string, error) {
	escaped, err := segment("the trigger's id", id)
	return "/trigger_instances/manage/" + escaped, err
}
