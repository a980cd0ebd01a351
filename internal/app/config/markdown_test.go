package config

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/configuration.md from the table")

const page = "../../../docs/configuration.md"

func TestConfigurationPageIsFresh(t *testing.T) {
	t.Parallel()
	want := Markdown()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/configuration.md does not say what settings.go says; run: make generate (%v)", err)
	}
}

func TestTheExampleOfThePageIsValid(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(Markdown(), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	if l, faults := parseFile("example", []byte(example)); len(faults) > 0 || len(l) < 6 {
		t.Errorf("%d settings, faults: %v", len(l), faults)
	}
}

func TestEverySettingIsComplete(t *testing.T) {
	t.Parallel()
	flags := map[string]bool{}
	for _, s := range Settings() {
		if s.Meaning == "" || s.set == nil || (s.Default == "") == (s.Unset == "") {
			t.Errorf("%s: needs a meaning, a setter, and one of Default and Unset", s.Key)
		}
		if flags[s.Flag()] {
			t.Errorf("%s: another setting has the flag --%s", s.Key, s.Flag())
		}
		flags[s.Flag()] = true
		if strings.ContainsAny(s.Meaning+s.Unset, "|\n") {
			t.Errorf("%s: would break the table of the documentation", s.Key)
		}
	}
}
