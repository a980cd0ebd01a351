package outbound

import (
	"errors"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

func TestReadBody(t *testing.T) {
	t.Parallel()
	if b, err := ReadBody(strings.NewReader("12345"), 5); err != nil || string(b) != "12345" {
		t.Errorf("at the limit: %q, %v", b, err)
	}
	_, err := ReadBody(strings.NewReader("123456"), 5)
	if !fault.Is(err, fault.Upstream) || !errors.Is(err, ErrBodyTooLarge) || !strings.Contains(err.Error(), "5 bytes") {
		t.Errorf("beyond the limit: %v", err)
	}
}

func TestReadBodyKeepsTheReadersError(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	if _, err := ReadBody(failing{broken}, 5); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
