package event

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Status of a Subscription.
type Status string

// The statuses of a Subscription. Only enabled ones get events.
const (
	Enabled  Status = "ENABLED"
	Disabled Status = "DISABLED"
)

// Payload names a form in which events are delivered (API contract section 12.2).
type Payload string

// The forms of payload. Lifecycle events exist in V3 only.
const (
	V1 Payload = "V1"
	V2 Payload = "V2"
	V3 Payload = "V3"
)

// Subscription sends events that pass a filter to a URL.
type Subscription struct {
	ID             string // "ws_…"
	ProjectID      string
	URL            string
	Payload        Payload
	Filter         Filter // Types is never empty
	Status         Status
	DisabledReason string // for people; empty while enabled
	Secret         secret.Value
	PreviousSecret secret.Value // signs too until PreviousUntil
	PreviousUntil  time.Time
	Failures       int       // attempts that failed since one succeeded
	PausedUntil    time.Time // no attempts before, because of them; zero: not paused
	CreatedAt      time.Time
	UpdatedAt      time.Time
	Version        int64 // counts changes of what its owner may change
}

// How long the secret that was replaced goes on to sign, so that receivers can change over in their own time.
const previousSecretLife = 24 * time.Hour

// SubscriptionChange is what may be said of a subscription when it is made or changed; nil leaves what is.
type SubscriptionChange struct {
	URL     *string
	Payload *Payload
	Types   *[]Type // replaces the types of the filter
	Filter  *Filter // replaces the whole filter, but for Types when those are nil
	Status  *Status
}

// SubscriptionFilter pages ListSubscriptions, oldest first.
type SubscriptionFilter struct {
	Limit  int
	Cursor string
}

// Page is where a list stands.
type Page struct {
	Next  string // cursor of the next page; empty at the end
	Total int    // rows over all pages
}

// mostSubscriptions is how many a project may have: each event is held against all of their filters before it is stored.
const mostSubscriptions = 200

// CreateSubscription makes a subscription with a secret of its own. URL and Filter.Types are required; Payload is V3 if not said.
func (s *Service) CreateSubscription(ctx context.Context, c tenant.Caller, change SubscriptionChange) (Subscription, error) {
	now := s.now()
	sub := Subscription{
		ID: id.New(id.Subscription), ProjectID: c.ProjectID, Payload: V3, Status: Enabled, Secret: newSecret(),
		CreatedAt: now, UpdatedAt: now,
	}
	if err := change.apply(&sub); err != nil {
		return Subscription{}, err
	}
	_, page, err := s.store.ListSubscriptions(ctx, c.ProjectID, SubscriptionFilter{Limit: 1})
	if err != nil {
		return Subscription{}, err
	}
	if page.Total >= mostSubscriptions {
		return Subscription{}, fault.New(fault.Conflict, fault.SlugConflict, "The project has %d webhook subscriptions, and can have no more.", page.Total).
			WithFix("Delete those that are not used, or let one receiver take the events of several.")
	}
	return sub, s.store.CreateSubscription(ctx, sub)
}

// Subscription gives one subscription.
func (s *Service) Subscription(ctx context.Context, c tenant.Caller, subscriptionID string) (Subscription, error) {
	return s.store.Subscription(ctx, c.ProjectID, subscriptionID)
}

// ListSubscriptions gives the project's subscriptions, oldest first: SDKs that know of one only mean the first.
func (s *Service) ListSubscriptions(ctx context.Context, c tenant.Caller, f SubscriptionFilter) ([]Subscription, Page, error) {
	return s.store.ListSubscriptions(ctx, c.ProjectID, f)
}

// UpdateSubscription changes a subscription. A new URL, or enabling it, makes it try at once again.
func (s *Service) UpdateSubscription(ctx context.Context, c tenant.Caller, subscriptionID string, change SubscriptionChange) (Subscription, error) {
	return s.store.UpdateSubscription(ctx, c.ProjectID, subscriptionID, func(sub *Subscription) error {
		before := *sub
		if err := change.apply(sub); err != nil {
			return err
		}
		if sub.URL != before.URL || sub.Status == Enabled && before.Status == Disabled {
			sub.Failures, sub.PausedUntil, sub.DisabledReason = 0, time.Time{}, ""
		}
		if sub.Status == Disabled && before.Status == Enabled {
			sub.DisabledReason = "It was disabled through the API."
		}
		sub.UpdatedAt = s.now()
		return nil
	})
}

