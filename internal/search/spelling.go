package search

// spelling finds the word that was meant by one that no tool uses.
type spelling struct {
	words []string
	first []uint32 // by trigram list
	at    []uint32 // word numbers
}

const (
	spellingLists = 1 << 13
	minTypoLength = 5
)

func newSpelling(names map[string]int, r *routes) spelling {
	s := spelling{first: make([]uint32, spellingLists+1)}
	for w := range names {
		if len(w) >= minTypoLength && !isStop(w) {
			s.words = append(s.words, w)
		}
	}
	for w := range r.byName {
		if _, have := names[w]; !have && len(w) >= minTypoLength {
			s.words = append(s.words, w)
		}
	}
	var lists []uint32
	for _, w := range s.words {
		lists = trigrams(lists[:0], w)
		for _, l := range lists {
			s.first[l+1]++
		}
	}
	for l := range spellingLists {
		s.first[l+1] += s.first[l]
	}
	s.at = make([]uint32, s.first[spellingLists])
	next := append([]uint32(nil), s.first...)
	for i, w := range s.words {
		lists = trigrams(lists[:0], w)
		for _, l := range lists {
			s.at[next[l]] = uint32(i)
			next[l]++
		}
	}
	return s
}

// nearest gives the word most like w, or "" when none is near.
func (s *spelling) nearest(w string) string {
	if len(w) < minTypoLength || len(s.words) == 0 {
		return ""
	}
	allowed, least := 1, 1 // a swap inside a short word leaves one trigram alone
	if len(w) >= 7 {
		allowed, least = 2, 2
	}
	var buf [32]uint32
	shared := make(map[uint32]int)
	for _, l := range trigrams(buf[:0], w) {
		for _, i := range s.at[s.first[l]:s.first[l+1]] {
			shared[i]++
		}
	}
	best, bestAt, bestShared := "", allowed+1, 0
	for i, n := range shared {
		c := s.words[i]
		if n < least || len(c) > len(w)+allowed || len(w) > len(c)+allowed {
			continue
		}
		d := distance(w, c, allowed)
		if d < bestAt || d == bestAt && d <= allowed && (n > bestShared || n == bestShared && c < best) {
			best, bestAt, bestShared = c, d, n
		}
	}
	return best
}

func trigrams(lists []uint32, w string) []uint32 {
	padded := " " + w + " "
	for i := 0; i+3 <= len(padded); i++ {
		lists = appendNew(lists, hashGram(padded[i:i+3])&(spellingLists-1))
	}
	return lists
}

// distance counts the insertions, deletions, changes and swaps of neighbours that turn a into b; limit+1 when there are
// more than limit.
func distance(a, b string, limit int) int {
	if len(a) > 40 || len(b) > 40 {
		return limit + 1
	}
	var rows [3][41]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, above, twoAbove := &rows[i%3], &rows[(i-1)%3], &rows[(i+1)%3]
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], twoAbove[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > limit {
			return limit + 1
		}
	}
	return rows[len(a)%3][len(b)]
}
