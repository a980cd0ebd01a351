package catalog

import (
	"encoding/json"
)

// unpacker reads what packer wrote. Texts are parts of its own text. After something that cannot be, bad is set and all that is
// read is empty.
type unpacker struct {
	text string
	bad  bool
}

func (r *unpacker) number() uint64 {
	n := uint64(0)
	for shift := 0; shift < 64 && shift/7 < len(r.text); shift += 7 {
		b := r.text[shift/7]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			r.text = r.text[shift/7+1:]
			return n
		}
	}
	r.fail()
	return 0
}

// count reads how many things follow, each of which takes a byte at least.
func (r *unpacker) count() int {
	n := r.number()
	if n > uint64(len(r.text)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *unpacker) string() string {
	n := r.count()
	s := r.text[:n]
	r.text = r.text[n:]
	return s
}

func (r *unpacker) strings() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.string()
	}
	return list
}

func (r *unpacker) fail() { r.bad, r.text = true, "" }

// toolkit reads a toolkit with what is always in memory of its tools.
func (r *unpacker) toolkit(p *packed) *Toolkit {
	var meta packedMeta
	if err := json.Unmarshal([]byte(r.string()), &meta); err != nil {
		r.fail()
		return nil
	}
	tk, err := meta.Bare()
	if err != nil {
		r.fail()
		return nil
	}
	if meta.GraphQL {
		tk.Errors.addGraphQL()
	}
	tk.packed = p
	scopes := r.scopes()
	tools := make([]Tool, r.count())
	tk.Tools = make([]*Tool, len(tools))
	for i := range tools {
		r.tool(&tools[i], scopes)
		tools[i].Toolkit, tools[i].number = tk, int32(i)
		tk.Tools[i] = &tools[i]
	}
	return tk
}

func (r *unpacker) scopes() []Scopes {
	lists := make([]Scopes, r.count())
	for i := range lists {
		lists[i].All = r.strings()
		groups := r.count()
		for range groups {
			lists[i].Any = append(lists[i].Any, r.strings())
		}
	}
	return lists
}

// tool reads what packer.tool wrote.
func (r *unpacker) tool(t *Tool, scopes []Scopes) {
	t.Slug, t.Name, t.Description, t.Aliases = r.string(), r.string(), r.string(), r.strings()
	if at := r.number(); at < uint64(len(scopes)) {
		t.Scopes = scopes[at]
	} else {
		r.fail()
	}
	set := r.number()
	h := &t.Hints
	for i, flag := range [...]*bool{
		&h.Read, &h.Create, &h.Update, &h.Destructive, &h.Idempotent, &h.ClosedWorld, &t.Important, &t.NoAuth, &t.Deprecated, &t.FileInputs,
	} {
		*flag = set&(1<<i) != 0
	}
}
