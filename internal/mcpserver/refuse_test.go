package mcpserver

import (
	"net/http"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Only what is our own fault, or is answered to nobody, may look like it.
func TestStatusOfEachKind(t *testing.T) {
	t.Parallel()
	for kind := fault.Internal; kind <= fault.Canceled; kind++ {
		status := httpStatus(kind)
		ours := kind == fault.Internal || kind == fault.Canceled
		if ours != (status == http.StatusInternalServerError) {
			t.Errorf("%d for a fault of kind %d", status, kind)
		}
	}
	for kind, want := range map[fault.Kind]int{
		fault.Conflict: 409, fault.Unprocessable: 422, fault.TooLarge: 413, fault.Unsupported: 501, fault.Upstream: 502,
		fault.Gone: 404, // what is gone has to be asked for anew, and 404 is what MCP clients do that on
	} {
		if got := httpStatus(kind); got != want {
			t.Errorf("%d for a fault of kind %d, want %d", got, kind, want)
		}
	}
}
