package embedding

import "math/bits"

// nearScratch is what one comparison counts in.
type nearScratch struct {
	apart  []uint16 // by document: in how many signs its sketch differs
	starts []uint32 // by number of signs: where in order its documents begin
	order  []uint32 // documents, the most alike first
	sketch []uint64
	vector []byte
}

// Nearest tells found of the tools whose texts come near a request, by their documents: see search.Vectors.
func (t *Table) Nearest(request []float32, most int, wanted func(doc int) bool, found func(doc int, nearness float32)) bool {
	f, scale := t.filled.Load(), t.service.scale.Load()
	if f == nil || scale == nil || len(request) != len(f.mean) {
		return false
	}
	s := f.borrow()
	defer f.scratch.Put(s)
	f.sort(request, s)
	for _, d := range s.order {
		if most == 0 {
			break
		}
		row := f.rows[d]
		if row == none || !wanted(int(d)) {
			continue
		}
		most--
		if !t.service.file.read(row, s.vector) {
			return false // the file has been closed: the server stops
		}
		if near := scale.nearness(cosineOf(request, s.vector)); near > 0 {
			found(int(d), near)
		}
	}
	return true
}

func (f *filled) borrow() *nearScratch {
	if s, ok := f.scratch.Get().(*nearScratch); ok {
		return s
	}
	dimensions := len(f.mean)
	return &nearScratch{
		apart: make([]uint16, len(f.rows)), starts: make([]uint32, 64*f.words+2), order: make([]uint32, len(f.rows)),
		sketch: make([]uint64, f.words), vector: make([]byte, dimensions),
	}
}

// sort puts all documents in the order of how much their sketches differ from the request's.
func (f *filled) sort(request []float32, s *nearScratch) {
	clear(s.sketch)
	for i, n := range request {
		if n > f.mean[i] {
			s.sketch[i/64] |= 1 << (i % 64)
		}
	}
	clear(s.starts)
	for d := range s.apart {
		differ := 0
		for i, w := range f.sketches[d*f.words:][:f.words] {
			differ += bits.OnesCount64(w ^ s.sketch[i])
		}
		s.apart[d] = uint16(differ)
		s.starts[differ+1]++
	}
	for i := 1; i < len(s.starts); i++ {
		s.starts[i] += s.starts[i-1]
	}
	for d, differ := range s.apart {
		s.order[s.starts[differ]] = uint32(d)
		s.starts[differ]++
	}
}

// cosineOf compares a request's vector, of length 1, with a stored one.
func cosineOf(request []float32, vector []byte) float32 {
	var a, b float32
	i := 0
	for ; i+1 < len(vector); i += 2 {
		a += request[i] * float32(int8(vector[i]))
		b += request[i+1] * float32(int8(vector[i+1]))
	}
	if i < len(vector) {
		a += request[i] * float32(int8(vector[i]))
	}
	return (a + b) / float32(norm(vector))
}
