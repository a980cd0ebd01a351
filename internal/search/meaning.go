package search

import "math"

// People ask in words that their tool has not: "medical care near me" wants a search for doctors. A vector for each word, learnt
// from how words are used, brings such a request near its tool. A sum of vectors is a blunt instrument, so it speaks
// softly while words, verbs and names of apps say enough, and louder the less they do.

// vector is that of one word, of length 1.
type vector [meaningSize]float32

// newVector gives the vector of a word; nil when there is none.
func newVector(word string) *vector {
	stored := vectorOf(word)
	if stored == "" {
		return nil
	}
	v := &vector{}
	for i := range v {
		v[i] = float32(int8(stored[i]))
	}
	v.scale()
	return v
}

// scale makes its length 1, so that every word counts by its weight alone.
func (v *vector) scale() {
	var square float32
	for _, n := range v {
		square += n * n
	}
	by := 1 / float32(math.Sqrt(float64(max(square, tiny))))
	for i := range v {
		v[i] *= by
	}
}

// meaning is the weighed sum of the vectors of the words of a text.
type meaning struct {
	sum vector
	any bool // there was a word that has a vector
}

func (m *meaning) add(v *vector, weight float32) {
	if v == nil || weight == 0 {
		return
	}
	m.any = true
	for i, n := range v {
		m.sum[i] += weight * n
	}
}

// fullMeaning is what 1 is stored as.
const fullMeaning = 127

// appendTo stores a meaning in meaningSize signed bytes.
func (m *meaning) appendTo(all []uint8) []uint8 {
	m.sum.scale()
	for _, n := range m.sum {
		all = append(all, uint8(int8(math.Round(float64(n*fullMeaning)))))
	}
	return all
}

// addMeanings stores the meaning of each tool: the sum of its words by field and by how rare they are.
func (b *builder) addMeanings() {
	x := b.x
	x.meanings = make([]uint8, 0, len(x.tools)*meaningSize)
	at := 0
	for doc := range uint32(len(x.tools)) {
		var m meaning
		for ; at < len(b.terms) && b.terms[at].doc == doc; at++ {
			t := b.terms[at]
			m.add(b.vectors[t.term], meaningWeights[t.field]*x.rarity(t.term))
		}
		x.meanings = m.appendTo(x.meanings)
	}
}

// meaningOf gives the meaning of a request, without the common verbs: what they do is compared as such.
func (x *Index) meaningOf(r *request) meaning {
	var m meaning
	for i := range r.words {
		w := &r.words[i]
		if w.weight == 0 || plainVerbs[w.stem]&commonVerbs != 0 {
			continue
		}
		if v := newVector(w.text); v != nil {
			m.add(v, w.weight*x.tellsInRequest(w.stem))
			continue
		}
		for _, part := range w.parts {
			m.add(newVector(part), w.weight)
		}
	}
	m.sum.scale()
	return m
}

// tellsInRequest is how much a word of a request tells by its rarity. The root of it: what only this request says need not be what it is
// about.
func (x *Index) tellsInRequest(stem string) float32 {
	rare := rarity(0, x.size())
	if t, known := x.terms[stem]; known {
		rare = x.rarity(t)
	}
	return float32(math.Sqrt(float64(rare)))
}

// weakness says how little the words of a request answer for: 0 when they are enough, 1 when no tool has any.
func (t tops) weakness(r *request) float32 {
	return max(0, 1-t.lexical/max(strongShare*r.mass, tiny))
}

// meantPart is how much the meaning weighs.
func (t tops) meantPart(r *request) float32 {
	if t.outside {
		return outsidePart + weakPart*t.weakness(r)
	}
	return meantPart + weakPart*t.weakness(r)
}

// understand compares the meaning of a request with that of the scored tools whose meaning can still bring them among the best,
// and gives the highest likeness of an allowed one.
func (x *Index) understand(q Query, r *request, s *scratch, t tops) float32 {
	m := x.meaningOf(r)
	if !m.any {
		return 0
	}
	least := s.least(q, t.meantPart(r))
	var top float32
	for d, score := range s.score {
		if score < least {
			continue
		}
		like := m.sum.likeness((*[meaningSize]uint8)(x.meanings[d*meaningSize:]))
		s.meant[d] = like
		if like > top && x.allows(q, s, d) {
			top = like
		}
	}
	return top
}

// likeness is the cosine of a request's meaning and of a stored one, or 0 where that is small. The dimensions are in the order of
// how much they tell: who is not alike by the first half is not looked at further.
func (v *vector) likeness(stored *[meaningSize]uint8) float32 {
	const half = meaningSize / 2
	first := dot((*[half]float32)(v[:half]), (*[half]uint8)(stored[:half]))
	if first < unlike {
		return 0
	}
	return max(0, first+dot((*[half]float32)(v[half:]), (*[half]uint8)(stored[half:])))
}

// dot takes four sums side by side, which do not wait for each other.
func dot(v *[meaningSize / 2]float32, stored *[meaningSize / 2]uint8) float32 {
	var a, b, c, d float32
	for i := 0; i < len(v); i += 4 {
		a += v[i] * float32(int8(stored[i]))
		b += v[i+1] * float32(int8(stored[i+1]))
		c += v[i+2] * float32(int8(stored[i+2]))
		d += v[i+3] * float32(int8(stored[i+3]))
	}
	return (a + b + c + d) / fullMeaning
}
