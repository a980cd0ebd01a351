package search

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// To index a hundred thousand tools takes seconds; to read what came of it takes tenths. A saved index is a file named for the
// snapshot and for the program that made it. What follows from the snapshot alone (toolkits, tools, their numbers) is not in it.

const (
	// savedFrom is how many tools make an index worth saving.
	savedFrom = 2000
	savedMark = "PBIX2\n"
	savedEnd  = ".index"
	// maxSlice bounds what is allocated for a slice of a file that was damaged.
	maxSlice = 1 << 28
)

var errSaved = errors.New("the saved index is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// files keeps saved indexes in a directory.
type files struct {
	directory, program string
	log                *slog.Logger
}

func (f *files) path(s *catalog.Snapshot) string {
	sum := sha256.Sum256([]byte(f.program + "\n" + s.ID))
	return filepath.Join(f.directory, hex.EncodeToString(sum[:12])+savedEnd)
}

// load gives the saved index of a snapshot; nil when there is none that can be used.
func (f *files) load(s *catalog.Snapshot) *Index {
	file, err := os.Open(f.path(s))
	if err != nil {
		return nil
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil {
		return nil
	}
	x, err := loadIndex(file, state.Size(), s)
	if err != nil {
		f.log.Warn("a saved search index is made anew", "reason", err)
		return nil
	}
	return x
}

// save keeps an index for the next start, in place of those before it. That it cannot is no reason not to search.
func (f *files) save(s *catalog.Snapshot, x *Index) {
	if len(x.tools) < savedFrom {
		return
	}
	if err := f.write(f.path(s), x); err != nil {
		f.log.Warn("the search index could not be saved; the next start makes it anew", "error", err)
	}
}

func (f *files) write(path string, x *Index) error {
	if err := os.MkdirAll(f.directory, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(f.directory, ".new-*")
	if err != nil {
		return err
	}
	err = errors.Join(saveIndex(file, x), file.Close())
	if err == nil {
		f.removeOthers()
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // what matters is that the write failed
	}
	return err
}

func (f *files) removeOthers() {
	entries, err := os.ReadDir(f.directory)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), savedEnd) {
			_ = os.Remove(filepath.Join(f.directory, e.Name())) // one that stays costs room, no more
		}
	}
}

// saved lists everything of an index that is saved. A field that is forgotten here fails the test that compares a loaded index
// with the one that was saved.
func (x *Index) saved(c *coder) {
	c.bytes(&x.verb)
	c.floats(&x.nameMass)
	coded(c, &x.verbSets, 8, func(b []byte, v verbSet) { binary.LittleEndian.PutUint64(b, uint64(v)) },
		func(b []byte) verbSet { return verbSet(binary.LittleEndian.Uint64(b)) })
	c.words(&x.terms)
	c.numbers(&x.lists.first)
	c.numbers(&x.lists.docs)
	c.floats(&x.lists.impact)
	average := x.average[:]
	c.floats(&average)
	copy(x.average[:], average)
	c.numbers(&x.grams.first)
	c.numbers(&x.grams.docs)
	c.floats(&x.grams.norm)
	c.floats(&x.grams.rare)
	c.bytes(&x.meanings)
	c.texts(&x.spelling.words)
	c.numbers(&x.spelling.first)
	c.numbers(&x.spelling.at)
	common := slices.Sorted(maps.Keys(x.routes.common))
	c.texts(&common)
	x.routes.common = make(map[string]bool, len(common))
	for _, name := range common {
		x.routes.common[name] = true
	}
}

func saveIndex(to io.Writer, x *Index) error {
	sum := crc32.New(castagnoli)
	buffered := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<20)
	c := &coder{to: buffered}
	c.write([]byte(savedMark))
	x.saved(c)
	if err := errors.Join(c.err, buffered.Flush()); err != nil {
		return err
	}
	_, err := to.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	return err
}

