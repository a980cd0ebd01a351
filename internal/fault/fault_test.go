package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	own := fault.New(fault.Conflict, fault.SlugSessionConflict, "stale")
	cases := map[string]struct {
		err  error
		kind fault.Kind
		slug string
	}{
		"one of ours":          {own, fault.Conflict, fault.SlugSessionConflict},
		"one of ours, wrapped": {fmt.Errorf("update session: %w", own), fault.Conflict, fault.SlugSessionConflict},
		"deadline":             {fmt.Errorf("query: %w", context.DeadlineExceeded), fault.Timeout, fault.SlugTimeout},
		"canceled":             {context.Canceled, fault.Canceled, fault.SlugCanceled},
		"anything else":        {errors.New("disk on fire at /var/lib/secret"), fault.Internal, fault.SlugInternal},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := fault.From(c.err)
			if got.Kind != c.kind || got.Slug != c.slug {
				t.Errorf("From(%v) is kind %d with slug %s; want kind %d with %s", c.err, got.Kind, got.Slug, c.kind, c.slug)
			}
			if !fault.Is(got, c.kind) {
				t.Error("Is does not recognise it")
			}
		})
	}
	if fault.From(nil) != nil {
		t.Error("From(nil) is not nil")
	}
}

func TestCauseIsForTheLogOnly(t *testing.T) {
	t.Parallel()
	cause := errors.New("password=hunter2")
	f := fault.From(fmt.Errorf("connect: %w", cause))
	if strings.Contains(f.Message+f.Fix+strings.Join(f.Details, ""), "hunter2") {
		t.Errorf("what is shown gives the cause away: %+v", f.Message)
	}
	if !strings.Contains(f.Error(), "hunter2") || !errors.Is(f, cause) {
		t.Error("the log does not get the cause")
	}
}

func TestBuilding(t *testing.T) {
	t.Parallel()
	f := fault.New(fault.Invalid, fault.SlugSessionInvalid, "%d faults", 2).
		WithFix("mend %s", "them").WithDetails("one").WithDetails("two").WithCode(fault.CodeSessionInvalid)
	if f.Message != "2 faults" || f.Fix != "mend them" || f.Code != 4300 {
		t.Errorf("got %+v", f)
	}
	if diff := cmp.Diff([]string{"one", "two"}, f.Details); diff != "" {
		t.Error(diff)
	}
	if f.Error() != "2 faults" {
		t.Errorf("text %q", f.Error())
	}
}
