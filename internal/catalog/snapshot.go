package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Snapshot is the whole catalog at one moment: immutable, shared by all requests, replaced in one step.
//
// A snapshot may lie over another one, its base: a project's own toolkits over those of the server, or one session's pinned
// versions over both. It then costs what its own toolkits cost; the base is shared. There are never more than two layers.
type Snapshot struct {
	ID       string    // changes with the content: caches of anything derived from a snapshot are keyed by it
	base     *Snapshot // nil at the bottom
	own      []*Toolkit
	toolkits map[string]*Toolkit // own, by slug
	tools    map[string]*Tool    // own, by slug and by alias, upper case
	order    func() []*Toolkit
}

// NewSnapshot makes a snapshot of toolkits from any number of sources; where two have the same slug, the later wins. It takes
// the toolkits over: do not change them afterwards. The error names every slug that two toolkits claim.
func NewSnapshot(toolkits ...*Toolkit) (*Snapshot, error) {
	s, clashes := newSnapshot(nil, toolkits)
	if len(clashes) > 0 {
		lines := slices.Concat(slices.Collect(maps.Values(clashes))...)
		slices.Sort(lines)
		return nil, fmt.Errorf("tool names claimed twice: %s", strings.Join(lines, ", "))
	}
	return s, nil
}

// Over gives the snapshot with some toolkits added, or put in place of those with the same slugs. It takes them over.
func (s *Snapshot) Over(toolkits ...*Toolkit) *Snapshot {
	if len(toolkits) == 0 {
		return s
	}
	base, own := s, toolkits
	if s.base != nil {
		base, own = s.base, slices.Concat(s.own, toolkits)
	}
	layered, _ := newSnapshot(base, own)
	return layered
}

// newSnapshot also gives, by toolkit, the tool names that it claims and another has already. The first in the order of the
// catalog has them.
func newSnapshot(base *Snapshot, toolkits []*Toolkit) (*Snapshot, map[string][]string) {
	s := &Snapshot{base: base, toolkits: make(map[string]*Toolkit, len(toolkits)), tools: map[string]*Tool{}}
	for _, tk := range toolkits {
		s.toolkits[tk.Slug] = tk
	}
	s.own = slices.SortedFunc(maps.Values(s.toolkits), compareToolkits)
	clashes := s.indexTools()
	s.order = func() []*Toolkit { return s.own }
	if base != nil {
		s.order = sync.OnceValue(s.merged)
	}
	s.ID = s.fingerprint()
	return s, clashes
}

// Toolkit finds a toolkit by slug, in any case.
func (s *Snapshot) Toolkit(slug string) (*Toolkit, bool) {
	if tk, ok := s.toolkits[slug]; ok {
		return tk, true
	}
	if tk, ok := s.toolkits[strings.ToLower(slug)]; ok || s.base == nil {
		return tk, ok
	}
	return s.base.Toolkit(slug)
}

// Tool finds a tool by slug or older name, in any case.
func (s *Snapshot) Tool(slug string) (*Tool, bool) {
	if t, ok := s.tools[slug]; ok {
		return t, true
	}
	if t, ok := s.tools[strings.ToUpper(slug)]; ok || s.base == nil {
		return t, ok
	}
	if t, ok := s.base.Tool(slug); ok && !s.Hides(t.Toolkit) {
		return t, true
	}
	return nil, false
}

// Toolkits gives all toolkits, most used first. Do not change the slice.
func (s *Snapshot) Toolkits() []*Toolkit { return s.order() }

// Base gives the snapshot below and the toolkits that this one adds or replaces. Without a base, all toolkits are its own.
func (s *Snapshot) Base() (base *Snapshot, own []*Toolkit) { return s.base, s.own }

// Hides reports whether a toolkit of the base has another one in its place here.
func (s *Snapshot) Hides(below *Toolkit) bool {
	tk, ok := s.toolkits[below.Slug]
	return ok && tk != below
}

