package search

import "github.com/patchbay-dev/patchbay/internal/catalog"

// An operator may name a model that makes vectors of texts. It understands more than the sum of a text's words, so where it has
// seen all tools of an index and the request, its word stands in the place of the word vectors'.

// Vectors are what a model outside made of the tools of one index. An index asks for nothing but this, and does not know where
// vectors come from.
type Vectors interface {
	// Nearest tells found of the tools, by their places in the index, whose texts come near the request: those that wanted lets
	// through, the nearest ones first, and no more than so many are compared. Nearness is above 0, where texts begin to have to do
	// with each other, and about 1 where they mean the same. It gives false when it cannot speak for all tools.
	Nearest(request []float32, most int, wanted func(doc int) bool, found func(doc int, nearness float32)) bool
}

// VectorsOf gives the vectors of the tools of an index, which may come later than the index. See IndexesOptions.
type VectorsOf func(tools []*catalog.Tool) Vectors

// WithVectors gives a new index the vectors of a model outside; of is nil where there is none.
func (x *Index) WithVectors(of VectorsOf) *Index {
	if of != nil {
		x.vectors = of(x.tools)
	}
	return x
}

// mostCompared bounds the tools whose vectors are compared exactly.
const mostCompared = 256

// compare fills in how near tools come to a request by what it means, and says how near the nearest does.
func (x *Index) compare(q Query, r *request, s *scratch, t tops) tops {
	if x.vectors != nil && q.Vector != nil {
		outside := t
		outside.outside = true
		if top, ok := x.understandOutside(q, s, outside.meantPart(r)); ok {
			outside.meant = top
			return outside
		}
	}
	t.meant = x.understand(q, r, s, t)
	return t
}

func (x *Index) understandOutside(q Query, s *scratch, part float32) (top float32, ok bool) {
	least := s.least(q, part)
	wanted := func(d int) bool { return s.score[d] >= least && x.allows(q, s, d) }
	ok = x.vectors.Nearest(q.Vector, mostCompared, wanted, func(d int, nearness float32) {
		s.meant[d] = alike + (1-alike)*nearness
		top = max(top, s.meant[d])
	})
	return top, ok
}
