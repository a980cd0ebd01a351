package execute

import (
	"encoding/json"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
)

// Call is one tool call. The tool must already be allowed; whose account is used follows from Select.
type Call struct {
	Tool           *catalog.Tool
	Arguments      map[string]any // as the caller sent them; numbers are json.Number
	Select         connect.Selection
	Custom         *CustomAuth // credentials the caller brings along instead of an account
	SessionID      string
	IdempotencyKey string // a repeat within 24 hours replays the first answer
	Origin         string // "api", "session", "mcp", …: for the log
}

// Result of a call that reached the tool. A tool that ran and failed is a Result with Error set, not a Go error.
type Result struct {
	Data  json.RawMessage // always a JSON object
	Error string          // empty when the tool succeeded
	LogID string
	// Offloaded is set when Data is a preview of an answer that was too large to hand over whole.
	AccountID string // which account was used; empty for no-auth tools
}

// CustomAuth are credentials given with the call (contract section 7.3: custom_auth_params, custom_connection_data).
type CustomAuth struct {
	BaseURL string
	Header  map[string]string
	Query   map[string]string
	Body    map[string]any
	Scheme  string
	Fields  connect.Fields
}

// ProxyCall is a raw request to a toolkit's API with a user's credential (contract sections 6.11 and 7.4).
type ProxyCall struct {
	Toolkit   *catalog.Toolkit
	Select    connect.Selection
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
}

// ProxyResult is the provider's own answer; its status may well be an error.
type ProxyResult struct {
	Status int
	Header map[string]string
	Data   json.RawMessage // JSON as it came; text as a JSON string; null when empty or Binary is set
	Binary []byte
	Type   string
	LogID  string
}

// LogEntry records one call. Bodies are kept only when the operator asks for it; credentials never.
type LogEntry struct {
	ID          string
	ProjectID   string
	UserID      string
	SessionID   string
	RequestID   string
	Tool        string
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
