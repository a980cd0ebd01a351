package tenant

import (
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

func BenchmarkAuthenticateWarm(b *testing.B) {
	s := &Service{known: newCallers(time.Now)}
	const key = "ak_0123456789abcdef0123456789abcdef0123456789a"
	s.known.Put(secret.Hash(key), Caller{ProjectID: "pr_1"}, s.known.Mark())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Authenticate(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
}
