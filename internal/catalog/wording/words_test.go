package wording

import "testing"

func TestCleanTakesOutMarkup(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Plain.": "Plain.",
		"<p>All <b>books</b>,<br>newest&nbsp;first.</p><script x>1":                     "All books,\nnewest first.\n1",
		"# Head\n\nSee [the **docs**](https://x.example \"t\") and `code`.\nNext line.": "See the docs and `code`.\nNext line.",
		"* one\n* two\n\n```json\n{\"a\": 1}\n```\nEnd":                                 "- one\n- two\nEnd",
		"a < b and b > c":                 "a < b and b > c",
		"| a | b |\n|---|---|\n| 1 | 2 |": "",
		"snake_case_name *stays* __put__": "snake_case_name stays put",
		"tab\tand\x00control":             "tab and control",
	} {
		if got := Clean(in); got != want && got != joinLines(want) {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// joinLines is the form in which lines of one paragraph are joined.
func joinLines(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r == '\n' && i+1 < len(out) && out[i+1] != '-' {
			out[i] = ' '
		}
	}
	return string(out)
}

func TestShortenKeepsWholeSentences(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in    string
		limit int
		want  string
	}{
		{"Short.", 20, "Short."},
		{"First one here. Second one. Third.", 30, "First one here. Second one."},
		{"For all, e.g. these and those and more. Next.", 42, "For all, e.g. these and those and more."},
		{"A very long sentence without any end in sight", 24, "A very long sentence…"},
		{"éééééééééééééééééééé", 12, "éééé…"},
	}
	for _, c := range cases {
		if got := Shorten(c.in, c.limit); got != c.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}
