package search

// politeness is what may come before the verb of a request.
var politeness = setOf("please can could you i we want to need would like help me let us lets how do my the a an id im am trying")

// readVerbs finds what a request wants done. The verb is where a request begins, after politeness; a request that begins
// with something else ("Slack channel members, list them") is taken by its first plain verb.
func (r *request) readVerbs() {
	lead := r.leadingVerb()
	for i := 0; lead < 0 && i < len(r.words); i++ {
		if v := plainVerbs[r.words[i].stem]; v != 0 {
			r.want, lead = v, i
		}
	}
	if lead < 0 {
		return
	}
	r.words[lead].leads = true
	for i := lead + 1; i < len(r.words); i++ {
		before := &r.words[i-1]
		listed := before.leads || before.text == "or" || before.text == "and" || plainVerbs[before.stem]&commonVerbs != 0
		if v := plainVerbs[r.words[i].stem]; v != 0 && listed {
			r.also |= v
		}
	}
}

// leadingVerb gives the place of the verb a request begins with, or -1.
func (r *request) leadingVerb() int {
	for i := range r.words {
		w := &r.words[i]
		if v, particle := r.phraseAt(i); v != 0 {
			r.want = v
			r.words[particle].spent = true
			w.phrase = v
			return i
		}
		if v := plainVerbs[w.stem] | nounVerbs[w.stem]; v != 0 {
			r.want = v
			return i
		}
		if v := questionVerbs[w.text]; v != 0 && w.text != "how" {
			r.want = v
			return i
		}
		if _, polite := politeness[w.text]; !polite {
			break
		}
	}
	return -1
}

// phraseAt finds an expression that is a verb, also with something in between ("let the team know"), and where it ends.
func (r *request) phraseAt(i int) (verb verbSet, particle int) {
	first, rest := r.words[i].text, r.words[i+1:]
	if !beginsVerbPhrase[first] {
		return 0, 0
	}
	if len(rest) >= 2 {
		if v, ok := verbPhrases[first+" "+rest[0].text+" "+rest[1].text]; ok {
			return 1 << v, i + 2
		}
	}
	for j, w := range rest[:min(len(rest), longestVerbPhrase)] {
		if v, ok := verbPhrases[first+" "+w.text]; ok {
			return 1 << v, i + 1 + j
		}
	}
	return 0, 0
}

// longestVerbPhrase is how many words after its first the particle of an expression may stand.
const longestVerbPhrase = 5

var beginsVerbPhrase = func() map[string]bool {
	firsts := make(map[string]bool)
	for phrase := range verbPhrases {
		for i := range phrase {
			if phrase[i] == ' ' {
				firsts[phrase[:i]] = true
				break
			}
		}
	}
	return firsts
}()
