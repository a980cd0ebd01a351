package catalog

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// Snapshot is the whole catalog at one moment: immutable, shared by all requests, replaced in one step.
type Snapshot struct {
	ID       string // changes with the content: caches of anything derived from a snapshot are keyed by it
	toolkits map[string]*Toolkit
	tools    map[string]*Tool // by slug and by alias, upper case
	order    []*Toolkit       // most used first, then by name
}

// NewSnapshot makes a snapshot of toolkits from any number of sources; where two have the same slug, the later wins. It takes
// the toolkits over: do not change them afterwards. The error names every slug that two toolkits claim.
func NewSnapshot(toolkits ...*Toolkit) (*Snapshot, error) {
	s := &Snapshot{toolkits: make(map[string]*Toolkit, len(toolkits)), tools: map[string]*Tool{}}
	for _, tk := range toolkits {
		s.toolkits[tk.Slug] = tk
	}
	for _, tk := range s.toolkits {
		s.order = append(s.order, tk)
	}
	slices.SortFunc(s.order, compareToolkits)
	if err := s.indexTools(); err != nil {
		return nil, err
	}
	s.ID = s.fingerprint()
	return s, nil
}

// Toolkit finds a toolkit by slug, in any case.
func (s *Snapshot) Toolkit(slug string) (*Toolkit, bool) {
	if tk, ok := s.toolkits[slug]; ok {
		return tk, true
	}
	tk, ok := s.toolkits[strings.ToLower(slug)]
	return tk, ok
}

// Tool finds a tool by slug or older name, in any case.
func (s *Snapshot) Tool(slug string) (*Tool, bool) {
	if t, ok := s.tools[slug]; ok {
		return t, true
	}
	t, ok := s.tools[strings.ToUpper(slug)]
	return t, ok
}

// Toolkits gives all toolkits, most used first.
func (s *Snapshot) Toolkits() []*Toolkit { return s.order }

func (s *Snapshot) indexTools() error {
	var clashes []string
	claim := func(slug string, t *Tool) {
		if other, taken := s.tools[slug]; taken && other != t {
			clashes = append(clashes, fmt.Sprintf("%s (toolkits %s and %s)", slug, other.Toolkit.Slug, t.Toolkit.Slug))
			return
		}
		s.tools[slug] = t
	}
	for _, tk := range s.order {
		for _, t := range tk.Tools {
			t.Toolkit = tk
			claim(strings.ToUpper(t.Slug), t)
		}
	}
	for _, tk := range s.order { // an alias never hides a tool's own name
		for _, t := range tk.Tools {
			for _, alias := range t.Aliases {
				claim(strings.ToUpper(alias), t)
			}
		}
	}
	if clashes != nil {
		return fmt.Errorf("tool names claimed twice: %s", strings.Join(clashes, ", "))
	}
	return nil
}

// fingerprint hashes what the derived caches depend on: which tools there are and how they are described.
func (s *Snapshot) fingerprint() string {
	h := fnv.New64a()
	for _, tk := range s.order {
		fmt.Fprintf(h, "%q%q%q%q%d", tk.Slug, tk.Version, tk.Name, tk.Description, len(tk.Triggers))
		for _, t := range tk.Tools {
			fmt.Fprintf(h, "%q%q%q%v%v", t.Slug, t.Name, t.Description, t.Hints, t.Important)
			h.Write(t.Detail().Input.JSON)
		}
	}
	return fmt.Sprintf("%016x", h.Sum64())
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
