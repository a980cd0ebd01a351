package api

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// subscriptionResponse is a webhook subscription (API contract section 12.1), with what this server knows more of it.
type subscriptionResponse struct {
	ID             string             `json:"id"`
	URL            string             `json:"webhook_url"`
	Version        event.Payload      `json:"version"`
	Events         []event.Type       `json:"enabled_events"`
	Secret         string             `json:"secret"`
	CreatedAt      string             `json:"created_at"`
	UpdatedAt      string             `json:"updated_at"`
	Filter         subscriptionFilter `json:"filter"`
	Status         event.Status       `json:"status"`
	DisabledReason *string            `json:"disabled_reason"`
	Failures       int                `json:"consecutive_failures"`
	PausedUntil    *string            `json:"paused_until"`
}

// subscriptionFilter narrows a subscription beyond the types of event. An empty list does not filter.
type subscriptionFilter struct {
	Toolkits     []string `json:"toolkit_slugs,omitempty"`
	TriggerSlugs []string `json:"trigger_slugs,omitempty"`
	TriggerIDs   []string `json:"trigger_ids,omitempty"`
	UserIDs      []string `json:"user_ids,omitempty"`
	AccountIDs   []string `json:"connected_account_ids,omitempty"`
	AuthConfigs  []string `json:"auth_config_ids,omitempty"`
}

func subscriptionOf(s event.Subscription) subscriptionResponse {
	return subscriptionResponse{
		ID: s.ID, URL: s.URL, Version: s.Payload, Events: s.Filter.Types, Secret: s.Secret.Reveal(), // as the SDKs expect
		CreatedAt: timestamp(s.CreatedAt), UpdatedAt: timestamp(s.UpdatedAt),
		Filter: subscriptionFilter{
			Toolkits: s.Filter.Toolkits, TriggerSlugs: s.Filter.TriggerSlugs, TriggerIDs: s.Filter.TriggerIDs,
			UserIDs: s.Filter.UserIDs, AccountIDs: s.Filter.AccountIDs, AuthConfigs: s.Filter.AuthConfigs,
		},
		Status: s.Status, DisabledReason: orNull(s.DisabledReason), Failures: s.Failures, PausedUntil: timestampOrNull(s.PausedUntil),
	}
}

func timestampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := timestamp(t)
	return &text
}

// subscriptionBody is a subscription as create and update send it. What is absent stays as it is.
type subscriptionBody struct {
	URL     *string             `json:"webhook_url"`
	Events  *[]string           `json:"enabled_events"`
	Version *string             `json:"version"`
	Filter  *subscriptionFilter `json:"filter"` // replaces the one before
	Status  *string             `json:"status"`
}

// change says what a body asks for.
func (b subscriptionBody) change() event.SubscriptionChange {
	change := event.SubscriptionChange{URL: b.URL, Payload: (*event.Payload)(b.Version), Status: (*event.Status)(b.Status)}
	if b.Filter != nil {
		change.Filter = &event.Filter{
			Toolkits: b.Filter.Toolkits, TriggerSlugs: b.Filter.TriggerSlugs, TriggerIDs: b.Filter.TriggerIDs,
			UserIDs: b.Filter.UserIDs, AccountIDs: b.Filter.AccountIDs, AuthConfigs: b.Filter.AuthConfigs,
		}
	}
	if b.Events != nil {
		types := mapped(*b.Events, func(t string) event.Type { return event.Type(t) })
		change.Types = &types
	}
	return change
}

type createSubscriptionRequest struct{ subscriptionBody }

func (a *api) createSubscription(ctx context.Context, caller tenant.Caller, in createSubscriptionRequest) (subscriptionResponse, error) {
	sub, err := a.events.CreateSubscription(ctx, caller, in.change())
	if err != nil {
		return subscriptionResponse{}, err
	}
	return subscriptionOf(sub), nil
}

type listSubscriptionsRequest struct {
	Limit  limit  `query:"limit" json:"-"`
	Cursor string `query:"cursor" json:"-"`
}

func (a *api) listSubscriptions(ctx context.Context, caller tenant.Caller, in listSubscriptionsRequest) (pageResponse[subscriptionResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[subscriptionResponse]{}, err
	}
	size := in.Limit.clamp(20, 1000)
	subs, page, err := a.events.ListSubscriptions(ctx, caller, event.SubscriptionFilter{Limit: size, Cursor: at.from})
	if err != nil {
		return pageResponse[subscriptionResponse]{}, err
	}
	return pageResponse[subscriptionResponse]{Items: mapped(subs, subscriptionOf), pageInfo: infoOf(at, size, connect.Page(page))}, nil
}

type subscriptionRequest struct {
	ID string `path:"id" json:"-"`
}

func (a *api) getSubscription(ctx context.Context, caller tenant.Caller, in subscriptionRequest) (subscriptionResponse, error) {
	sub, err := a.events.Subscription(ctx, caller, in.ID)
	if err != nil {
		return subscriptionResponse{}, err
	}
	return subscriptionOf(sub), nil
}

type updateSubscriptionRequest struct {
	ID string `path:"id" json:"-"`
	subscriptionBody
}

func (a *api) updateSubscription(ctx context.Context, caller tenant.Caller, in updateSubscriptionRequest) (subscriptionResponse, error) {
	sub, err := a.events.UpdateSubscription(ctx, caller, in.ID, in.change())
	if err != nil {
		return subscriptionResponse{}, err
	}
	return subscriptionOf(sub), nil
}

func (a *api) deleteSubscription(ctx context.Context, caller tenant.Caller, in subscriptionRequest) (successResponse, error) {
	err := a.events.DeleteSubscription(ctx, caller, in.ID)
	return successResponse{Success: err == nil}, err
}

type rotatedSecretResponse struct {
	ID                 string  `json:"id"`
	Secret             string  `json:"secret"`
	PreviousValidUntil *string `json:"previous_valid_until"`
}

func (a *api) rotateSubscriptionSecret(ctx context.Context, caller tenant.Caller, in subscriptionRequest) (rotatedSecretResponse, error) {
	sub, err := a.events.RotateSecret(ctx, caller, in.ID)
	if err != nil {
		return rotatedSecretResponse{}, err
	}
	return rotatedSecretResponse{sub.ID, sub.Secret.Reveal(), timestampOrNull(sub.PreviousUntil)}, nil
}

type eventTypesResponse struct {
	Items []eventTypeResponse `json:"items"`
}

type eventTypeResponse struct {
	Type        event.Type      `json:"event_type"`
	Description string          `json:"description"`
	Versions    []event.Payload `json:"supported_versions"`
}

func (a *api) listEventTypes(context.Context, tenant.Caller, struct{}) (eventTypesResponse, error) {
	return eventTypesResponse{mapped(event.Kinds(), func(k event.Kind) eventTypeResponse {
		return eventTypeResponse{k.Type, k.Description, k.Payloads}
	})}, nil
}
