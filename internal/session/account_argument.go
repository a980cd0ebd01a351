package session

import (
	"bytes"
	"encoding/json"
	"maps"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Where a user may have several accounts, each call of a tool can say which one it means. REST has a member for that beside the
// arguments; MCP has arguments only. So sessions with several accounts list apps' tools with one more argument, which is taken
// out again before the tool sees them.

// accountArguments are the names that the argument can have: the first that the tool does not use itself.
var accountArguments = []string{"account", "connected_account"}

const accountDescription = "Which of the user's accounts to use: its id, word id or alias. Leave it out for the default."

// accountArgument gives the name of a tool's account argument; empty for a tool that needs no account, or uses both names.
func accountArgument(t *catalog.Tool) string {
	if t.NoAuth || t.Toolkit.NoAuth() {
		return ""
	}
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(t.Detail().Input.JSON, &schema) != nil {
		return ""
	}
	for _, name := range accountArguments {
		if _, taken := schema.Properties[name]; !taken {
			return name
		}
	}
	return ""
}

// withAccount adds the account argument to a tool's input schema and leaves the order of the rest.
func withAccount(t *catalog.Tool, input json.RawMessage) json.RawMessage {
	name := accountArgument(t)
	if name == "" {
		return input
	}
	argument, err := json.Marshal(map[string]string{"type": "string", "description": accountDescription})
	if err != nil { // two plain texts
		panic(err)
	}
	member := append([]byte(`"`+name+`":`), argument...)
	members, err := membersOf(input)
	if err != nil {
		return input
	}
	var out bytes.Buffer
	out.WriteByte('{')
	found := false
	for i, m := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(m.name)
		out.WriteByte(':')
		if m.name == `"properties"` {
			found = true
			out.Write(withMember(m.value, member))
		} else {
			out.Write(m.value)
		}
	}
	if !found {
		if len(members) > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`"properties":`)
		out.Write(withMember([]byte(`{}`), member))
	}
	out.WriteByte('}')
	return out.Bytes()
}

// withMember puts a member behind those of an object.
func withMember(object, member []byte) []byte {
	head := bytes.TrimSuffix(bytes.TrimSpace(object), []byte("}"))
	out := append([]byte(nil), bytes.TrimSpace(head)...)
	if !bytes.HasSuffix(out, []byte("{")) {
		out = append(out, ',')
	}
	return append(append(out, member...), '}')
}

// schemaMember is one member of an object as it was written.
type schemaMember struct {
	name  string // with its quotes
	value json.RawMessage
}

// membersOf takes an object apart.
func membersOf(object json.RawMessage) ([]schemaMember, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var members []schemaMember
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, err := json.Marshal(token)
		if err != nil {
			return nil, err
		}
		m := schemaMember{name: string(name)}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

// naming takes the account argument out of a call's arguments. What the call names beside them counts more.
func (c ToolCall) naming(t *catalog.Tool) ToolCall {
	for _, name := range accountArguments {
		given, there := c.Arguments[name]
		account, isText := given.(string)
		if !there || given != nil && !isText || name != accountArgument(t) {
			continue
		}
		c.Arguments = maps.Clone(c.Arguments)
		delete(c.Arguments, name)
		if c.Account == "" {
			c.Account = account
		}
		return c
	}
	return c
}
