package app

import "testing"

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
	for live, want := range map[uint64]int{0: gcPercent, 20 << 20: gcPercent, 80 << 20: 100, 160 << 20: 50, 8 << 30: 30} {
		if got := growthPercent(live); got != want {
			t.Errorf("%d MB live: %d, want %d", live>>20, got, want)
		}
	}
}
