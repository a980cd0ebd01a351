package event

import (
	"encoding/json"
	"time"
)

// Type names a kind of event, in the API's words (contract section 12.1).
type Type string

// The types of event that there are.
const (
	TriggerMessage   Type = "composio.trigger.message"           // something happened at a provider
	AccountExpired   Type = "composio.connected_account.expired" // an account that worked needs its user again
	TriggerDisabled  Type = "composio.trigger.disabled"          // a trigger instance was switched off by the server
	ToolkitChanged   Type = "patchbay.toolkit.changed"           // tools of an MCP server changed and wait for approval
	longestEventData      = 4 << 20                              // bytes of Event.Data
)

// Event is one thing that happened. It never changes once it is in the log.
type Event struct {
	ID         string    // "msg_…": what receivers know it by; the same in every delivery and replay. Empty: given by the log
	ProjectID  string    // required
	Position   int64     // in the project's log, ascending; given by the log
	Key        string    // required: what it is told apart by, unique within the project. The same key again is the same event
	Type       Type      // required
	LogID      string    // "log_…"; empty: given by the log
	OccurredAt time.Time // zero: the time it was logged
	CreatedAt  time.Time // when it was logged; given by the log

	// What it is about; whatever does not apply is empty. Subscriptions filter by these.
	Toolkit      string // slug
	TriggerSlug  string // GMAIL_NEW_GMAIL_MESSAGE; begins with the toolkit
	TriggerID    string // "ti_…"
	AccountID    string // "ca_…"
	AuthConfigID string // "ac_…"
	UserID       string

	// Data is what receivers get: a JSON object, at most 4 MiB. Of a trigger message it is the payload that its type declares.
	Data json.RawMessage
}
