package execute

import (
	"bytes"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// judgeGraphQL reads the errors that a GraphQL service puts into an answer of status 200 (GraphQL over HTTP, section 6.4).
// Without data the call failed. With some data it failed too, but what came is kept: which part of a request with several
// fields took effect can only be seen there.
func (x *execution) judgeGraphQL(a *answer, e exchange) error {
	if !bytes.Contains(a.body, []byte(`"errors"`)) { // the usual case is not decoded twice
		return nil
	}
	if !a.readable() {
		return x.unreadable(a)
	}
	body, _ := a.decode().(map[string]any)
	errors, _ := body["errors"].([]any)
	if len(errors) == 0 {
		return nil
	}
	f, err := x.refusal(a, e)
	if err != nil {
		return err
	}
	f.message = sentence(x.service() + " answered with errors: " + graphQLMessages(errors))
	if hasData(body["data"]) {
		f.reconnect, f.slowDown = false, false
		a.failed = f
		return nil
	}
	return f
}

func graphQLMessages(errors []any) string {
	const most = 5
	text := ""
	for i, e := range errors {
		if i == most {
			return text + "; and " + itoa(len(errors)-most) + " more"
		}
		if i > 0 {
			text += "; "
		}
		text += clip(messageOf(e), maxSaid)
		if m, ok := e.(map[string]any); ok {
			if at := mapping.AsText(m["path"]); at != "" {
				text += " (at " + at + ")"
			}
		}
	}
	return text
}

// hasData reports whether any field has a value.
func hasData(data any) bool {
	fields, ok := data.(map[string]any)
	if !ok {
		return data != nil
	}
	for _, v := range fields {
		if v != nil {
			return true
		}
	}
	return false
}
