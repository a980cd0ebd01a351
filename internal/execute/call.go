package execute

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
)

// Call is one tool call. The tool must already be allowed; whose account is used follows from Select.
type Call struct {
	Tool           *catalog.Tool
	Version        string         // of the toolkit, as asked for; empty or "latest" for any
	Arguments      map[string]any // as the caller sent them; numbers are json.Number
	Select         connect.Selection
	Custom         *CustomAuth // credentials the caller brings along instead of an account
	SessionID      string
	IdempotencyKey string // a repeat within 24 hours replays the first answer
	Origin         string // "api", "session", "mcp", …: for the log

	// Offload is given the data of a call that succeeded and gives what the caller is to see instead: for answers that are
	// too large to hand over whole. Nil hands them over as they are.
	Offload func(ctx context.Context, data json.RawMessage) (json.RawMessage, error)
}

// Result of a call that reached the tool. A tool that ran and failed is a Result with Error set, not a Go error.
type Result struct {
	Data      json.RawMessage // always a JSON object; with an Error it is empty, or what came in spite of it (GraphQL)
	Error     string          // empty when the tool succeeded; says what went wrong and how to mend it
	LogID     string
	AccountID string   // which account was used; empty for no-auth tools
	Status    int      // the provider's HTTP status; 0 when it was not reached or the tool asks nobody
	Notes     []string // what was changed or left out of the arguments, for whoever reads the answer
	Replayed  bool     // this is the stored answer of an earlier call under the same idempotency key

	undone bool // the provider surely did nothing: the same call may be made again
}

// CustomAuth are credentials given with the call (API contract section 7.3: custom_auth_params, custom_connection_data).
// They replace the account: no stored credential goes where the caller says.
type CustomAuth struct {
	BaseURL string            // in place of the toolkit's
	Header  map[string]string // set on each request
	Query   map[string]string
	Body    map[string]any // members that join a JSON body
	Scheme  string         // with Fields: a credential in one of the toolkit's schemes
	Fields  connect.Fields
}

// ProxyCall is a raw request to a toolkit's API with a user's credential (API contract sections 6.11 and 7.4).
type ProxyCall struct {
	Toolkit   *catalog.Toolkit
	Select    connect.Selection // no user and no account: only Custom, or a toolkit without auth
	Custom    *CustomAuth
	Method    string
	Endpoint  string // relative to the toolkit's base URL, or absolute on the same registrable domain
	Header    map[string][]string
	Query     map[string][]string
	Body      any    // JSON body; nil for none
	Binary    []byte // raw body; wins over Body
	BinaryURL string // fetch the raw body from here first
	Type      string // content type of Binary
	SessionID string
	Origin    string
}

// ProxyResult is the provider's own answer; its status may well be an error.
type ProxyResult struct {
	Status int
	Header map[string]string // without cookies and what concerns only the connection
	Data   json.RawMessage   // JSON as it came; text as a JSON string; null when empty or Binary is set
	Binary []byte
	Type   string // content type of Binary
	LogID  string
}

// LogEntry records one call. Bodies and credentials are never in it.
type LogEntry struct {
	ID          string
	ProjectID   string
	UserID      string
	SessionID   string
	RequestID   string
	Tool        string // empty for a proxied request
	Toolkit     string
	AccountID   string
	AuthConfig  string
	Origin      string
	Status      string // "success" or "failed"
	Error       string
	Upstream    int // the provider's HTTP status; 0 when it was not reached
	StartedAt   time.Time
	Took        time.Duration
	UpstreamFor time.Duration // the part of Took spent waiting for the provider
}

// Values of LogEntry.Status.
const (
	Succeeded = "success"
	Failed    = "failed"
)
