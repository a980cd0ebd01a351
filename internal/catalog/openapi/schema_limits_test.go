package openapi

import "testing"

func TestPatternsRepeatNoMoreThanCanBeChecked(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`^[a-z]{1,63}:[^/].{0,1023}$`: `^[a-z]{1,63}:[^/].{0,}$`,
		`a{1,1000}`:                   `a{1,1000}`,
		`a{5,1001}b{2,}c{3}`:          `a{5,}b{2,}c{3}`,
		`a\{0,2000}`:                  `a\{0,2000}`,
		`[{0,2000}]`:                  `[{0,2000}]`,
		`[\]{0,2000}]x{0,2000}`:       `[\]{0,2000}]x{0,}`,
		`a{0,99999999999}`:            `a{0,99999999999}`,
	} {
		if got := withinRepeats(pattern); got != want {
			t.Errorf("%s becomes %s; want %s", pattern, got, want)
		}
	}
	d := &document{patterns: map[string]bool{}}
	if !d.compiles(withinRepeats(`^a{0,1023}$`)) || d.compiles(`^a{0,1023}$`) {
		t.Error("the bound is not the one of package regexp")
	}
}