// RotateSecret gives a subscription a new secret. The one before signs as well for a day.
func (s *Service) RotateSecret(ctx context.Context, c tenant.Caller, subscriptionID string) (Subscription, error) {
	return s.store.UpdateSubscription(ctx, c.ProjectID, subscriptionID, func(sub *Subscription) error {
		now := s.now()
		sub.PreviousSecret, sub.PreviousUntil = sub.Secret, now.Add(previousSecretLife)
		sub.Secret, sub.UpdatedAt = newSecret(), now
		return nil
	})
}

// DeleteSubscription deletes a subscription with all of its deliveries, pending ones included.
func (s *Service) DeleteSubscription(ctx context.Context, c tenant.Caller, subscriptionID string) error {
	return s.store.DeleteSubscription(ctx, c.ProjectID, subscriptionID)
}

// newSecret makes a signing secret in the form that Standard Webhooks libraries expect.
func newSecret() secret.Value {
	var key [32]byte
	rand.Read(key[:])
	return secret.Hide(secretPrefix + base64.StdEncoding.EncodeToString(key[:]))
}

// longestURL is how long a webhook URL may be, in bytes (API contract: behaviour of the original).
const longestURL = 2048

// apply changes a subscription and checks the whole of it. All faults are reported together.
func (change SubscriptionChange) apply(sub *Subscription) error {
	if change.URL != nil {
		sub.URL = strings.TrimSpace(*change.URL)
	}
	if change.Payload != nil {
		sub.Payload = *change.Payload
	}
	if change.Filter != nil {
		types := sub.Filter.Types
		sub.Filter = *change.Filter
		if sub.Filter.Types == nil {
			sub.Filter.Types = types
		}
	}
	if change.Types != nil {
		sub.Filter.Types = *change.Types
	}
	if change.Status != nil {
		sub.Status = *change.Status
	}
	if faults := sub.faults(); len(faults) > 0 {
		return fault.New(fault.Invalid, fault.SlugInvalid, "The webhook subscription cannot be as asked: %s.", strings.Join(faults, "; ")).
			WithFix("Correct what is named in errors.").WithDetails(faults...)
	}
	return nil
}

// faults says what is wrong with a subscription, one line each.
func (sub *Subscription) faults() []string {
	var faults []string
	u, err := url.Parse(sub.URL)
	switch {
	case len(sub.URL) > longestURL:
		faults = append(faults, fmt.Sprintf("webhook_url: longer than %d bytes", longestURL))
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		faults = append(faults, "webhook_url: expected a whole http or https URL")
	case u.User != nil:
		faults = append(faults, "webhook_url: a user and password in it would show in answers; check the signature instead")
	}
	if !slices.Contains([]Payload{V1, V2, V3}, sub.Payload) {
		faults = append(faults, "version: expected V1, V2 or V3")
	}
	if sub.Status != Enabled && sub.Status != Disabled {
		faults = append(faults, "status: expected ENABLED or DISABLED")
	}
	if len(sub.Filter.Types) == 0 {
		faults = append(faults, "enabled_events: expected at least one event type")
	}
	for _, t := range sub.Filter.Types {
		kind, known := kindOf(t)
		switch {
		case !known:
			faults = append(faults, fmt.Sprintf("enabled_events: %q is none; expected some of %s", cut(string(t)), knownTypes()))
		case !slices.Contains(kind.Payloads, sub.Payload) && slices.Contains(kind.Payloads, V3):
			faults = append(faults, fmt.Sprintf("enabled_events: %s is sent in version V3 only", t))
		}
	}
	return append(faults, sub.Filter.faults()...)
}

func cut(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
