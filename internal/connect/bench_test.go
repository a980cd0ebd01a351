package connect_test

import (
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

// BenchmarkWarmCall is what connect adds to a tool call: choosing the account and handing out its credential.
func BenchmarkWarmCall(b *testing.B) {
	bed := newBed(b)
	bed.connected(bed.oauthConfig("acme"), "u", ann)
	sel := connect.Selection{UserID: "u", Toolkit: "acme", ForSession: true}
	b.ReportAllocs()
	for b.Loop() {
		a, err := bed.Select(bed.ctx, bed.caller, sel)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := bed.Credential(bed.ctx, bed.caller, a); err != nil {
			b.Fatal(err)
		}
	}
}
