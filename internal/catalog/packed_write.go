package catalog

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// pack makes the packed form of a definition. The error says which tool cannot be built: a toolkit that is kept works.
func pack(d *Definition) ([]byte, error) {
	tk, err := d.Bare()
	if err != nil {
		return nil, err
	}
	var head, names, blocks packer
	bare := *d
	bare.Tools = nil
	meta, err := json.Marshal(packedMeta{Definition: bare, GraphQL: slices.ContainsFunc(d.Tools, func(t DefinedTool) bool { return t.GraphQL != nil })})
	if err != nil {
		return nil, err
	}
	head.string(string(meta))
	head.scopes(d.Tools)
	head.number(uint64(len(d.Tools)))
	names.number(uint64(len(d.Tools)))
	for i := range d.Tools {
		t := &d.Tools[i]
		if _, err := t.Detail(tk); err != nil {
			return nil, err
		}
		head.tool(t.Listed(tk), scopeKey(t.Scopes))
		names.strings(argumentNamesOf(t.Input))
	}
	directory, err := blocks.blocks(d.Tools)
	if err != nil {
		return nil, err
	}
	head.Write(directory)
	squeezed, err := squeeze(names.Bytes())
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, packedHeader+head.Len()+len(squeezed)+blocks.Len())
	out = append(out, packedMagic...)
	for _, n := range []uint32{
		packedFormat, uint32(head.Len()), crc32.Checksum(head.Bytes(), castagnoli), uint32(len(squeezed)), crc32.Checksum(squeezed, castagnoli),
	} {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return slices.Concat(out, head.Bytes(), squeezed, blocks.Bytes()), nil
}

// packedMeta is the toolkit without its tools.
type packedMeta struct {
	Definition
	GraphQL bool `json:"graphql,omitempty"` // whether any of its tools is GraphQL's
}

// packer writes numbers and texts.
type packer struct {
	bytes.Buffer
	scopeLists map[string]int
}

func (p *packer) number(n uint64) { p.Write(binary.AppendUvarint(p.AvailableBuffer(), n)) }

func (p *packer) string(s string) {
	p.number(uint64(len(s)))
	p.WriteString(s)
}

func (p *packer) strings(list []string) {
	p.number(uint64(len(list)))
	for _, s := range list {
		p.string(s)
	}
}

func (p *packer) flags(on ...bool) {
	set := uint64(0)
	for i, f := range on {
		if f {
			set |= 1 << i
		}
	}
	p.number(set)
}

// scopes writes each list of scopes once; most tools share theirs with others.
func (p *packer) scopes(tools []DefinedTool) {
	p.scopeLists = map[string]int{}
	var lists []Scopes
	for i := range tools {
		key := scopeKey(tools[i].Scopes)
		if _, known := p.scopeLists[key]; !known {
			p.scopeLists[key] = len(lists)
			lists = append(lists, tools[i].Scopes)
		}
	}
	p.number(uint64(len(lists)))
	for _, s := range lists {
		p.strings(s.All)
		p.number(uint64(len(s.Any)))
		for _, group := range s.Any {
			p.strings(group)
		}
	}
}

func scopeKey(s Scopes) string { return fmt.Sprintf("%q%q", s.All, s.Any) }

// tool writes what is always in memory. See unpacker.tool.
func (p *packer) tool(t *Tool, scopes string) {
	p.string(t.Slug)
	p.string(t.Name)
	p.string(t.Description)
	p.strings(t.Aliases)
	p.number(uint64(p.scopeLists[scopes]))
	h := t.Hints
	p.flags(h.Read, h.Create, h.Update, h.Destructive, h.Idempotent, h.ClosedWorld, t.Important, t.NoAuth, t.Deprecated, t.FileInputs)
}

// blocks writes the tools and gives the directory of what it wrote.
func (p *packer) blocks(tools []DefinedTool) (directory []byte, err error) {
	var list packer
	count := uint64(0)
	for first := 0; first < len(tools); count++ {
		var raw packer
		next := first
		for ; next < len(tools) && (next == first || raw.Len() < blockSize); next++ {
			t := tools[next]
			t.Slug, t.Name, t.Description, t.Aliases, t.Scopes = "", "", "", nil, Scopes{}
			text, err := json.Marshal(t)
			if err != nil {
				return nil, fmt.Errorf("tool %s: %w", tools[next].Slug, err)
			}
			raw.string(string(text))
		}
		block, err := squeeze(raw.Bytes())
		if err != nil {
			return nil, err
		}
		for _, n := range []int{first, p.Len(), len(block), int(crc32.Checksum(block, castagnoli))} {
			list.number(uint64(n))
		}
		p.Write(block)
		first = next
	}
	var out packer
	out.number(count)
	out.Write(list.Bytes())
	return out.Bytes(), nil
}

func squeeze(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	err = w.Close() // writes what is left
	return b.Bytes(), err
}

// argumentNamesOf gives the names of a schema's top-level members, in alphabetical order.
func argumentNamesOf(schema json.RawMessage) []string {
	var object struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if len(schema) == 0 || json.Unmarshal(schema, &object) != nil {
		return nil // a schema that does not parse is reported where it is made; the tool is still found by its name
	}
	return slices.Sorted(maps.Keys(object.Properties))
}

// writeFile puts a file in place in one step, so that a reader sees all of it or none.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // what matters is that the write failed
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
