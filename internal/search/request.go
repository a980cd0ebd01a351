package search

import "strings"

// request is a query as the ranker understands it. Its slices belong to the scratch of the search.
type request struct {
	words    []word
	slots    []slot
	plain    []string  // words that say what is meant, for likeness of letters
	want     verbSet   // what is to be done; 0 when the request does not say
	also     verbSet   // further verbs: "create or update"
	strength []float32 // by toolkit: how surely the request names it
	mass     float32   // what a tool would score that had every word of the request
	groups   int       // how many alternatives it lists; 0: none
	masses   [mostGroups + 1]float32

	elsewhere string // the app that is not here and at which it wants something done
}

// slot is one word of a request with everything it may be called in a tool. A tool scores by its best choice.
type slot struct {
	choices []choice
	group   int // that of its word
}

// choice is a term that stands for a slot's word, and how well.
type choice struct {
	term   uint32
	weight float32
	other  bool // another word for the same thing
	verb   bool // a common verb, which is compared as such
}

// read understands a query. Beside is the other of two indexes that are searched together, which may know words that this one
// does not; nil when there is none.
func (x *Index) read(q Query, s *scratch, beside *Index) *request {
	r := &s.request
	r.slots, r.plain, r.mass, r.want, r.also = r.slots[:0], r.plain[:0], 0, 0, 0
	clear(r.strength)
	r.words = split(q.Text)
	heard := heardUntil(r.words)
	for i := range r.words[:heard] {
		r.words[i].stem = stem(r.words[i].text)
	}
	x.correct(r.words[:heard], beside)
	x.markElsewhere(r.words, beside)
	x.routes.find(r.words, r.strength)
	if beside != nil {
		beside.markNamed(r.words)
	}
	r.elsewhere = elsewhere(r.words)
	r.words = r.words[:heard]
	r.readVerbs()
	x.weigh(r)
	r.findAlternatives()
	for i := range r.words {
		x.addWord(r, i)
	}
	r.mass = r.massOfAlternatives()
	x.addRewrites(r)
	x.addImplied(r)
	x.addKnown(r, q.Known)
	return r
}

// heardUntil gives the place of the first word that a request is not read to. Apps may be named anywhere; what else is wanted is said
// before, and a text that somebody pasted must not take long.
func heardUntil(words []word) int {
	counted := 0
	for i := range words {
		if counted == mostWords {
			return i
		}
		if !isStop(words[i].text) {
			counted++
		}
	}
	return len(words)
}

// correct replaces words that no tool knows by the known one they are most like.
func (x *Index) correct(words []word, beside *Index) {
	for i := range words {
		w := &words[i]
		_, known := x.terms[w.stem]
		if known || beside != nil && beside.knows(w) || len(w.parts) > 0 || x.routes.knows(w.text) || isEnglish(w) || isApp(w.text) {
			continue
		}
		if meant := x.spelling.nearest(w.text); meant != "" {
			w.text, w.stem, w.guessed = meant, stem(meant), true
		}
	}
}

// isEnglish reports words that are right as they are, though no tool may have them.
func isEnglish(w *word) bool {
	return isStop(w.text) || isVerb(w.stem) || concepts[w.stem] != nil || rewrites[w.text] != nil || vectorOf(w.text) != ""
}

// weigh says how much each word tells about the tool that is wanted.
func (x *Index) weigh(r *request) {
	counted, fade, clause, inside := 0, float32(1), float32(1), float32(1)
	for i := range r.words {
		w := &r.words[i]
		if w.spent && r.want.has(verbSend) {
			clause = asideWeight // "let them know …": what follows is what to say
		}
		if _, aside := asides[w.text]; aside && counted > 1 {
			clause = asideWeight
		}
		if _, in := places[w.text]; in && counted > 1 {
			inside = insideWeight
		}
		if w.comma || w.text == "or" || w.text == "and" {
			inside = 1
		}
		if isStop(w.text) || w.spent {
			continue
		}
		if counted++; counted > fadeFrom {
			fade = max(fadeLeast, fade-fadeRate)
		}
		w.weight = fade * clause * inside
		if _, says := chatter[w.text]; says {
			w.weight *= chatterWeight
		}
		if w.guessed {
			w.weight *= typoWeight
		}
		switch {
		case w.named:
			w.weight *= appTermWeight
		case plainVerbs[w.stem]&commonVerbs != 0:
			w.weight *= verbTermWeight
		case w.leads:
			w.weight *= nounVerbWeight
		}
	}
}

// asides begin the part of a request that says why, about what or when rather than what to do.
var asides = setOf("so because for about that which when while where after before since explaining saying without")

// places begin the part of a request that says where the thing is that it is about: "add a card to a board" is about a card.
var places = setOf("in on to from into at by under inside within")

