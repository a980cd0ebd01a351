package search

import "math"

// postings lists, term by term, the documents that hold it. Everything lies in a few flat slices: nothing for the garbage
// collector to walk, and a scan is sequential.
type postings struct {
	first  []uint32  // by term: where its list begins; one more at the end
	docs   []uint32  // document number, with nameBit set where the term is in the tool's name
	impact []float32 // what a match adds to the document's score
}

const nameBit = 1 << 31

// list gives the documents of a term and the impact of each.
func (p *postings) list(term uint32) ([]uint32, []float32) {
	from, to := p.first[term], p.first[term+1]
	return p.docs[from:to], p.impact[from:to]
}

func (p *postings) count(term uint32) int { return int(p.first[term+1] - p.first[term]) }

// newPostings sorts terms, which come in order of document, into lists. The impact of a term in a document is its saturated
// frequency, where a frequency counts by field and by the length of the field (BM25F), until weigh multiplies it by the rarity.
func newPostings(terms int, all []fieldTerm, lengths []fieldLengths, average fieldLengths) postings {
	first := make([]uint32, terms+1)
	for _, o := range all {
		first[o.term+1]++
	}
	for t := range terms {
		first[t+1] += first[t]
	}
	sorted := make([]fieldTerm, len(all))
	next := append([]uint32(nil), first...)
	for _, o := range all {
		sorted[next[o.term]] = o
		next[o.term]++
	}
	p := postings{first: make([]uint32, 1, terms+1)}
	for t := range terms {
		p.appendList(sorted[first[t]:first[t+1]], lengths, average)
	}
	return p
}

// appendList adds the list of one term, whose occurrences come in order of document.
func (p *postings) appendList(all []fieldTerm, lengths []fieldLengths, average fieldLengths) {
	for i := 0; i < len(all); {
		doc, frequency, named := all[i].doc, float32(0), uint32(0)
		for ; i < len(all) && all[i].doc == doc; i++ {
			f := all[i].field
			frequency += fieldWeights[f] / (1 - lengthPenalty[f] + lengthPenalty[f]*lengths[doc][f]/average[f])
			if f == inName {
				named = nameBit
			}
		}
		p.docs = append(p.docs, doc|named)
		p.impact = append(p.impact, frequency/(frequency+saturation))
	}
	p.first = append(p.first, uint32(len(p.docs)))
}

// weigh multiplies the impacts of each term by its rarity.
func (p *postings) weigh(rarity func(term uint32) float32) {
	for t := range uint32(len(p.first) - 1) {
		rare := rarity(t)
		for i := p.first[t]; i < p.first[t+1]; i++ {
			p.impact[i] *= rare
		}
	}
}

// rarity is the inverse document frequency of a term that count of docs documents hold.
func rarity(count, docs int) float32 {
	return float32(math.Log(1 + (float64(docs)-float64(count)+0.5)/(float64(count)+0.5)))
}
