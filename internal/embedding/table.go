package embedding

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Table finds the tools of one index that come near a request. It is what package search calls Vectors. It answers once all tools
// have vectors, and false before.
type Table struct {
	service *Service
	tools   []*catalog.Tool // by document
	filled  atomic.Pointer[filled]
}

// filled is what a table compares with: for each tool where its vector is in the file and a sketch of it, the sign of each dimension.
// To count in how many signs two sketches differ is so cheap that it is done for all tools; what comes nearest by that is compared
// exactly.
type filled struct {
	rows     []int32 // by document; none where there is no vector
	sketches []uint64
	words    int       // of a sketch
	mean     []float32 // of all vectors: signs are those of the difference to it, or all texts of some models would look alike
	scratch  sync.Pool // of *nearScratch
}

const none int32 = -1

// maxText bounds what is sent of a tool, in bytes. Models look at some hundred words.
const maxText = 1000

// textOf is what is sent of a tool.
func textOf(t *catalog.Tool) string {
	text := t.Name
	if text == "" {
		text = strings.ToLower(strings.ReplaceAll(t.Slug, "_", " "))
	}
	if t.Toolkit != nil {
		text = t.Toolkit.Name + ": " + text
	}
	if t.Description != "" {
		text += ". " + t.Description
	}
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && text[end]&0xC0 == 0x80 { // not in the middle of a letter
		end--
	}
	return text[:end]
}

// fill makes the table ready to answer: keys are those of its tools, and those without a vector are passed over.
func (t *Table) fill(keys []key) {
	k := t.service.file
	dimensions := k.size()
	f := &filled{rows: make([]int32, len(keys)), words: (dimensions + 63) / 64, mean: make([]float32, dimensions)}
	f.sketches = make([]uint64, len(keys)*f.words)
	vector := make([]byte, dimensions)
	have := 0
	for d, of := range keys {
		row, ok := k.row(of)
		if !ok || !k.read(row, vector) {
			f.rows[d] = none
			continue
		}
		f.rows[d] = row
		have++
		scale := float32(1 / norm(vector))
		for i, n := range vector {
			f.mean[i] += float32(int8(n)) * scale
		}
	}
	if have*100 < len(keys)*99 { // a disk that is full, or an endpoint that takes nothing: the words know better
		return
	}
	for i := range f.mean {
		f.mean[i] /= float32(max(have, 1))
	}
	for d, row := range f.rows {
		if row == none || !k.read(row, vector) {
			continue
		}
		scale := float32(1 / norm(vector))
		sketch := f.sketches[d*f.words:][:f.words]
		for i, n := range vector {
			if float32(int8(n))*scale > f.mean[i] {
				sketch[i/64] |= 1 << (i % 64)
			}
		}
	}
	t.filled.Store(f)
}

func norm(vector []byte) float64 {
	var square int64
	for _, n := range vector {
		square += int64(int8(n)) * int64(int8(n))
	}
	return math.Sqrt(float64(max(square, 1)))
}

// Ready reports whether the table answers.
func (t *Table) Ready() bool { return t.filled.Load() != nil }
