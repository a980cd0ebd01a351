package search

// A request may list several things that it could be about: "create repos, manage branches, or update settings". A tool does
// one of them, and must not lose to one that has a word of each. So the words between commas and "or" form groups, and a tool
// counts by the group it serves best, the others only a little.

// mostGroups is how many alternatives are told apart; what follows belongs to the last one.
const mostGroups = 12

// findAlternatives parts the words of a request that says "or" into groups. A part that has nothing but verbs ("create, update
// or delete contacts") goes with the next one, and names of apps go with all.
func (r *request) findAlternatives() {
	r.groups = 0
	clear(r.masses[:])
	if !r.says("or") {
		return
	}
	r.groups = 1
	filled := false
	for i := range r.words {
		w := &r.words[i]
		if filled && (w.comma || w.text == "or") && r.groups < mostGroups {
			r.groups++
			filled = false
		}
		if w.named {
			continue
		}
		w.group = r.groups
		if w.weight > 0 && !w.leads && plainVerbs[w.stem]&commonVerbs == 0 {
			filled = true
		}
	}
}

func (r *request) says(text string) bool {
	for i := range r.words {
		if r.words[i].text == text {
			return true
		}
	}
	return false
}

// massOfAlternatives is what a tool would score that had every word of the greatest group.
func (r *request) massOfAlternatives() float32 {
	var most, all float32
	for _, mass := range r.masses[1:] {
		most = max(most, mass)
		all += mass
	}
	return r.masses[0] + most + otherGroups*(all-most)
}

// groupSums is what a tool scores by the groups of a request.
type groupSums struct {
	group           int // the one at hand
	here, best, all float32
}

func (g *groupSums) add(group int, score float32) {
	if g.group != group {
		g.group, g.here = group, 0
	}
	g.here += score
	g.all += score
	g.best = max(g.best, g.here)
}

// sumGroups adds the score of the slot at hand to its group, by tool.
func (s *scratch) sumGroups(group int) {
	for _, d := range s.touched {
		s.groups[d].add(group, s.slot[d])
	}
}

// preferOneGroup takes from each tool's score what it has of other groups than its best one.
func (s *scratch) preferOneGroup() {
	for d := range s.groups {
		s.lexical[d] -= (1 - otherGroups) * (s.groups[d].all - s.groups[d].best)
	}
}
