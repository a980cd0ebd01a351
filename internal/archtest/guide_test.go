package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheGuideIsTrue follows the paths and make targets that AGENTS.md names, so that it cannot go stale.
func TestTheGuideIsTrue(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	guide, err := os.ReadFile(filepath.Join(root, "AGENTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	followed := 0
	for _, quoted := range regexp.MustCompile("`[^`]+`").FindAllString(string(guide), -1) {
		name := strings.Trim(quoted, "`")
		if target, ok := strings.CutPrefix(name, "make "); ok {
			followed++
			if !strings.Contains(string(makefile), "\n"+target+":") {
				t.Errorf("AGENTS.md names make %s, which the Makefile does not have", target)
			}
			continue
		}
		if !regexp.MustCompile(`^(internal|cmd|docs|toolkits|web|compat|bench)(/[\w.*-]+)*/?$`).MatchString(name) {
			continue
		}
		followed++
		if found, err := filepath.Glob(filepath.Join(root, name)); err != nil || len(found) == 0 {
			t.Errorf("AGENTS.md names %s, which is not there", name)
		}
	}
	if followed < 15 {
		t.Errorf("only %d paths and targets found in AGENTS.md: the test looks for the wrong thing", followed)
	}
}
