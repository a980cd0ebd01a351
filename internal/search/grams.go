package search

import "math"

// grams finds tools by runs of letters in their names, which survives typos, compounds written apart and endings that no
// stemmer knows. Runs are hashed into a fixed number of lists; a collision costs a little noise and no memory.
type grams struct {
	first []uint32 // by list; one more at the end
	docs  []uint32
	norm  []float32 // by document: 1 / length of its vector
	rare  []float32 // by list
}

const (
	gramLists = 1 << 15
	gramSize  = 4
)

type gramBuilder struct {
	pairs []uint64 // list<<32 | document
	buf   []uint32
}

func (b *gramBuilder) add(doc uint32, words []string) {
	b.buf = gramsOf(b.buf[:0], words)
	for _, g := range b.buf {
		b.pairs = append(b.pairs, uint64(g)<<32|uint64(doc))
	}
}

func (b *gramBuilder) finish(docs int) grams {
	g := grams{
		first: make([]uint32, gramLists+1), docs: make([]uint32, len(b.pairs)),
		norm: make([]float32, docs), rare: make([]float32, gramLists),
	}
	for _, p := range b.pairs {
		g.first[p>>32+1]++
	}
	for l := range gramLists {
		if n := g.first[l+1]; n > 0 {
			g.rare[l] = rarity(int(n), docs)
		}
		g.first[l+1] += g.first[l]
	}
	next := append([]uint32(nil), g.first...)
	for _, p := range b.pairs {
		l, d := p>>32, uint32(p)
		g.docs[next[l]] = d
		next[l]++
		g.norm[d] += g.rare[l] * g.rare[l]
	}
	g.settle()
	return g
}

// settle turns the squared lengths of the vectors into what they are divided by.
func (g *grams) settle() {
	for d, n := range g.norm {
		g.norm[d] = float32(1 / math.Sqrt(float64(n)+1e-6))
	}
}

// match sets sums to the likeness of every tool to the words. lists is room to work in, which is returned.
func (g *grams) match(words []string, sums []float32, lists []uint32) []uint32 {
	lists = gramsOf(lists[:0], words)
	for _, l := range lists {
		w := g.rare[l] * g.rare[l]
		for _, d := range g.docs[g.first[l]:g.first[l+1]] {
			sums[d] += w
		}
	}
	for d, n := range g.norm {
		sums[d] *= n
	}
	return lists
}

// gramsOf appends the different lists that the runs of the words fall into.
func gramsOf(lists []uint32, words []string) []uint32 {
	for _, w := range words {
		if isStop(w) {
			continue
		}
		padded := " " + w + " "
		for i := 0; i+gramSize <= max(len(padded), gramSize); i++ {
			run := padded[i:min(i+gramSize, len(padded))]
			lists = appendNew(lists, hashGram(run))
		}
	}
	return lists
}

func hashGram(run string) uint32 {
	h := uint32(2166136261) // FNV-1a
	for i := range len(run) {
		h = (h ^ uint32(run[i])) * 16777619
	}
	return (h ^ h>>15) & (gramLists - 1)
}

func appendNew(list []uint32, g uint32) []uint32 {
	for _, have := range list {
		if have == g {
			return list
		}
	}
	return append(list, g)
}
