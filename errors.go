package patchbay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Error is a request that the server refused or could not answer.
type Error struct {
	Status    int      // HTTP status
	Slug      string   // stable name for programs, for example "ToolRouterV2_NoActiveConnection"
	Code      int      // the API's number for it
	Message   string   // what is wrong, and where
	Fix       string   // how to mend it; may be empty
	Details   []string // one line per fault when there are several
	RequestID string   // for whoever reads the server's log
}

// Error says what is wrong and how to mend it, in one line.
func (e *Error) Error() string {
	where := strings.TrimSpace(fmt.Sprint(e.Status, " ", e.Slug))
	text := fmt.Sprintf("patchbay: %s (%s)", strings.TrimSuffix(e.Message, "."), where)
	if e.Fix != "" {
		text += ": " + e.Fix
	}
	return text
}

// errorFrom reads an answer that is not 2xx. Proxies in between answer with anything, so anything is taken.
func errorFrom(resp *http.Response, content []byte) *Error {
	var envelope struct {
		Error struct {
			Message   string   `json:"message"`
			Code      int      `json:"code"`
			Slug      string   `json:"slug"`
			RequestID string   `json:"request_id"`
			Fix       string   `json:"suggested_fix"`
			Errors    []string `json:"errors"`
		} `json:"error"`
		Message string `json:"message"`
	}
	e := &Error{Status: resp.StatusCode}
	if json.Unmarshal(content, &envelope) == nil {
		e.Slug, e.Code, e.Message = envelope.Error.Slug, envelope.Error.Code, envelope.Error.Message
		e.Fix, e.Details, e.RequestID = envelope.Error.Fix, envelope.Error.Errors, envelope.Error.RequestID
		if e.Message == "" {
			e.Message = envelope.Message
		}
	}
	if e.Message == "" {
		e.Message = "the answer was " + resp.Status
	}
	if resp.StatusCode/100 == 3 {
		e.Message = "the server redirects to " + resp.Header.Get("Location")
		e.Fix = "use the address it redirects to as BaseURL"
	}
	return e
}

// ToolError is a tool that was run and failed.
type ToolError struct {
	Tool    string
	Message string // what the tool, or the service behind it, said
	LogID   string // the call in the server's log
}

// Error names the tool and what it said.
func (e *ToolError) Error() string { return fmt.Sprintf("patchbay: %s failed: %s", e.Tool, e.Message) }

// ConnectionError is a connection that did not come about.
type ConnectionError struct {
	Account ConnectedAccount // with Status and StatusReason
}

// Error says what state the account is in and why.
func (e *ConnectionError) Error() string {
	text := fmt.Sprintf("patchbay: connecting %s ended as %s", e.Account.Toolkit.Slug, e.Account.Status)
	if e.Account.StatusReason != "" {
		text += ": " + e.Account.StatusReason
	}
	return text
}
