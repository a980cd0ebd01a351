package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got gives a value, ending the test on an error.
func got[T any](value T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return value
	}
}

// wantKind checks that an error is a fault of a kind, and that its text for strangers shows no database error.
func wantKind(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: got %v (kind %v), want kind %v", what, err, fault.From(err), kind)
	}
}

// same compares what was stored with what is read, secrets included.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(sameValue)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func sameValue(a, b secret.Value) bool { return a.Reveal() == b.Reveal() }

// errRefused is what an update function gives back when it will not.
var errRefused = errors.New("refused")

// together runs f n times at once and gives the errors.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	return errs
}

// pages reads a list page by page and checks what each page says of the whole.
func pages[T any](t *testing.T, total int, read func(cursor string) ([]T, connect.Page, error)) []T {
	t.Helper()
	var items []T
	for cursor, n := "", 0; ; n++ {
		some, page, err := read(cursor)
		must(t, err)
		if page.Total != total {
			t.Fatalf("page %d: total %d, want %d", n, page.Total, total)
		}
		items = append(items, some...)
		if page.Next == "" {
			return items
		}
		if n > total {
			t.Fatalf("the pages do not end")
		}
		cursor = page.Next
	}
}
