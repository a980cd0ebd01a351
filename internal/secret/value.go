package secret

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// redacted is what every formatter, logger and encoder gets to see of a Value.
const redacted = "[redacted]"

// Value is a secret text. However it is printed, logged or encoded, only "[redacted]" comes out; the text itself is
// had by calling Reveal, which is easy to find in a review. The zero Value is the empty secret. Values are equal when
// their texts are.
//
// The text is behind a handle because fmt does not ask the methods of unexported fields: printed within a struct, a
// plain string would show.
type Value struct{ text unique.Handle[string] }

// Hide wraps a text.
func Hide(text string) Value {
	if text == "" {
		return Value{}
	}
	return Value{unique.Make(text)}
}

// Reveal gives the text. Call it only where the secret leaves for its purpose: sealing, or an outbound request.
func (v Value) Reveal() string {
	if v.Empty() {
		return ""
	}
	return v.text.Value()
}

// Empty reports whether there is no secret.
func (v Value) Empty() bool { return v == Value{} }

// Format, String, LogValue, MarshalText and MarshalJSON all hide the text.
func (v Value) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (v Value) String() string               { return redacted }
func (v Value) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