// addWord makes the slot of one word.
func (x *Index) addWord(r *request, i int) {
	w := &r.words[i]
	if w.weight == 0 {
		return
	}
	if !w.named && w.weight > 0.5 {
		r.plain = append(r.plain, w.text)
	}
	if _, whole := x.terms[w.stem]; !whole && len(w.parts) > 0 {
		for _, part := range w.parts {
			if !isStop(part) {
				x.closeSlot(r, x.choose(r.openSlot(), stem(part), w.weight), w)
			}
		}
		return
	}
	if w.phrase != 0 {
		x.addPhrase(r, w)
		return
	}
	s := x.choose(r.openSlot(), w.stem, w.weight)
	for _, part := range w.parts {
		s = x.choose(s, stem(part), w.weight*partWeight)
	}
	if i+1 < len(r.words) {
		s = x.choose(s, stem(w.text+r.words[i+1].text), w.weight) // "web hook" for webhook
	}
	for _, other := range concepts[w.stem] {
		s = x.chooseOther(s, other.stem, w.weight*synonymWeight*other.near)
	}
	x.closeSlot(r, s, w)
}

// addPhrase makes the slot of an expression that is a verb: the verbs that do the same. Its first word tells little by itself.
func (x *Index) addPhrase(r *request, w *word) {
	s := x.choose(r.openSlot(), w.stem, w.weight*phraseWordWeight)
	for c := verbClass(1); c < verbClasses; c++ {
		if !w.phrase.has(c) {
			continue
		}
		for _, verb := range tellingVerbs[c] {
			s = x.chooseOther(s, verb, w.weight*synonymWeight)
		}
	}
	x.closeSlot(r, s, w)
}

// openSlot gives an empty slot, with the room of one used before where there is one.
func (r *request) openSlot() slot {
	if n := len(r.slots); n < cap(r.slots) {
		return slot{choices: r.slots[:n+1][n].choices[:0]}
	}
	return slot{}
}

// choose adds a choice if any tool has the term.
func (x *Index) choose(s slot, stem string, weight float32) slot {
	if t, ok := x.terms[stem]; ok {
		s.choices = append(s.choices, choice{term: t, weight: weight, verb: plainVerbs[stem]&commonVerbs != 0})
	}
	return s
}

// chooseOther adds another word for what the slot's word means. It counts as if it were as rare as that word: "ticket" is
// no less an issue because many tools have issues in their names.
func (x *Index) chooseOther(s slot, stem string, weight float32) slot {
	n := len(s.choices)
	s = x.choose(s, stem, weight)
	if len(s.choices) == n {
		return s
	}
	c := &s.choices[n]
	c.other = true
	if n > 0 {
		c.weight *= min(x.rarity(s.choices[0].term)/max(x.rarity(c.term), tiny), otherRaise)
	}
	return s
}

// closeSlot adds the slot to the request. A word that no tool knows stays as weight that nothing can match: it speaks
// against every tool.
func (x *Index) closeSlot(r *request, s slot, w *word) {
	rare := rarity(0, x.size())
	if len(s.choices) > 0 {
		rare = x.rarity(s.choices[0].term)
		s.group = w.group
		r.slots = append(r.slots, s)
	}
	r.masses[w.group] += w.weight * rare
}

// addRewrites adds what abbreviations and expressions of two words stand for.
func (x *Index) addRewrites(r *request) {
	for i := range r.words {
		x.addTerms(r, rewrites[r.words[i].text])
		if i+1 < len(r.words) {
			x.addTerms(r, rewrites[r.words[i].text+" "+r.words[i+1].text])
		}
	}
}

// addImplied adds what an expression means without naming it: to let somebody know is to send a message.
func (x *Index) addImplied(r *request) {
	for _, w := range r.words {
		if w.spent && r.want.has(verbSend) {
			x.addTerms(r, impliedBySend)
		}
	}
}

var impliedBySend = []string{stem("message")}

func (x *Index) addTerms(r *request, stems []string) {
	for _, t := range stems {
		if s := x.choose(r.openSlot(), t, rewriteWeight); len(s.choices) > 0 {
			r.slots = append(r.slots, s)
		}
	}
}

// addKnown lets the names of the facts that the caller has ("repo: x, title: y") speak for tools that take them.
func (x *Index) addKnown(r *request, known string) {
	for fact := range strings.SplitSeq(known, ",") {
		name, _, _ := strings.Cut(fact, ":")
		for _, w := range split(name) {
			if s := x.choose(r.openSlot(), stem(w.text), knownWeight); len(s.choices) > 0 && !isStop(w.text) {
				r.slots = append(r.slots, s)
			}
		}
	}
}
