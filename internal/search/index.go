package search

import (
	"sync"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Query is one request.
type Query struct {
	Text      string                    // the use case in plain words
	Known     string                    // "key:value, key:value" facts the caller already has
	Allow     func(*catalog.Tool) bool  // nil: all
	Connected func(toolkit string) bool // prefers toolkits whose account is connected; nil: no preference
	Limit     int                       // 0: 10
	Vector    []float32                 // of the text, by the model that made those of the tools; nil: none
}

// Hit is one ranked tool.
type Hit struct {
	Tool  *catalog.Tool
	Score float64 // 1 for the best, near 1 for what is hardly worse; comparable within one answer only
	Named bool    // the query names the tool's toolkit
}

// Index is immutable and belongs to one snapshot. It may be searched from many goroutines.
type Index struct {
	below    *Index             // of the snapshot's base, when there is one: this index then holds the snapshot's own tools only
	hidden   map[string]bool    // toolkits of below that have others in their place
	listed   []*catalog.Toolkit // all of the snapshot's
	toolkits []*catalog.Toolkit
	usage    []float32 // by toolkit: 1 for the most used, 0 for the least or where nothing is known
	routes   routes

	tools     []*catalog.Tool // by document number
	home      []int32         // by document: number of its toolkit
	first     []int32         // by toolkit: its first document; one more at the end
	important []bool          // by document: what the tool says, without a look at the tool
	verb      []uint8         // by document: number of its verb in verbSets
	nameMass  []float32       // by document: summed weight of the words in its name
	verbSets  []verbSet

	terms    map[string]uint32 // stem -> term
	lists    postings
	average  fieldLengths
	counts   []uint32 // by term: how many tools have it, below included; nil without one below
	grams    grams
	meanings []uint8 // by document: meaningSize signed bytes
	spelling spelling
	vectors  Vectors // of a model outside; nil: none

	scratch sync.Pool // of *scratch
}

// Build makes the index of a snapshot. Over a base it costs what the snapshot's own tools cost, and below must be the index of
// that base; without a base, below is nil.
func Build(s *catalog.Snapshot, below *Index) *Index {
	if below == nil {
		return build(s.Toolkits(), true, nil)
	}
	_, own := s.Base()
	x := build(own, false, below)
	x.listed, x.hidden = s.Toolkits(), make(map[string]bool)
	for _, tk := range below.toolkits {
		if s.Hides(tk) {
			x.hidden[tk.Slug] = true
		}
	}
	return x
}

// Search gives the best tools, best first; empty when nothing fits.
func (x *Index) Search(q Query) []Hit { return x.Find(q).Hits }

// Found is what Find gives.
type Found struct {
	Hits []Hit // best first; empty when nothing fits

	// Elsewhere is the app at which the request wants something done, as it names it, where it is a well-known one that no toolkit and
	// no tool here knows by that name.
	Elsewhere string
}

// Find is Search that also says where else the request wants to go.
func (x *Index) Find(q Query) Found {
	if q.Limit <= 0 {
		q.Limit = 10
	}
	if x.below != nil {
		return x.findInBoth(q)
	}
	if len(x.tools) == 0 {
		return Found{}
	}
	s := x.borrow()
	defer x.scratch.Put(s)
	r := x.read(q, s, nil)
	x.match(r, s)
	t := x.tops(q, s)
	x.score(q, r, s, t)
	t = x.compare(q, r, s, t)
	x.rank(q, r, s, t)
	if len(s.best) == 0 || x.confidence(r, s, t) < fits {
		return Found{Elsewhere: r.elsewhere}
	}
	return Found{x.hits(r, s.best, s.best[0].score), r.elsewhere}
}
