package mapping_test

import (
	"testing"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

func TestUnstorable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":"b"}`:                      "",
		`"\ud83d\ude00 \\ud800 \n"`:      "",
		`"\\\\ud800 is no escape"`:       "",
		`"\ud800"`:                       "half of a surrogate pair",
		`"\uDC00"`:                       "half of a surrogate pair",
		`"\ud800A"`:                      "half of a surrogate pair",
		`"\ud800\ud800"`:                 "half of a surrogate pair",
		`"\ud83d\ude00\ud83d"`:           "half of a surrogate pair",
		`{"\ud800":1}`:                   "half of a surrogate pair",
		`"\\\ud800"`:                     "half of a surrogate pair",
		"\"a\\u0000\"":                   "a null character",
		`"\\` + `u0000 is no escape"`:    "",
		"\"\xff\"":                       "bytes that are not UTF-8",
		"\"\xed\xa0\x80\"":               "bytes that are not UTF-8", // a surrogate, written out
		`"cut off \`:                     "",
		`"cut off \u00`:                  "",
		`"not hexadecimal \uzzzz \ud800`: "half of a surrogate pair",
	} {
		if got := mapping.Unstorable([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestTraverses(t *testing.T) {
	t.Parallel()
	for segment, want := range map[string]bool{
		"..": true, ".": true, "../x": true, `..\x`: true, "a/../b": true, "..%2F": true, "%2e%2e": true, "%2e%2e%2fx": true, "..%5cx": true,
		"..%252Fx": true, "a%2F..": true,
		"": false, "a": false, "...": false, "v1..v2": false, "a.b": false, "..a": false, "100%": false, "a%2Fb": false, "main...topic": false,
	} {
		if got := mapping.Traverses(segment); got != want {
			t.Errorf("%q: %v", segment, got)
		}
	}
}
