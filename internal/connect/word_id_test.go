package connect

import (
	"regexp"
	"slices"
	"testing"
)

func TestWordID(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^gmail_[a-z]+-[a-z]+$`)
	numbered := regexp.MustCompile(`^gmail_[a-z]+-[a-z]+-\d+$`)
	seen := map[string]bool{}
	for range 200 {
		word := newWordID("gmail", 0)
		if !form.MatchString(word) {
			t.Fatal(word)
		}
		seen[word] = true
	}
	if len(seen) < 150 {
		t.Errorf("only %d different ones of 200", len(seen))
	}
	for try := 1; try < 25; try++ {
		if word := newWordID("gmail", try); !numbered.MatchString(word) {
			t.Error(word)
		}
	}
}

func TestWordsAreUsable(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]string{"adjectives": adjectives, "animals": animals} {
		sorted := slices.Sorted(slices.Values(list))
		if len(slices.Compact(slices.Clone(sorted))) != len(list) {
			t.Errorf("%s has a word twice", name)
		}
		if len(list) < 180 {
			t.Errorf("%s has %d words", name, len(list))
		}
		for _, w := range list {
			if !regexp.MustCompile(`^[a-z]{2,12}$`).MatchString(w) {
				t.Errorf("%q", w)
			}
		}
	}
}
