package mapping

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 300)
	for name, want := range map[string]string{"colour": "color", "Colr": "color", "weight": "", long + "b": ""} {
		if got := Nearest(name, []string{"color", long}); got != want {
			t.Errorf("Nearest(%.10q) = %.10q, want %q", name, got, want)
		}
	}
}
