package connect

import (
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// unsupported are the schemes of the API contract that this server does not do, with the values that an account of each would
// hold (section 10.1): whoever asks for one learns that it is known, and what it would take.
var unsupported = map[string][]string{
	"BILLCOM_AUTH": {"sessionId", "devKey"},
	"CALCOM_AUTH":  nil,
	"SAML":         nil,
}

// refuseUnsupported is the fault for a scheme that this server knows by name only; nil for every other.
func refuseUnsupported(mode, toolkit string) *fault.Error {
	fields, known := unsupported[mode]
	if !known {
		return nil
	}
	holds := "The API contract names no fields for it."
	if len(fields) > 0 {
		holds = "An account of it would hold " + strings.Join(fields, ", ") + "."
	}
	return fault.New(fault.Invalid, fault.SlugAuthConfigInvalid, "Scheme %q is not supported here for %s, nor for any other toolkit. %s", mode, toolkit, holds)
}
