package patchbay

import (
	"context"
	"iter"
	"time"
)

// Webhooks has events sent to URLs of yours. Get it from a Client; VerifyWebhook is the receiver's side.
type Webhooks struct{ t *transport }

// Webhook is a subscription of a URL to events.
type Webhook struct {
	ID             string        `json:"id"`
	URL            string        `json:"webhook_url"`
	Events         []string      `json:"enabled_events"`
	Version        string        `json:"version"` // of the payload: "V1", "V2" or "V3"
	Filter         WebhookFilter `json:"filter"`
	Secret         string        `json:"secret"` // signs deliveries: for VerifyWebhook
	Status         string        `json:"status"` // "ENABLED" or "DISABLED"
	DisabledReason string        `json:"disabled_reason"`
	Failures       int           `json:"consecutive_failures"`
	CreatedAt      time.Time     `json:"created_at"`
	UpdatedAt      time.Time     `json:"updated_at"`
}

// WebhookFilter narrows a subscription; empty lists do not.
type WebhookFilter struct {
	Toolkits     []string `json:"toolkit_slugs,omitempty"`
	TriggerSlugs []string `json:"trigger_slugs,omitempty"`
	TriggerIDs   []string `json:"trigger_ids,omitempty"`
	UserIDs      []string `json:"user_ids,omitempty"`
	AccountIDs   []string `json:"connected_account_ids,omitempty"`
	AuthConfigs  []string `json:"auth_config_ids,omitempty"`
}

// NewWebhook is a subscription to be made, or what is to be changed of one: zero values leave what is.
type NewWebhook struct {
	URL     string         `json:"webhook_url,omitempty"`
	Events  []string       `json:"enabled_events,omitempty"` // needed for a new one
	Version string         `json:"version,omitempty"`        // "V3" if not said
	Filter  *WebhookFilter `json:"filter,omitempty"`
	Status  string         `json:"status,omitempty"`
}

// Delivery is the sending of one event to one webhook, and how it went.
type Delivery struct {
	EventID      string    `json:"event_id"`
	EventType    string    `json:"event_type"`
	Status       string    `json:"status"` // "pending", "delivered" or "dead": given up
	Attempts     int       `json:"attempts"`
	CreatedAt    time.Time `json:"created_at"`
	LastAttempt  time.Time `json:"last_attempt_at"`
	LastResponse int       `json:"last_response_status"` // 0: none came
	LastError    string    `json:"last_error"`
	NextAttempt  time.Time `json:"next_attempt_at"`
}

// Replay says which events are to be sent again: EventIDs, or all of a time that pass the webhook's filter.
type Replay struct {
	EventIDs []string
	From, To time.Time // of logging; a zero To is now
	DeadOnly bool      // of the time, only what was given up
}

// Create subscribes a URL.
func (s Webhooks) Create(ctx context.Context, w NewWebhook) (Webhook, error) {
	var made Webhook
	err := s.t.post(ctx, "/webhook_subscriptions", w, &made)
	return made, err
}

// All goes through the project's webhooks, oldest first.
func (s Webhooks) All(ctx context.Context) iter.Seq2[Webhook, error] {
	return all[Webhook](ctx, s.t, "/webhook_subscriptions", queryOf())
}

// Get gives one webhook.
func (s Webhooks) Get(ctx context.Context, webhookID string) (Webhook, error) {
	var w Webhook
	path, err := webhookPath(webhookID, "")
	if err != nil {
		return w, err
	}
	err = s.t.get(ctx, path, nil, &w)
	return w, err
}

// Update changes a webhook.
func (s Webhooks) Update(ctx context.Context, webhookID string, change NewWebhook) (Webhook, error) {
	var w Webhook
	path, err := webhookPath(webhookID, "")
	if err != nil {
		return w, err
	}
	err = s.t.patch(ctx, path, change, &w)
	return w, err
}

// Delete ends a webhook. What is pending for it is not sent.
func (s Webhooks) Delete(ctx context.Context, webhookID string) error {
	path, err := webhookPath(webhookID, "")
	if err != nil {
		return err
	}
	return s.t.delete(ctx, path, nil)
}

// RotateSecret gives a webhook a new secret, and gives that. The one before goes on to sign for a day.
func (s Webhooks) RotateSecret(ctx context.Context, webhookID string) (secret string, err error) {
	path, err := webhookPath(webhookID, "/rotate_secret")
	if err != nil {
		return "", err
	}
	var answer struct {
		Secret string `json:"secret"`
	}
	err = s.t.post(ctx, path, nil, &answer)
	return answer.Secret, err
}

// Deliveries goes through what was sent to a webhook, the newest event first. Status "pending", "delivered" or "dead" picks; empty is all.
func (s Webhooks) Deliveries(ctx context.Context, webhookID, status string) iter.Seq2[Delivery, error] {
	path, err := webhookPath(webhookID, "/deliveries")
	if err != nil {
		return func(yield func(Delivery, error) bool) { yield(Delivery{}, err) }
	}
	return all[Delivery](ctx, s.t, path, queryOf("status", status))
}

// Replay has events of the past sent again and gives how many. They keep their ids.
func (s Webhooks) Replay(ctx context.Context, webhookID string, r Replay) (int, error) {
	path, err := webhookPath(webhookID, "/replay")
	if err != nil {
		return 0, err
	}
	body := map[string]any{"event_ids": r.EventIDs, "from": stamp(r.From), "to": stamp(r.To), "dead_only": r.DeadOnly}
	total := 0
	for {
		var answer struct {
			Replayed int    `json:"replayed"`
			Next     string `json:"next_cursor"`
		}
		if err := s.t.post(ctx, path, body, &answer); err != nil {
			return total, err
		}
		total += answer.Replayed
		if answer.Next == "" {
			return total, nil
		}
		body["cursor"] = answer.Next
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func webhookPath(id, rest string) (string, error) {
	escaped, err := segment("the webhook's id", id)
	return "/webhook_subscriptions/" + escaped + rest, err
}
