package search

import (
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// build makes an index of toolkits; mostUsedFirst says that their order tells which are used most.
func build(toolkits []*catalog.Toolkit, mostUsedFirst bool, below *Index) *Index {
	b := builder{
		x:       indexed(toolkits, mostUsedFirst, below),
		stems:   make(map[string]uint32),
		verbs:   make(map[verbSet]uint8),
		names:   make(map[string]int),
		vectors: make(map[uint32]*vector),
	}
	for _, tk := range toolkits {
		b.countNameWords(tk)
	}
	doc := uint32(0)
	for _, tk := range toolkits {
		own, arguments := b.toolkitWords(tk), tk.ArgumentNames()
		for i, t := range tk.Tools {
			b.addTool(doc, t, own, arguments[i])
			doc++
		}
	}
	return b.finish()
}

// indexed makes the part of an index that follows from the toolkits: their numbers, those of their tools, and what they are called.
func indexed(toolkits []*catalog.Toolkit, mostUsedFirst bool, below *Index) *Index {
	x := &Index{below: below, listed: toolkits, toolkits: toolkits, terms: make(map[string]uint32), usage: make([]float32, len(toolkits))}
	x.scratch.New = func() any { return x.newScratch() }
	for i, tk := range toolkits {
		if mostUsedFirst {
			x.usage[i] = 1 - float32(i)/float32(len(toolkits))
		}
		if below != nil {
			x.usage[i] = below.usageOf(tk.Slug)
		}
		x.routes.add(int32(i), tk)
		x.first = append(x.first, int32(len(x.tools)))
		for _, t := range tk.Tools {
			x.tools = append(x.tools, t)
			x.home = append(x.home, int32(i))
			x.important = append(x.important, t.Important)
		}
	}
	x.first = append(x.first, int32(len(x.tools)))
	return x
}

// builder gathers what the index is made of. Frequencies can be weighed only when the average lengths are known, so terms
// are gathered first and weighed in finish.
type builder struct {
	x       *Index
	stems   map[string]uint32 // written word -> term, so that each word is stemmed once
	verbs   map[verbSet]uint8
	names   map[string]int // in how many toolkits a word is in the name of a tool
	terms   []fieldTerm    // in order of document
	lengths []fieldLengths // by document
	// ownInName are words of toolkits in the names of their tools: CREATE_LINEAR_ISSUE. A request need not have them.
	ownInName []fieldTerm
	grams     gramBuilder
	glued     gluer
	vectors   map[uint32]*vector // of terms, by the first word that was met of each; nil where it has none
}

// field is a part of a tool that terms are found in.
type field uint8

const (
	inName      field = iota
	inToolkit         // the toolkit's name and aliases
	inLead            // the first sentence of the description
	inRest            // the other sentences
	inParameter       // names of arguments
	fields
)

type fieldLengths [fields]float32

// fieldTerm is one term in one field of one document.
type fieldTerm struct {
	term, doc uint32
	field     field
}

func (b *builder) countNameWords(tk *catalog.Toolkit) {
	seen := make(map[string]struct{})
	for _, t := range tk.Tools {
		for _, w := range b.glued.nameWords(t) {
			seen[w] = struct{}{}
		}
	}
	for w := range seen {
		b.names[w]++
	}
}

func (b *builder) addTool(doc uint32, t *catalog.Tool, own, arguments []string) {
	b.lengths = append(b.lengths, fieldLengths{})
	name := b.glued.nameWords(t)
	b.addName(doc, name, own)
	for _, w := range own {
		b.add(doc, inToolkit, w)
	}
	lead, rest := firstSentence(t.Description)
	b.addText(doc, inLead, lead)
	b.addText(doc, inRest, rest)
	for _, p := range arguments {
		b.addText(doc, inParameter, p)
	}
	b.grams.add(doc, append(name, own...))
	verb := toolVerb(t, name)
	if verb.has(verbSearch) && findsAny(name, own) {
		verb |= 1 << verbFindsAny
	}
	b.x.verb = append(b.x.verb, b.verbNumber(verb))
}

// addName adds the words of a name, and notes those that are the toolkit's own unless there are no others.
func (b *builder) addName(doc uint32, name, own []string) {
	more := slices.ContainsFunc(name, func(w string) bool { return !isStop(w) && !contains(own, w) })
	for _, w := range name {
		b.add(doc, inName, w)
		if more && !isStop(w) && contains(own, w) {
			b.ownInName = append(b.ownInName, fieldTerm{term: b.term(w), doc: doc, field: inName})
		}
	}
}

func (b *builder) addText(doc uint32, f field, text string) {
	for _, w := range split(text) {
		b.add(doc, f, w.text)
		for _, part := range w.parts {
			b.add(doc, f, part)
		}
	}
}

func (b *builder) add(doc uint32, f field, w string) {
	if isStop(w) {
		return
	}
	t := b.term(w)
	b.terms = append(b.terms, fieldTerm{term: t, doc: doc, field: f})
	b.lengths[doc][f]++
	if _, met := b.vectors[t]; !met {
		b.vectors[t] = newVector(w)
	}
}

func (b *builder) term(w string) uint32 {
	if t, ok := b.stems[w]; ok {
		return t
	}
	s := stem(w)
	t, ok := b.x.terms[s]
	if !ok {
		t = uint32(len(b.x.terms))
		b.x.terms[s] = t
	}
	b.stems[w] = t
	return t
}

func (b *builder) verbNumber(v verbSet) uint8 {
	n, ok := b.verbs[v]
	if !ok {
		n = uint8(len(b.x.verbSets))
		b.verbs[v] = n
		b.x.verbSets = append(b.x.verbSets, v)
	}
	return n
}

func (b *builder) finish() *Index {
	x := b.x
	var total fieldLengths
	for _, l := range b.lengths {
		for f, n := range l {
			total[f] += n
		}
	}
	for f := range total {
		total[f] = max(total[f]/float32(max(len(b.lengths), 1)), 1)
	}
	x.average = total
	if x.below != nil {
		x.average = x.below.average
	}
	x.lists = newPostings(len(x.terms), b.terms, b.lengths, x.average)
	x.countBelow()
	x.lists.weigh(x.rarity)
	b.addMeanings()
	x.nameMass = make([]float32, len(x.tools))
	verbs := x.commonTerms()
	for t := range uint32(len(x.terms)) {
		docs, _ := x.lists.list(t)
		rare := x.rarity(t)
		if verbs[t] {
			continue
		}
		for _, d := range docs {
			if d&nameBit != 0 {
				x.nameMass[d&^nameBit] += rare
			}
		}
	}
	for _, own := range b.ownInName {
		x.nameMass[own.doc] = max(tiny, x.nameMass[own.doc]-x.rarity(own.term))
	}
	x.routes.settle(b.names, len(x.toolkits))
	x.grams = b.grams.finish(len(x.tools))
	if x.below != nil {
		x.settleOver(x.below)
	}
	x.spelling = newSpelling(b.names, &x.routes)
	return x
}

// commonTerms are the terms that are common verbs.
func (x *Index) commonTerms() map[uint32]bool {
	terms := make(map[uint32]bool)
	for verb, classes := range plainVerbs {
		if t, ok := x.terms[verb]; ok && classes&commonVerbs != 0 {
			terms[t] = true
		}
	}
	return terms
}

// nameWords gives the different words of a tool's name and slug, compounds cut and whole.
func (g *gluer) nameWords(t *catalog.Tool) []string {
	var words []string
	for _, text := range [...]string{ownName(t), t.Name} {
		for _, w := range split(text) {
			for _, part := range w.parts {
				if !contains(words, part) {
					words = append(words, part)
				}
			}
			if len(w.parts) == 0 && !contains(words, w.text) {
				words = append(words, w.text)
				for _, part := range g.apart(w.text) {
					if !contains(words, part) {
						words = append(words, part)
					}
				}
			}
		}
	}
	return words
}

// toolkitWords gives the words of a toolkit's name and aliases, run-together names cut: "googlecalendar" gives google,
// calendar and googlecalendar.
func (b *builder) toolkitWords(tk *catalog.Toolkit) []string {
	var words []string
	add := func(w string) {
		if len(w) > 1 && !contains(words, w) {
			words = append(words, w)
		}
	}
	for _, text := range append([]string{tk.Name, tk.Slug}, tk.Aliases...) {
		for _, w := range split(text) {
			for _, part := range w.parts {
				add(part)
			}
			if len(w.parts) == 0 {
				for _, part := range b.cut(w.text) {
					add(part)
				}
			}
			add(w.text)
		}
	}
	return words
}

// cut takes a run-together word apart where two words that tools use meet.
func (b *builder) cut(w string) []string {
	best, at := 0, 0
	for i := 3; i <= len(w)-3; i++ {
		left, right := b.names[w[:i]], b.names[w[i:]]
		if left == 0 || right == 0 {
			continue
		}
		if score := min(left, right); score > best {
			best, at = score, i
		}
	}
	if best < 2 {
		return nil
	}
	return []string{w[:at], w[at:]}
}

// firstSentence parts the sentence that says what a tool does from those that say how.
func firstSentence(text string) (first, rest string) {
	text = strings.TrimSpace(text)
	end := len(text)
	for _, mark := range [...]string{". ", ".\n", "\n\n"} {
		if at := strings.Index(text, mark); at >= 0 && at < end {
			end = at
		}
	}
	return text[:end], text[end:]
}

func contains(list []string, w string) bool {
	for _, have := range list {
		if have == w {
			return true
		}
	}
	return false
}
