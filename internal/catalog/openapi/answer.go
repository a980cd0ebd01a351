package openapi

import (
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// addAnswer describes what comes back, as far as a few dozen members go, and recognises pages.
func (m *toolMaker) addAnswer(t *catalog.DefinedTool) {
	schema, media := m.doc.answer(m.op)
	switch bare := bareMedia(media); {
	case m.http.Accept != "" || bare == "" || bare == "application/json":
	case bare == "*/*": // it is not said what comes, which may be anything
		m.http.Accept = "application/json, */*;q=0.5"
	case isJSON(bare): // of the provider's own kind; some serve nothing else
		m.http.Accept = bare + ", application/json;q=0.9"
	default:
		m.http.Accept = bare
	}
	t.Page = m.page(schema)
	if schema == nil {
		return
	}
	w := m.writer(ofResponse)
	w.rename = nil
	out := w.write(schema)
	if len(out) == 0 {
		return
	}
	if normal, err := catalog.NormaliseInner(out); err == nil && json.Valid(normal.JSON) {
		t.Output = normal.JSON
	}
}

// answer gives the schema of a success, and its media type.
func (d *document) answer(op *operation) (schema any, media string) {
	responses := object(op.n, "responses")
	for _, status := range []string{"200", "201", "202", "203", "206", "2XX", "2xx", "default"} {
		n := d.derefNode(responses[status])
		if n == nil {
			continue
		}
		if s := n["schema"]; s != nil { // 2.0
			return s, bestOf(d.produces(op))
		}
		if content := object(n, "content"); len(content) > 0 {
			media := bestOf(sortedKeys(content))
			return d.derefNode(content[media])["schema"], media
		}
	}
	return nil, ""
}

// produces gives the media types of what an operation answers, in 2.0.
func (d *document) produces(op *operation) []string {
	if own := texts(op.n["produces"]); len(own) > 0 {
		return own
	}
	return texts(d.section("produces"))
}
