package connect

import (
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// TestUnsupportedSchemes are refused by name, with what they would hold and what there is instead, even where a toolkit declares them.
func TestUnsupportedSchemes(t *testing.T) {
	t.Parallel()
	s := &Service{schemes: newSchemes(nil)}
	for mode, fields := range unsupported {
		if _, both := s.schemes[mode]; both {
			t.Errorf("%s is supported and not", mode)
		}
		toolkit := &catalog.Toolkit{Slug: "t", Name: "Tee", Auth: []catalog.AuthScheme{{Mode: mode}, {Mode: APIKey}}}
		_, _, err := s.offered(toolkit, mode)
		if err == nil {
			t.Errorf("%s is offered", mode)
			continue
		}
		for _, want := range append([]string{mode, "is not supported here for Tee, nor for any other"}, fields...) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
	}
	if refuseUnsupported("NONSENSE", "Tee") != nil || len(s.schemes)+len(unsupported) != 15 {
		t.Errorf("%d schemes and %d that are not supported; the contract has 15", len(s.schemes), len(unsupported))
	}
}
