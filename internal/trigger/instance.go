package trigger

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
)

// Status of an Instance; the package documentation draws how they follow one another.
type Status string

// The statuses. Only an ACTIVE instance makes events.
const (
	Active   Status = "ACTIVE"
	Paused   Status = "PAUSED"   // its account cannot be used just now; it goes on by itself
	Disabled Status = "DISABLED" // until somebody enables it
)

// Reason says in one word why an Instance is not ACTIVE, as the event composio.trigger.disabled does.
type Reason string

// The reasons.
const (
	ByProject         Reason = "disabled_by_project"
	Unfinished        Reason = "not_set_up"                // the server stopped while it was made
	ConnectionExpired Reason = "connection_expired"        // its account is not ACTIVE
	RefusedByProvider Reason = "subscription_auth_failure" // the provider refuses the account what the trigger needs
	PollingFailure    Reason = "polling_failure"           // the list could not be read for long
)

// Instance watches one thing for one account. There is at most one of a type with the same configuration for an account.
type Instance struct {
	ID           string // ti_…
	ProjectID    string
	UserID       string
	Toolkit      string
	Trigger      string // slug of the type: GMAIL_NEW_GMAIL_MESSAGE
	Kind         string // catalog.KindPoll or catalog.KindWebhook
	AccountID    string
	AuthConfigID string
	Config       map[string]any // as the subscriber chose, defaults filled in

	Status    Status
	Reason    Reason    // empty when ACTIVE
	Why       string    // the same for a person
	StoppedAt time.Time // when it stopped being ACTIVE; zero when it is

	EndpointID string         // of the webhook endpoint at which its calls arrive; empty for polls
	Hook       map[string]any // what making or probing the webhook answered

	Position Position  // where the poll stands
	Failures int       // looks in a row that failed
	DueAt    time.Time // of the next look; zero: none
	LookedAt time.Time // end of the last look that succeeded

	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // raised by every write but those of looks; writes compare and swap on it
}

// Fingerprint tells configurations apart.
func (i Instance) Fingerprint() string { return fingerprint(i.Config) }

func fingerprint(v any) string {
	text, err := json.Marshal(v) // members are in order
	if err != nil {
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// stop takes an instance out of service.
func (i *Instance) stop(status Status, reason Reason, why string, now time.Time) {
	if i.Status == Active || i.StoppedAt.IsZero() {
		i.StoppedAt = now
	}
	i.Status, i.Reason, i.Why, i.UpdatedAt = status, reason, why, now
}

// start puts it back.
func (i *Instance) start(now time.Time) {
	i.Status, i.Reason, i.Why, i.StoppedAt, i.Failures, i.UpdatedAt = Active, "", "", time.Time{}, 0, now
}

// message is an event of an instance.
func (i *Instance) message(key string, at time.Time, data json.RawMessage) event.Event {
	return event.Event{
		ProjectID: i.ProjectID, Key: i.ID + ":" + key, Type: event.TriggerMessage, OccurredAt: at,
		Toolkit: i.Toolkit, TriggerSlug: i.Trigger, TriggerID: i.ID, AccountID: i.AccountID, AuthConfigID: i.AuthConfigID, UserID: i.UserID,
		Data: data,
	}
}

// stopped is the event that tells of an instance that the server took out of service (contract section 12.1).
func (i *Instance) stopped() (event.Event, error) {
	data, err := json.Marshal(map[string]any{
		"trigger_id": i.ID, "trigger_slug": i.Trigger, "connected_account_id": i.AccountID, "user_id": i.UserID,
		"disabled_reason": i.Reason, "message": i.Why, "disabled_at": i.StoppedAt.UTC().Format(time.RFC3339Nano),
		"resumes_by_itself": i.Status == Paused,
	})
	e := i.message("disabled:"+i.StoppedAt.UTC().Format(time.RFC3339Nano), i.StoppedAt, data)
	e.Type = event.TriggerDisabled
	return e, err
}
