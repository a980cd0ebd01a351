package execute

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// shape makes a tool's data of the answer, or of nothing when the tool asks nobody: always a JSON object.
func (x *execution) shape(ctx context.Context, a *answer) ([]byte, error) {
	if data := passThrough(x.detail, a); data != nil {
		return data, nil
	}
	if !a.readable() {
		return nil, x.unreadable(a)
	}
	env := a.env(&x.env)
	data, err := x.detail.Data(&env)
	if err != nil {
		if data = x.unshaped(a, err); data == nil {
			return nil, err
		}
	}
	if data == nil {
		return emptyObject, nil
	}
	kept, err := x.keepFiles(ctx, data)
	if err != nil {
		return nil, err
	}
	return mapping.EncodeJSON(kept)
}

// unshaped is an answer as it came, for one that the tool's declaration did not expect: services change, and a call that
// took effect must not look as if it had failed. Nil when there is no answer.
func (x *execution) unshaped(a *answer, why error) map[string]any {
	body := a.decode()
	if body == nil {
		return nil
	}
	x.log.Warn("an answer does not fit its tool's result mapping", "tool", x.entry.Tool, "log_id", x.entry.ID, "error", why)
	x.note("The answer is given as it came: it does not fit what the tool expects.")
	if object, ok := body.(map[string]any); ok {
		return object
	}
	return map[string]any{catalog.ListMember: body}
}

// passThrough hands the provider's bytes on undecoded, where the tool changes nothing about them; at most they are put
// under a member. Nil when the answer has to be looked into.
func passThrough(d *catalog.Detail, a *answer) []byte {
	r := &d.Result
	if r.Data != nil || r.Pick != nil || r.Also != nil || r.Trim != nil || !r.From.IsRoot() || d.Page != nil && d.Page.Next != nil {
		return nil
	}
	if r.Format != "" && r.Format != catalog.AnswerJSON || r.Format == "" && a.kind() != isJSON {
		return nil
	}
	body := bytes.TrimSpace(a.body)
	if len(body) == 0 || body[0] == 'n' || !a.done && !json.Valid(body) || a.bad { // null is nothing: Result.Empty says what then
		return nil
	}
	if body[0] == '{' && r.As == "" {
		return body
	}
	return under(or(r.As, catalog.ListMember), body)
}

// under makes an object with one member of a JSON value.
func under(member string, value []byte) []byte {
	name, _ := json.Marshal(member)
	out := make([]byte, 0, len(name)+len(value)+3)
	out = append(out, '{')
	out = append(out, name...)
	out = append(out, ':')
	out = append(out, value...)
	return append(out, '}')
}
