package search

import (
	"cmp"
	"math"
	"slices"
)

// scored is a tool and how well it serves.
type scored struct {
	doc   uint32
	score float32
}

// score puts together what words, verbs and toolkits say for each tool, and keeps the best by that.
func (x *Index) score(q Query, r *request, s *scratch, t tops) {
	x.weighVerbs(r, s)
	x.weighToolkits(q, r, s)
	s.best = s.best[:0]
	f := scoring{weak: t.weakness(r) > 0, likely: t.likely / 2, verbs: t.verbPart(r), ofLexical: 1 / t.lexical, ofLikely: likelyPart / t.likely, meant: x.mayMean(q, r, t)}
	f.floor = s.least(q, f.meant)
	for kit := range x.toolkits {
		x.scoreToolkit(q, r, s, &f, kit)
	}
}

// mayMean is how much the meaning may come to weigh: whose vectors will be compared is known only later.
func (x *Index) mayMean(q Query, r *request, t tops) float32 {
	t.outside = x.vectors != nil && q.Vector != nil
	return t.meantPart(r)
}

// scoring is what is the same for all tools of a request.
type scoring struct {
	weak                bool    // tools that share nothing are scored too
	likely              float32 // the likeness of letters from which a tool shares something
	verbs               float32
	ofLexical, ofLikely float32
	meant               float32 // how much the meaning may add
	floor               float32 // who has less cannot come among the best any more
}

// scoreToolkit scores the tools of a toolkit. Most can be left out at a glance: they share nothing, or too little.
func (x *Index) scoreToolkit(q Query, r *request, s *scratch, f *scoring, kit int) {
	named := r.strength[kit] >= routed
	finds := named && r.want.has(verbSearch)
	most := s.kits[kit] + f.verbs + importantPart
	for d := int(x.first[kit]); d < int(x.first[kit+1]); d++ {
		lexical, likely := s.lexical[d]*f.ofLexical, s.likely[d]
		s.score[d] = outOfReach
		shares := named || lexical != 0 || likely >= f.likely
		if !shares && !f.weak {
			continue
		}
		if finds && x.verbSets[x.verb[d]].has(verbFindsAny) {
			lexical = max(lexical, findsAnyShare)
		}
		if (lexicalPart+precisionPart)*lexical+likely*f.ofLikely+most < f.floor {
			continue
		}
		score := lexicalPart*lexical + likely*f.ofLikely + f.verbs*s.agrees[x.verb[d]] + s.kits[kit]
		if x.nameMass[d] > 0 {
			score += precisionPart * lexical * x.precision(s, d)
		}
		if x.important[d] {
			score += importantPart
		}
		s.score[d] = score
		if shares && x.keep(q, s, d, score) {
			f.floor = s.least(q, f.meant)
		}
	}
}

// precision is how much of a tool's name the request answers for, its verb included.
func (x *Index) precision(s *scratch, d int) float32 {
	verb := x.verb[d]
	if x.verbSets[verb] == 0 {
		return min(1, s.named[d]/x.nameMass[d])
	}
	return min(1, (s.named[d]+verbMass*max(0, s.agrees[verb]))/(x.nameMass[d]+verbMass))
}

// verbPart is how much the verb weighs. Among the tools of a named app it decides; a vague request that names none rather says
// "find me" of what it wants to have.
func (t tops) verbPart(r *request) float32 {
	for _, sure := range r.strength {
		if sure >= routed {
			return verbPart
		}
	}
	return verbPart * (1 - vagueVerb*max(0, 1-t.lexical/max(vagueShare*r.mass, tiny)))
}

// outOfReach is the score of tools that are not ranked.
const outOfReach = -1e6

// rank adds what the meaning says and keeps the best.
func (x *Index) rank(q Query, r *request, s *scratch, t tops) {
	part, least := t.meantPart(r)/max(t.meant, alike), s.least(q, t.meantPart(r))
	s.best = s.best[:0]
	for d, score := range s.score {
		if score < least || s.meant[d] < nearlyMeant*t.meant && !x.shares(r, s, t, d) {
			continue
		}
		x.keep(q, s, d, score+part*s.meant[d])
	}
}

