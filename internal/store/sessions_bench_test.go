package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
)

// BenchmarkCreateSession is the goal of 2,000 sessions a second: with one caller, and with many at once.
func BenchmarkCreateSession(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := storetest.Open(b)
			var n atomic.Int64
			b.SetParallelism(callers)
			create := func() {
				if err := s.CreateSession(b.Context(), benchSession(n.Add(1))); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			if callers == 1 {
				for b.Loop() {
					create()
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						create()
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
		})
	}
}

// benchSession is a session of ordinary size.
func benchSession(n int64) session.Session {
	now := time.Now()
	return session.Session{
		ID:        id.New(id.Session),
		ProjectID: "pr_bench",
		UserID:    fmt.Sprintf("user-%d", n%10_000),
		Version:   1,
		TokenHash: secret.Hash(id.NewSecret(id.SessionToken)),
		Config: session.Config{
			Toolkits:          &session.ToolkitFilter{Enable: []string{"github", "gmail", "slack", "notion"}},
			Tools:             map[string]session.ToolFilter{"github": {Disable: []string{"GITHUB_DELETE_A_REPOSITORY"}}},
			AuthConfigs:       map[string]string{"github": "ac_0123456789ab"},
			ManageConnections: session.ManageConnections{Enable: true, CallbackURL: "https://app.example/connected"},
			Search:            true,
			MultiExecute:      true,
		},
		CreatedAt: now,
		UpdatedAt: now,
	}
}

// BenchmarkSession is what a session costs that no cache holds.
func BenchmarkSession(b *testing.B) {
	s := storetest.Open(b)
	v := benchSession(1)
	if err := s.CreateSession(b.Context(), v); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Session(b.Context(), v.ProjectID, v.ID); err != nil {
			b.Fatal(err)
		}
	}
}
