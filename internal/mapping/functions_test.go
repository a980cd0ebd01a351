package mapping

import (
	"os"
	"strings"
	"testing"
)

// Whoever writes a toolkit finds every function in its guide.
func TestFunctionsAreDocumented(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/toolkits.md")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{"truthy": true, "plain": true, "member": true} // the compiler puts these in
	for name := range functions {
		if !made[name] && !strings.Contains(string(guide), "`"+name+"(") {
			t.Errorf("docs/toolkits.md does not mention %s()", name)
		}
	}
}
