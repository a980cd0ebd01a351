package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Limits of a description's text, in bytes. YAML is read into a tree first, which takes far more memory than JSON.
const (
	MaxSize     = 64 << 20
	maxYAMLSize = 16 << 20
	maxYAMLJSON = 32 << 20 // of what YAML with its anchors unfolds to
	maxDepth    = 1_000    // of nesting; real descriptions stay below 50

	maxYAMLMarks = 1_000_000 // places where a value of YAML may begin; each takes some 400 bytes when it is read
)

// toJSON gives a description as valid JSON.
func toJSON(data []byte) ([]byte, error) {
	if len(data) > MaxSize {
		return nil, refused("The description has %d MB; at most %d MB are read.", len(data)>>20, MaxSize>>20).
			WithFix("Import a smaller one, for example one area of the API.")
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if len(data) == 0 {
		return nil, refused("The description is empty.")
	}
	if data[0] == '<' {
		return nil, refused("This is a web page, not an OpenAPI description.").
			WithFix("Give the address of the description itself: it often ends in openapi.json, openapi.yaml or swagger.json.")
	}
	if bytes.HasPrefix(data, []byte("%PDF-")) || bytes.IndexByte(data[:min(len(data), 4<<10)], 0) >= 0 {
		return nil, refused("This is not a text, and no OpenAPI description.").
			WithFix("Give the description itself, in JSON or YAML; an archive has to be unpacked first.")
	}
	if deep(data) {
		return nil, refused("The description is nested more than %d levels deep.", maxDepth)
	}
	if json.Valid(data) {
		if data[0] != '{' {
			return nil, refused("An OpenAPI description is an object; this is another JSON value.")
		}
		return data, nil
	}
	return fromYAML(data)
}

// deep reports whether JSON, or YAML in flow style, is nested too deeply. Texts are skipped.
func deep(data []byte) bool {
	if data[0] != '{' && data[0] != '[' {
		return false // YAML in block style; its own reader has limits
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = skipString(data, i) - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

func fromYAML(data []byte) ([]byte, error) {
	if len(data) > maxYAMLSize {
		return nil, refused("The description is YAML of %d MB; at most %d MB are read.", len(data)>>20, maxYAMLSize>>20).WithFix("Convert it to JSON, of which %d MB are read.", MaxSize>>20)
	}
	if marks(data) > maxYAMLMarks {
		return nil, refused("The description is YAML with more than %d values.", maxYAMLMarks).WithFix("Convert it to JSON, of which %d MB are read.", MaxSize>>20)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, refused("The description is neither JSON nor YAML: %s.", firstLine(err.Error()))
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, refused("The description is neither a JSON nor a YAML object.")
	}
	w := &yamlWriter{}
	if err := w.value(doc.Content[0], 0); err != nil {
		return nil, err
	}
	return w.b.Bytes(), nil
}

// marks counts where values of YAML may begin. Those in texts count as well: it is a bound, and far from what real descriptions have.
func marks(data []byte) int {
	n := 0
	for _, c := range data {
		switch c {
		case '\n', ',', ':', '[', '{', '?':
			n++
		}
	}
	return n + bytes.Count(data, []byte("- "))
}

// yamlWriter writes YAML as JSON. Anchors are unfolded within limits: a few lines of them can stand for gigabytes.
type yamlWriter struct {
	b    bytes.Buffer
	open []*yaml.Node // anchors that are being unfolded
}

func (w *yamlWriter) value(v *yaml.Node, depth int) error {
	switch {
	case depth > maxDepth:
		return refused("The description is nested more than %d levels deep.", maxDepth)
	case w.b.Len() > maxYAMLJSON:
		return refused("The description's anchors unfold to more than %d MB.", maxYAMLJSON>>20)
	}
	switch v.Kind {
	case yaml.AliasNode:
		for _, o := range w.open {
			if o == v.Alias {
				return refused("Line %d: the anchor %q holds itself.", v.Line, v.Value)
			}
		}
		w.open = append(w.open, v.Alias)
		defer func() { w.open = w.open[:len(w.open)-1] }()
		return w.value(v.Alias, depth+1)
	case yaml.MappingNode:
		return w.mapping(v, depth)
	case yaml.SequenceNode:
		w.b.WriteByte('[')
		for i, e := range v.Content {
			if i > 0 {
				w.b.WriteByte(',')
			}
			if err := w.value(e, depth+1); err != nil {
				return err
			}
		}
		w.b.WriteByte(']')
	default:
		w.scalar(v)
	}
	return nil
}

func (w *yamlWriter) mapping(v *yaml.Node, depth int) error {
	w.b.WriteByte('{')
	first := true
	for i := 0; i+1 < len(v.Content); i += 2 {
		key, value := v.Content[i], v.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			continue // merged maps are not part of OpenAPI
		}
		if !first {
			w.b.WriteByte(',')
		}
		first = false
		w.text(key.Value)
		w.b.WriteByte(':')
		if err := w.value(value, depth+1); err != nil {
			return err
		}
	}
	w.b.WriteByte('}')
	return nil
}

func (w *yamlWriter) scalar(v *yaml.Node) {
	switch v.Tag {
	case "!!null":
		w.b.WriteString("null")
	case "!!bool":
		var on bool
		_ = v.Decode(&on) // the tag says that it is one
		w.b.WriteString(strconv.FormatBool(on))
	case "!!int", "!!float":
		var n float64
		out, err := []byte(nil), v.Decode(&n)
		if err == nil {
			out, err = json.Marshal(n) // not for .inf and .nan
		}
		if err != nil {
			w.text(v.Value)
			return
		}
		w.b.Write(out)
	default:
		w.text(v.Value)
	}
}

func (w *yamlWriter) text(s string) {
	out, err := json.Marshal(s)
	if err != nil {
		out = fmt.Appendf(nil, "%q", s)
	}
	w.b.Write(out)
}

func firstLine(s string) string {
	line, _, _ := bytes.Cut([]byte(s), []byte("\n"))
	return string(line)
}
