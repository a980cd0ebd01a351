package app

import (
	"math"
	"os"
	"runtime/debug"
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

// heapLimit gives the heap's share of a container's limit; 0 when there is none ("max").
func heapLimit(memoryMax string) int64 {
	limit, err := strconv.ParseFloat(strings.TrimSpace(memoryMax), 64)
	if err != nil || limit <= 0 || math.IsInf(limit, 0) {
		return 0
	}
	return int64(limit * memoryShare)
}
