package search

import (
	_ "embed" // the vectors of words
	"sort"
	"strings"
)

// The vectors of common English words (vectors/NOTICE says where they come from): words that are used alike point the same way.
// They stay in the program as they are, and a word is looked up where it lies: nothing is decoded, and what nobody looks up is
// not even read from the disk.

//go:embed vectors/words.txt
var vectorWords string // one a line, in order, filled up with spaces to lineSize

//go:embed vectors/words.int8
var vectorBytes string // by line of vectorWords: meaningSize signed bytes

const (
	meaningSize = 64
	lineSize    = 21
)

// vectorOf gives the vector of a word, one signed byte a dimension, or "" when there is none.
func vectorOf(word string) string {
	lines := len(vectorWords) / lineSize
	at := sort.Search(lines, func(i int) bool { return writtenAt(i) >= word })
	if at == lines || writtenAt(at) != word {
		return ""
	}
	return vectorBytes[at*meaningSize:][:meaningSize]
}

func writtenAt(line int) string {
	return strings.TrimRight(vectorWords[line*lineSize:][:lineSize], " \n")
}
