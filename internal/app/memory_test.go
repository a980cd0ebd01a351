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