// loadIndex reads what saveIndex wrote, of a size in bytes, and adds what the snapshot says. It reads as it goes: a second copy of
// the whole would be most of a server's memory.
func loadIndex(file io.Reader, size int64, s *catalog.Snapshot) (*Index, error) {
	sum := crc32.New(castagnoli)
	c := &coder{from: bufio.NewReaderSize(io.TeeReader(io.LimitReader(file, size-4), sum), 1<<18), left: size - 4}
	if mark := c.take(len(savedMark)); string(mark) != savedMark {
		return nil, errSaved
	}
	x := indexed(s.Toolkits(), true, nil)
	x.saved(c)
	if c.err != nil || c.left != 0 {
		return nil, errors.Join(errSaved, c.err)
	}
	var end [4]byte
	if _, err := io.ReadFull(file, end[:]); err != nil || binary.LittleEndian.Uint32(end[:]) != sum.Sum32() {
		return nil, errSaved
	}
	if len(x.verb) != len(x.tools) || len(x.nameMass) != len(x.tools) || len(x.meanings) != len(x.tools)*meaningSize || len(x.grams.norm) != len(x.tools) || len(x.lists.first) != len(x.terms)+1 {
		return nil, errSaved
	}
	return x, nil
}

// coder writes slices, or reads them: the one list of fields serves both.
type coder struct {
	to   io.Writer // nil: reads
	from io.Reader
	left int64 // bytes that can still be read
	err  error
}

func (c *coder) write(b []byte) {
	if c.err == nil {
		_, c.err = c.to.Write(b)
	}
}

// take gives the next n bytes of what is read.
func (c *coder) take(n int) []byte {
	if c.err != nil || !c.there(n) {
		return nil
	}
	b := make([]byte, n)
	c.fill(b)
	return b
}

// there reports whether so many bytes can still be read: nothing is allocated for a length that cannot be.
func (c *coder) there(n int) bool {
	if n < 0 || int64(n) > c.left {
		c.err = errSaved
	}
	return c.err == nil
}

func (c *coder) fill(b []byte) {
	c.left -= int64(len(b))
	if _, err := io.ReadFull(c.from, b); err != nil && c.err == nil {
		c.err = errSaved
	}
}

// length writes or reads the length of a slice.
func (c *coder) length(n int) int {
	if c.to != nil {
		c.write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		return n
	}
	b := c.take(4)
	if c.err != nil {
		return 0
	}
	if n = int(binary.LittleEndian.Uint32(b)); n > maxSlice {
		c.err = errSaved
		return 0
	}
	return n
}

// coded writes or reads a slice of values of a fixed size.
func coded[T any](c *coder, slice *[]T, size int, put func([]byte, T), get func([]byte) T) {
	n := c.length(len(*slice))
	var chunk [1 << 15]byte
	per := len(chunk) / size
	if c.to == nil {
		if !c.there(n * size) {
			n = 0
		}
		*slice = make([]T, n)
	}
	for at := 0; at < n; at += per {
		part := (*slice)[at:min(at+per, n)]
		raw := chunk[:len(part)*size]
		if c.to == nil {
			c.fill(raw)
			for i := range part {
				part[i] = get(raw[i*size:])
			}
			continue
		}
		for i, v := range part {
			put(raw[i*size:], v)
		}
		c.write(raw)
	}
}

func (c *coder) bytes(slice *[]uint8) {
	coded(c, slice, 1, func(b []byte, v uint8) { b[0] = v }, func(b []byte) uint8 { return b[0] })
}

func (c *coder) numbers(slice *[]uint32) {
	coded(c, slice, 4, binary.LittleEndian.PutUint32, binary.LittleEndian.Uint32)
}

func (c *coder) floats(slice *[]float32) {
	coded(c, slice, 4, func(b []byte, v float32) { binary.LittleEndian.PutUint32(b, math.Float32bits(v)) },
		func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) })
}

// texts writes or reads texts, one string of which all that are read are parts.
func (c *coder) texts(list *[]string) {
	ends := make([]uint32, len(*list))
	end := 0
	for i, s := range *list {
		end += len(s)
		ends[i] = uint32(end)
	}
	c.numbers(&ends)
	n := c.length(end)
	if c.to != nil {
		for _, s := range *list {
			c.write([]byte(s))
		}
		return
	}
	all := string(c.take(n))
	*list = make([]string, len(ends))
	from := uint32(0)
	for i, end := range ends {
		if end < from || int(end) > len(all) {
			c.err = errSaved
			return
		}
		(*list)[i] = all[from:end]
		from = end
	}
}

// words writes or reads the words of a table by their numbers.
func (c *coder) words(table *map[string]uint32) {
	list := make([]string, len(*table))
	for w, number := range *table {
		list[number] = w
	}
	c.texts(&list)
	if c.to == nil {
		*table = make(map[string]uint32, len(list))
		for number, w := range list {
			(*table)[w] = uint32(number)
		}
	}
}