// merged gives the base's toolkits and the own ones in one order.
func (s *Snapshot) merged() []*Toolkit {
	below := s.base.Toolkits()
	all := make([]*Toolkit, 0, len(below)+len(s.own))
	own := s.own
	for _, tk := range below {
		if s.Hides(tk) {
			continue
		}
		for len(own) > 0 && compareToolkits(own[0], tk) < 0 {
			all, own = append(all, own[0]), own[1:]
		}
		all = append(all, tk)
	}
	return append(all, own...)
}

// toolNames gives all names by which tools are found, with the tools.
func (s *Snapshot) toolNames() iter.Seq2[string, *Tool] {
	return func(yield func(string, *Tool) bool) {
		for name, t := range s.tools {
			if !yield(name, t) {
				return
			}
		}
		if s.base == nil {
			return
		}
		for name, t := range s.base.tools {
			if !s.Hides(t.Toolkit) && !yield(name, t) {
				return
			}
		}
	}
}

func (s *Snapshot) indexTools() (clashes map[string][]string) {
	claim := func(slug string, t *Tool) {
		if other, taken := s.tools[slug]; taken && other != t {
			if clashes == nil {
				clashes = map[string][]string{}
			}
			line := fmt.Sprintf("%s (toolkits %s and %s)", slug, other.Toolkit.Slug, t.Toolkit.Slug)
			clashes[t.Toolkit.Slug] = append(clashes[t.Toolkit.Slug], line)
			return
		}
		s.tools[slug] = t
	}
	for _, tk := range s.own {
		for _, t := range tk.Tools {
			if t.Toolkit != tk { // one that is in another snapshot already is only read
				t.Toolkit = tk
			}
			claim(upper(t.Slug), t)
		}
	}
	for _, tk := range s.own { // an alias never hides a tool's own name
		for _, t := range tk.Tools {
			for _, alias := range t.Aliases {
				claim(upper(alias), t)
			}
		}
	}
	return clashes
}

// upper is strings.ToUpper, which would look at every rune of a hundred thousand slugs that are in upper case already.
func upper(slug string) string {
	for i := range len(slug) {
		if c := slug[i]; c >= 0x80 || 'a' <= c && c <= 'z' {
			return strings.ToUpper(slug)
		}
	}
	return slug
}

// claimed gives the names of a toolkit's tools that tools of other toolkits have.
func (s *Snapshot) claimed(tk *Toolkit) []string {
	var lines []string
	for _, t := range tk.Tools {
		for _, name := range append([]string{t.Slug}, t.Aliases...) {
			if other, taken := s.Tool(name); taken && other.Toolkit.Slug != tk.Slug {
				lines = append(lines, fmt.Sprintf("%s (toolkits %s and %s)", name, other.Toolkit.Slug, tk.Slug))
			}
		}
	}
	return lines
}

// fingerprint says which toolkits there are, each with its content. Projects choose content, and caches are shared by all of
// them: so nobody may be able to make two snapshots with one fingerprint.
func (s *Snapshot) fingerprint() string {
	h := sha256.New()
	if s.base != nil {
		fmt.Fprintf(h, "%s ", s.base.ID)
	}
	for _, tk := range s.own {
		fmt.Fprintf(h, "%q%q%q ", tk.Slug, tk.contentHash(), tk.Versions)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// contentHash stands for what the derived caches depend on: which tools there are and how they are described.
func (t *Toolkit) contentHash() string {
	if t.hash != "" {
		return t.hash
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q%q%q%q%d", t.Slug, t.Version, t.Name, t.Description, len(t.Triggers))
	for _, tool := range t.Tools {
		fmt.Fprintf(h, "%q%q%q%v%v", tool.Slug, tool.Name, tool.Description, tool.Hints, tool.Important)
		h.Write(tool.Detail().Input.JSON)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func compareToolkits(a, b *Toolkit) int {
	rank := func(t *Toolkit) int {
		if t.Popularity == 0 {
			return int(^uint(0) >> 1)
		}
		return t.Popularity
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Slug, b.Slug))
}