// least is the score of a tool that can still come among the best when so much more is to be won.
func (s *scratch) least(q Query, more float32) float32 {
	if len(s.best) < q.Limit {
		return outOfReach / 2
	}
	return s.best[q.Limit-1].score - more
}

// keep keeps a tool that is among the best and allowed, and reports whether it is.
func (x *Index) keep(q Query, s *scratch, d int, score float32) bool {
	if len(s.best) == q.Limit && score <= s.best[q.Limit-1].score || !x.allows(q, s, d) {
		return false
	}
	s.insert(scored{uint32(d), score}, q.Limit)
	return true
}

// shares reports whether a tool has something of the request: words, letters, or the toolkit that it names.
func (x *Index) shares(r *request, s *scratch, t tops, d int) bool {
	return s.lexical[d] != 0 || s.likely[d] >= t.likely/2 || r.strength[x.home[d]] >= routed
}

// hits gives ranked tools, with scores beside the best one's.
func (x *Index) hits(r *request, best []scored, top float32) []Hit {
	hits := make([]Hit, len(best))
	for i, b := range best {
		behind := float64(top - b.score)
		hits[i] = Hit{Tool: x.tools[b.doc], Score: math.Exp(-behind / fallsBy), Named: r.strength[x.home[b.doc]] >= routed}
	}
	return hits
}

// fallsBy is how far behind the best tool another one must be for its score to fall to a third. The parts of a score are sums,
// and what all tools of a named app have in common would hide how they differ in a ratio of sums.
const fallsBy = 0.5

// routed is how surely a request must name a toolkit for it to count as named.
const routed = 0.5

// confidence is the share of the request that the best tools answer for, with what its meaning adds where the words differ. Long requests chatter: they count as no more than
// a few rare words.
func (x *Index) confidence(r *request, s *scratch, t tops) float32 {
	mass := max(min(r.mass, fitsWords*rarity(0, x.size())), tiny)
	var most float32
	for _, b := range s.best[:min(len(s.best), 3)] {
		most = max(most, s.lexical[b.doc]/mass+r.strength[x.home[b.doc]]/2)
	}
	most += meantFits * max(0, t.meant-alike)
	if r.elsewhere != "" {
		most *= elsewhereFits
	}
	return most
}

func (x *Index) weighVerbs(r *request, s *scratch) {
	for i, have := range x.verbSets {
		s.agrees[i] = agreement(r.want, have)
		if r.also != 0 {
			s.agrees[i] = max(s.agrees[i], alsoWeight*agreement(r.also, have))
		}
	}
}

func (x *Index) weighToolkits(q Query, r *request, s *scratch) {
	for i, tk := range x.toolkits {
		s.kits[i] = routePart*r.strength[i] + usagePart*x.usage[i]
		if q.Connected != nil && q.Connected(tk.Slug) {
			s.kits[i] += connectedPart
		}
	}
}

// tops are the highest values of one search.
type tops struct {
	lexical, likely, meant float32

	outside bool // a model outside said what is meant
}

func (x *Index) tops(q Query, s *scratch) tops {
	return tops{lexical: x.top(q, s, s.lexical), likely: x.top(q, s, s.likely)}
}

// top gives the highest value of an allowed tool, which makes the values of one request comparable with another's.
func (x *Index) top(q Query, s *scratch, values []float32) float32 {
	top := float32(tiny)
	for d, v := range values {
		if v > top && x.allows(q, s, d) {
			top = v
		}
	}
	return top
}

// tiny stands for zero where something is divided by it.
const tiny = 1e-6

// allows asks the caller's filter at most once a search for each tool, and only for those that may be answered.
func (x *Index) allows(q Query, s *scratch, d int) bool {
	if q.Allow == nil {
		return true
	}
	if s.allowed[d] == 0 {
		s.allowed[d] = -1
		if q.Allow(x.tools[d]) {
			s.allowed[d] = 1
		}
	}
	return s.allowed[d] > 0
}

// insert keeps best in order and no longer than limit. Equals stay in the order of the catalog.
func (s *scratch) insert(n scored, limit int) {
	at, _ := slices.BinarySearchFunc(s.best, n, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.doc, b.doc))
	})
	s.best = slices.Insert(s.best, at, n)
	if len(s.best) > limit {
		s.best = s.best[:limit]
	}
}
