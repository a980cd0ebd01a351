package app

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func TestHeapLimit(t *testing.T) {
	t.Parallel()
	for memoryMax, want := range map[string]int64{
		"1000000000\n": 850000000,
		"max\n":        0,
		"":             0,
		"-1":           0,
		"inf":          0,
	} {
		if got := heapLimit(memoryMax); got != want {
			t.Errorf("%q: got %d, want %d", memoryMax, got, want)
		}
	}
}

func TestGrowthPercent(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{0: gcPercent, 20 << 20: gcPercent, 32 << 20: gcPercent, 64 << 20: 100, 128 << 20: 50, 8 << 30: 30} {
		if got := growthPercent(live); got != want {
			t.Errorf("%d MB live: %d, want %d", live>>20, got, want)
		}
	}
}

// The heap of this test's own process: what is live decides how far it grows, also after the start.
func TestTheCollectorFollowsTheHeap(t *testing.T) {
	before := debug.SetGCPercent(gcPercent)
	defer debug.SetGCPercent(before)
	followHeap(gcPercent)
	held := make([]byte, 256<<20)
	defer runtime.KeepAlive(held)
	for range 1000 {
		runtime.GC()
		now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		if metrics.Read(now); now[0].Value.Uint64() == 30 {
			return
		}
		runtime.Gosched()
	}
	t.Error("a quarter of a gigabyte is live, and the heap may still grow to three times that")
}
