package main

import (
	"strings"
	"testing"
)

func TestWordsOfACommand(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"npx -y server":             "npx|-y|server",
		` a  'b c' "d 'e'" f""g ''`: "a|b c|d 'e'|fg|",
		"$HOME ~ *":                 "$HOME|~|*",
		"":                          "",
	} {
		if words, ok := splitWords(line); !ok || strings.Join(words, "|") != want {
			t.Errorf("%q: %q, %v", line, words, ok)
		}
	}
	if _, ok := splitWords(`a "b`); ok {
		t.Error("an open quote is taken")
	}
}
