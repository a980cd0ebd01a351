package catalog

import (
	"bytes"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// property is one argument (or a part of one) as declared, on its way to a JSON Schema.
type property struct {
	name        string
	as          string // the provider's name for it
	required    bool
	title       string
	description string
	types       []string // JSON Schema types; more than one is a union; none is anything
	format      string
	pattern     string
	enum        []any
	def         any
	hasDefault  bool
	example     any
	bounds      []bound
	items       *property
	members     []*property
	file        bool
}

// bound is a limit such as minimum, in the words of JSON Schema.
type bound struct {
	name  string
	value json.Number
}

// fileMembers describe a file argument as the SDKs send it (contract section 15).
var fileMembers = []*property{
	{name: "name", types: []string{"string"}, description: "File name with extension."},
	{name: "mimetype", types: []string{"string"}, description: "Media type, for example application/pdf."},
	{name: "s3key", types: []string{"string"}, description: "Key of the uploaded file, or an https URL it can be fetched from."},
}

// objectWriter writes a JSON object member by member, in the order given: models read schemas from top to bottom.
type objectWriter struct {
	b     bytes.Buffer
	count int
}

func (w *objectWriter) member(name string, value any) {
	raw, ok := value.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = mapping.EncodeJSON(value); err != nil {
			raw = json.RawMessage("null")
		}
	}
	if w.count > 0 {
		w.b.WriteByte(',')
	}
	w.count++
	quoted, _ := mapping.EncodeJSON(name)
	w.b.Write(quoted)
	w.b.WriteByte(':')
	w.b.Write(raw)
}

func (w *objectWriter) json() json.RawMessage {
	return json.RawMessage("{" + w.b.String() + "}")
}

// schema writes the JSON Schema of a property.
func (p *property) schema() json.RawMessage {
	var w objectWriter
	p.writeType(&w)
	p.writeText(&w)
	if p.format != "" {
		w.member("format", p.format)
	}
	if p.pattern != "" {
		w.member("pattern", p.pattern)
	}
	if p.enum != nil {
		w.member("enum", p.enum)
	}
	for _, b := range p.bounds {
		w.member(b.name, b.value)
	}
	if p.hasDefault {
		w.member("default", p.def)
	}
	if p.example != nil {
		w.member("examples", []any{p.example})
	}
	if p.file {
		w.member("file_uploadable", true)
	}
	return w.json()
}

func (p *property) writeText(w *objectWriter) {
	if p.title != "" {
		w.member("title", p.title)
	}
	if p.description != "" {
		w.member("description", p.description)
	}
}

// writeType writes the type and what belongs to it. A union is written as anyOf, which all model vendors and Pydantic take.
func (p *property) writeType(w *objectWriter) {
	switch len(p.types) {
	case 0:
		w.member("anyOf", anything)
	case 1:
		p.writeOneType(w, p.types[0])
	default:
		branches := make([]json.RawMessage, len(p.types))
		for i, t := range p.types {
			var branch objectWriter
			p.writeOneType(&branch, t)
			branches[i] = branch.json()
		}
		w.member("anyOf", branches)
	}
}

var anything = []json.RawMessage{
	json.RawMessage(`{"type":"string"}`), json.RawMessage(`{"type":"number"}`), json.RawMessage(`{"type":"boolean"}`),
	json.RawMessage(`{"type":"object"}`), json.RawMessage(`{"type":"array","items":{}}`),
}

func (p *property) writeOneType(w *objectWriter, t string) {
	w.member("type", t)
	switch t {
	case "array":
		items := json.RawMessage("{}")
		if p.items != nil {
			items = p.items.schema()
		}
		w.member("items", items)
	case "object":
		if p.members != nil {
			writeMembers(w, p.members)
		}
	}
}

func writeMembers(w *objectWriter, members []*property) {
	var properties objectWriter
	required := []string{}
	for _, m := range members {
		properties.member(m.name, m.schema())
		if m.required {
			required = append(required, m.name)
		}
	}
	w.member("properties", properties.json())
	if len(required) > 0 {
		w.member("required", required)
	}
}

// inputSchema is the schema of all arguments of a tool.
func inputSchema(title string, members []*property) Schema {
	var w objectWriter
	w.member("type", "object")
	w.member("title", title)
	writeMembers(&w, members)
	return Schema{JSON: w.json()}
}

// outputSchema is the schema of the whole answer of a tool (contract section 7.1) around that of its data.
func outputSchema(title string, data json.RawMessage) Schema {
	return Schema{JSON: json.RawMessage(`{"type":"object","title":"` + title + `","properties":{"data":` + string(data) +
		`,"error":{"type":["string","null"],"description":"What went wrong; null when the call succeeded."},` +
		`"successful":{"type":"boolean","description":"Whether the call did what it should."}},` +
		`"required":["data","error","successful"]}`)}
}
