package search

import (
	"cmp"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// A project's own tools, or versions that a session is pinned to, have a small index over the shared one. Both count words as if
// they were one: how rare a word is and how long texts are is known from the index below, so that scores of both can be compared
// and the answer is nearly the one that a single index would give.

// size is how many tools there are, below included.
func (x *Index) size() int {
	if x.below == nil {
		return len(x.tools)
	}
	return len(x.tools) + x.below.size()
}

// rarity is that of a term, below included.
func (x *Index) rarity(term uint32) float32 {
	if x.counts == nil {
		return rarity(x.lists.count(term), len(x.tools))
	}
	return rarity(int(x.counts[term]), x.size())
}

// countBelow counts the tools of both indexes by term.
func (x *Index) countBelow() {
	if x.below == nil {
		return
	}
	x.counts = make([]uint32, len(x.terms))
	for stem, term := range x.terms {
		x.counts[term] = uint32(x.lists.count(term))
		if same, ok := x.below.terms[stem]; ok {
			x.counts[term] += uint32(x.below.lists.count(same))
		}
	}
}

// settleOver makes what depends on all toolkits agree with the index below: which names are ordinary words, and how rare runs of
// letters are.
func (x *Index) settleOver(below *Index) {
	few := max(2, len(below.toolkits)/100)
	for name := range x.routes.byName {
		if below.routes.common[name] || below.namesWith(stem(name)) >= 3*few {
			x.routes.common[name] = true
		}
	}
	copy(x.grams.rare, below.grams.rare)
	clear(x.grams.norm)
	for l := range gramLists {
		for _, d := range x.grams.docs[x.grams.first[l]:x.grams.first[l+1]] {
			if x.grams.rare[l] == 0 { // no name below has this run
				x.grams.rare[l] = rarity(1, below.size())
			}
			x.grams.norm[d] += x.grams.rare[l] * x.grams.rare[l]
		}
	}
	x.grams.settle()
}

// namesWith counts the tools that have a stem in their names.
func (x *Index) namesWith(stem string) int {
	term, ok := x.terms[stem]
	if !ok {
		return 0
	}
	n := 0
	docs, _ := x.lists.list(term)
	for _, d := range docs {
		if d&nameBit != 0 {
			n++
		}
	}
	return n
}

// usageOf says how much a toolkit is used; 0 where nothing is known.
func (x *Index) usageOf(slug string) float32 {
	for i, tk := range x.toolkits {
		if tk.Slug == slug {
			return x.usage[i]
		}
	}
	return 0
}

// knows reports whether a tool or a toolkit has a word.
func (x *Index) knows(w *word) bool {
	_, known := x.terms[w.stem]
	return known || x.routes.knows(w.text)
}

// markNamed marks the words that name toolkits of this index, in a request to another one.
func (x *Index) markNamed(words []word) {
	own := slices.Clone(words)
	for i := range own {
		own[i].named = false
	}
	x.routes.find(own, make([]float32, len(x.toolkits)))
	for i := range own {
		words[i].named = words[i].named || own[i].named
	}
}

// findInBoth searches this index and the one below, and puts what they find into one order.
func (x *Index) findInBoth(q Query) Found {
	below := q
	if len(x.hidden) > 0 {
		below.Allow = func(t *catalog.Tool) bool { return !x.hidden[t.Toolkit.Slug] && (q.Allow == nil || q.Allow(t)) }
	}
	s, sb := x.borrow(), x.below.borrow()
	defer x.scratch.Put(s)
	defer x.below.scratch.Put(sb)
	r, rb := x.read(q, s, x.below), x.below.read(below, sb, x)
	x.match(r, s)
	x.below.match(rb, sb)
	t, tb := x.tops(q, s), x.below.tops(below, sb)
	both := tops{lexical: max(t.lexical, tb.lexical), likely: max(t.likely, tb.likely)}
	r.mass = rb.mass // which knows the words of both
	x.score(q, r, s, both)
	x.below.score(below, rb, sb, both)
	own, shared := x.compare(q, r, s, both), x.below.compare(below, rb, sb, both)
	both.meant, both.outside = max(own.meant, shared.meant), own.outside || shared.outside
	x.rank(q, r, s, both)
	x.below.rank(below, rb, sb, both)
	if max(x.confidence(r, s, both), x.below.confidence(rb, sb, both)) < fits {
		return Found{Elsewhere: rb.elsewhere}
	}
	type ranked struct {
		Hit
		score float32
	}
	var top float32
	for _, best := range [][]scored{s.best, sb.best} {
		if len(best) > 0 {
			top = max(top, best[0].score)
		}
	}
	var all []ranked
	for i, h := range x.hits(r, s.best, top) {
		all = append(all, ranked{h, s.best[i].score})
	}
	for i, h := range x.below.hits(rb, sb.best, top) {
		all = append(all, ranked{h, sb.best[i].score})
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.score, a.score) })
	hits := make([]Hit, 0, min(len(all), q.Limit))
	for _, found := range all[:min(len(all), q.Limit)] {
		hits = append(hits, found.Hit)
	}
	return Found{hits, rb.elsewhere}
}
