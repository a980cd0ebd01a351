package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// failure is an error in the form people and programs get to see.
type failure struct {
	Message   string   `json:"message"`
	Fix       string   `json:"suggested_fix,omitempty"`
	Details   []string `json:"errors,omitempty"`
	Slug      string   `json:"slug,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
	LogID     string   `json:"log_id,omitempty"`
	code      int
}

// fail tells what went wrong and gives the exit code.
func (c *console) fail(err error) int {
	f := explain(err)
	if c.json {
		encoder := json.NewEncoder(c.err)
		encoder.SetEscapeHTML(false)
		encoder.Encode(map[string]failure{"error": f}) //nolint:errcheck // there is nowhere left to tell
		return f.code
	}
	fmt.Fprintln(c.err, "error:", f.Message)
	for _, detail := range f.Details {
		fmt.Fprintln(c.err, "   -", detail)
	}
	if f.Fix != "" {
		fmt.Fprintln(c.err, "  fix:", f.Fix)
	}
	if f.RequestID != "" {
		fmt.Fprintln(c.err, "  request:", f.RequestID)
	}
	if f.LogID != "" {
		fmt.Fprintln(c.err, "  log:", f.LogID)
	}
	return f.code
}

// explain turns any error of a command into a failure.
func explain(err error) failure {
	var (
		refused     *patchbay.Error
		tool        *patchbay.ToolError
		connection  *patchbay.ConnectionError
		known       *fault.Error
		settings    *settingsError
		hinted      *hintedError
		unreachable *url.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return failure{Message: "interrupted", code: exitInterrupted}
	case errors.As(err, &tool):
		return failure{Message: tool.Tool + " failed: " + tool.Message, LogID: tool.LogID, code: exitToolFailed}
	case errors.As(err, &connection):
		return failure{Message: strings.TrimPrefix(connection.Error(), "patchbay: "), Fix: "start again with: patchbay connect", code: exitFailed}
	case errors.As(err, &refused):
		return failure{Message: refused.Message, Fix: refused.Fix, Details: refused.Details, Slug: refused.Slug, RequestID: refused.RequestID, code: exitFailed}
	case errors.As(err, &settings):
		lines := strings.Split(settings.Error(), "\n")
		return failure{Message: "the settings are wrong", Details: lines, Fix: "docs/configuration.md lists all settings", code: exitUsage}
	case errors.As(err, &known):
		return failure{Message: known.Message, Fix: known.Fix, Details: known.Details, Slug: known.Slug, code: exitFailed}
	case errors.As(err, &hinted):
		return failure{Message: hinted.message, Fix: hinted.fix, code: hinted.code}
	case errors.As(err, &unreachable):
		return explainUnreachable(unreachable)
	default:
		return failure{Message: strings.TrimPrefix(err.Error(), "patchbay: "), code: exitFailed}
	}
}

func explainUnreachable(err *url.Error) failure {
	base := err.URL
	if u, parseErr := url.Parse(err.URL); parseErr == nil {
		base = u.Scheme + "://" + u.Host
	}
	cause := err.Err
	var op *net.OpError
	if errors.As(err, &op) {
		cause = op.Err
	}
	return failure{
		Message: fmt.Sprintf("the server at %s cannot be reached: %v", base, cause),
		Fix:     `start one with "patchbay serve", or name yours with --url or PATCHBAY_URL`,
		code:    exitUnreachable,
	}
}

// hintedError is an error of a command that knows how to mend it.
type hintedError struct {
	message, fix string
	code         int
}

// Error gives the message without the hint.
func (e *hintedError) Error() string { return e.message }

// wrongUsage is an error in how a command was called.
func wrongUsage(message, fix string) error { return &hintedError{message, fix, exitUsage} }
