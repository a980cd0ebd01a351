package app

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

const (
	// gcPercent lets the heap grow to three times what is live before it is collected. Calls leave much garbage and little
	// that stays, so this halves the collector's share of a call; what is live is tens of megabytes.
	gcPercent = 200
	// memoryShare of a container's limit is for the Go heap; the rest is for stacks, SQLite's pages and the binary.
	memoryShare = 0.85
	// cgroupLimit is where Linux tells a container its limit (cgroup v2).
	cgroupLimit = "/sys/fs/cgroup/memory.max"
)

// TuneMemory sets the garbage collector for a server, unless the operator did by GOGC or GOMEMLIMIT.
func TuneMemory(lookup func(string) (string, bool)) {
	if _, set := lookup("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if _, set := lookup("GOMEMLIMIT"); set {
		return
	}
	if content, err := os.ReadFile(cgroupLimit); err == nil {
		if limit := heapLimit(string(content)); limit > 0 {
			debug.SetMemoryLimit(limit)
		}
	}
}

// heapGrowth is by how much a large heap may grow before it is collected.
const heapGrowth = 64 << 20

// fitMemory holds the growth of the heap down where much of it is live, as with a catalog of a hundred thousand tools: most of that
// is texts and numbers, which the collector does not look into. It leaves alone what the operator has set.
func fitMemory() {
	before := debug.SetGCPercent(gcPercent)
	if before != gcPercent {
		debug.SetGCPercent(before)
		return
	}
	runtime.GC()
	followHeap(gcPercent)
	debug.FreeOSMemory()
}

// followHeap fits the collector's percentage to what is live, now and after each collection: caches that fill make a heap larger
// than it was after the start.
func followHeap(percent int) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if next := growthPercent(live[0].Value.Uint64()); next < percent-2 || next > percent+2 {
		debug.SetGCPercent(next)
		percent = next
	}
	runtime.AddCleanup(new(collected), followHeap, percent)
}

// collected is garbage: its end says that there was a collection. It is not so small that the runtime puts others beside it.
type collected [32]byte

// growthPercent gives the collector's percentage for so many live bytes.
func growthPercent(live uint64) int {
	return max(30, min(gcPercent, int(heapGrowth*100/max(live, 1))))
}

// heapLimit gives the heap's share of a container's limit; 0 when there is none ("max").
func heapLimit(memoryMax string) int64 {
	limit, err := strconv.ParseFloat(strings.TrimSpace(memoryMax), 64)
	if err != nil || limit <= 0 || math.IsInf(limit, 0) {
		return 0
	}
	return int64(limit * memoryShare)
}
