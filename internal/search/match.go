package search

// scratch is what one search counts in, kept for the next one.
type scratch struct {
	request request
	lexical []float32   // by document: summed impact of the request's words
	named   []float32   // by document: weight of the words of its name that the request has
	likely  []float32   // by document: likeness of letters
	meant   []float32   // by document: likeness of meaning, of those that were compared
	score   []float32   // by document: what all but its meaning says
	slot    []float32   // by document: best choice of the slot at hand; all zero in between
	groups  []groupSums // by document, when the request lists alternatives
	touched []uint32    // documents that the slot at hand has scored
	allowed []int8      // by document: 0 not asked yet, 1 yes, -1 no
	agrees  []float32   // by verb set
	kits    []float32   // by toolkit: what it adds to each of its tools
	best    []scored
	lists   []uint32
}

func (x *Index) newScratch() *scratch {
	docs := len(x.tools)
	return &scratch{
		request: request{strength: make([]float32, len(x.toolkits))},
		lexical: make([]float32, docs), named: make([]float32, docs), likely: make([]float32, docs), meant: make([]float32, docs),
		score: make([]float32, docs), slot: make([]float32, docs), allowed: make([]int8, docs),
		agrees: make([]float32, len(x.verbSets)), kits: make([]float32, len(x.toolkits)),
	}
}

func (x *Index) borrow() *scratch {
	s := x.scratch.Get().(*scratch)
	clear(s.lexical)
	clear(s.named)
	clear(s.likely)
	clear(s.meant)
	clear(s.allowed)
	return s
}

// match scores every tool by what it shares with the request.
func (x *Index) match(r *request, s *scratch) {
	s.groups = s.groups[:0]
	if r.groups > 0 {
		s.groups = append(s.groups, make([]groupSums, len(x.tools))...)
	}
	for i := range r.slots {
		if choices := r.slots[i].choices; len(choices) == 1 && r.slots[i].group == 0 {
			x.addChoice(choices[0], s)
			continue
		}
		s.touched = s.touched[:0]
		for _, c := range r.slots[i].choices {
			x.matchChoice(c, s)
		}
		if g := r.slots[i].group; g > 0 {
			s.sumGroups(g)
		}
		for _, d := range s.touched {
			s.lexical[d] += s.slot[d]
			s.slot[d] = 0
		}
	}
	if r.groups > 1 {
		s.preferOneGroup()
	}
	s.lists = x.grams.match(r.plain, s.likely, s.lists)
}

// nameWeight is what a choice counts for among the words of a name.
func (x *Index) nameWeight(c choice) float32 {
	switch rare := x.rarity(c.term) * min(c.weight*1.2, 1); {
	case c.verb:
		return 0
	case c.other:
		return rare * otherName
	default:
		return rare
	}
}

// addChoice adds the only choice of a slot to the sums, without finding the best one of each tool first.
func (x *Index) addChoice(c choice, s *scratch) {
	docs, impact := x.lists.list(c.term)
	impact = impact[:len(docs)]
	rare := x.nameWeight(c)
	for i, d := range docs {
		if d&nameBit != 0 {
			d &^= nameBit
			s.named[d] += rare
		}
		s.lexical[d] += impact[i] * c.weight
	}
}

// matchChoice finds which tools are served better by a choice than by those of its slot before.
func (x *Index) matchChoice(c choice, s *scratch) {
	docs, impact := x.lists.list(c.term)
	impact = impact[:len(docs)]
	rare := x.nameWeight(c)
	for i, d := range docs {
		if d&nameBit != 0 {
			d &^= nameBit
			s.named[d] += rare
		}
		had, have := s.slot[d], impact[i]*c.weight
		if had == 0 {
			s.touched = append(s.touched, d)
		}
		if have > had {
			s.slot[d] = have
		}
	}
}
