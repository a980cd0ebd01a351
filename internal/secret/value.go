package secret

import "log/slog"

// redacted is what every formatter, logger and encoder gets to see of a Value.
const redacted = "[redacted]"

// Value is a secret text. However it is printed, logged or encoded, only "[redacted]" comes out; the text itself is
// had by calling Reveal, which is easy to find in a review. The zero Value is the empty secret.
type Value struct{ text string }

// Hide wraps a text.
func Hide(text string) Value { return Value{text} }

// Reveal gives the text. Call it only where the secret leaves for its purpose: sealing, or an outbound request.
func (v Value) Reveal() string { return v.text }

// Empty reports whether there is no secret.
func (v Value) Empty() bool { return v.text == "" }

// String, GoString, LogValue, MarshalText and MarshalJSON all hide the text.
func (v Value) String() string               { return redacted }
func (v Value) GoString() string             { return redacted }
func (v Value) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
