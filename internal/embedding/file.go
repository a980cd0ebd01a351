package embedding

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// Vectors are kept in a file that only grows: behind a short head, a record for each text with the text's hash, a signed byte for
// each dimension, and a checksum. A record that a crash cut short is cut off, one that is damaged is passed over; both are made anew.

const (
	fileMark   = "PBVEC1\n"
	headSize   = len(fileMark) + 4
	maxRecords = 1 << 24
)

// key is the hash of a text.
type key [16]byte

func keyOf(text string) key {
	sum := sha256.Sum256([]byte(text))
	return key(sum[:16])
}

// file keeps vectors. Records are never moved, so that whoever knows a row can read it at any time.
type file struct {
	path string

	mu         sync.RWMutex
	f          *os.File
	dimensions int // 0: not known yet, and no file
	rows       map[key]int32
	records    int32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openFile opens the file if it is there. Of a file whose dimensions are not the wanted ones nothing is used.
func openFile(path string, wanted int) (*file, error) {
	k := &file{path: path, rows: make(map[key]int32)}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	dimensions, err := readHead(f)
	if err != nil || wanted > 0 && dimensions != wanted {
		return k, errors.Join(f.Close(), os.Remove(path))
	}
	k.f, k.dimensions = f, dimensions
	if err := k.load(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return k, nil
}

func head(dimensions int) []byte {
	return binary.LittleEndian.AppendUint32([]byte(fileMark), uint32(dimensions))
}

func readHead(f *os.File) (dimensions int, err error) {
	start := make([]byte, headSize)
	if _, err := f.ReadAt(start, 0); err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(start[len(fileMark):])
	if string(start[:len(fileMark)]) != fileMark || n == 0 || n > mostDimensions {
		return 0, errors.New("not a file of vectors")
	}
	return int(n), nil
}

func (k *file) recordSize() int { return len(key{}) + k.dimensions + crc32.Size }

func (k *file) offset(row int32) int64 { return int64(headSize) + int64(row)*int64(k.recordSize()) }

// load reads which texts have a vector.
func (k *file) load() error {
	state, err := k.f.Stat()
	if err != nil {
		return err
	}
	size := int64(k.recordSize())
	whole := (state.Size() - int64(headSize)) / size
	if whole > maxRecords {
		return fmt.Errorf("%s has more vectors than can be", k.path)
	}
	if end := int64(headSize) + whole*size; end != state.Size() {
		if err := k.f.Truncate(end); err != nil {
			return err
		}
	}
	k.records = int32(whole)
	from := io.NewSectionReader(k.f, int64(headSize), whole*size)
	some := make([]byte, max(1, 1<<20/int(size))*int(size))
	for row := int32(0); row < k.records; {
		n, err := io.ReadFull(from, some)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		for record := some[:n]; len(record) >= int(size); record = record[size:] {
			if sound(record[:size]) {
				k.rows[key(record)] = row
			}
			row++
		}
	}
	return nil
}

func sound(record []byte) bool {
	end := len(record) - crc32.Size
	return crc32.Checksum(record[:end], castagnoli) == binary.LittleEndian.Uint32(record[end:])
}

// row finds the vector of a text.
func (k *file) row(of key) (int32, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	row, ok := k.rows[of]
	return row, ok
}

// size gives the dimensions of the vectors; 0 when there are none yet.
func (k *file) size() int {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.dimensions
}

// read reads a vector into bytes, which must have room for it, and reports whether it could.
func (k *file) read(row int32, into []byte) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.f == nil || len(into) != k.dimensions {
		return false
	}
	_, err := k.f.ReadAt(into, k.offset(row)+int64(len(key{})))
	return err == nil
}

// add keeps vectors of length 1 under the hashes of their texts.
func (k *file) add(keys []key, vectors [][]float32) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.f == nil {
		if err := k.create(len(vectors[0])); err != nil {
			return err
		}
	}
	records := make([]byte, 0, len(keys)*k.recordSize())
	for i, v := range vectors {
		if len(v) != k.dimensions {
			return fmt.Errorf("it gives vectors of %d dimensions, and gave some of %d before", len(v), k.dimensions)
		}
		start := len(records)
		records = append(records, keys[i][:]...)
		records = appendQuantised(records, v)
		records = binary.LittleEndian.AppendUint32(records, crc32.Checksum(records[start:], castagnoli))
	}
	if _, err := k.f.Write(records); err != nil {
		_ = k.f.Truncate(k.offset(k.records)) // if that fails as well, the next start cuts off what is not whole
		return err
	}
	if at, err := k.f.Seek(0, io.SeekCurrent); err != nil || at != k.offset(k.records+int32(len(keys))) {
		return errors.Join(err, k.load()) // somebody else writes to the file, too
	}
	for _, of := range keys {
		k.rows[of] = k.records
		k.records++
	}
	return nil
}

// len gives how many texts have a vector.
func (k *file) len() int {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return len(k.rows)
}

// spare is how many vectors may lie in the file that nobody wants at the moment: projects that are seldom used have tools of their own.
const spare = 20_000

// shrink writes the file anew with the wanted vectors and the newest ones of the others, if it has grown far beyond them. Rows change.
func (k *file) shrink(wanted map[key]bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if int(k.records) <= 2*len(wanted)+spare {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(k.path), ".new-*")
	if err != nil {
		return err
	}
	err = errors.Join(k.copyTo(f, wanted), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), k.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	smaller, err := os.OpenFile(k.path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	err = k.f.Close()
	k.f = smaller
	clear(k.rows)
	return errors.Join(err, k.load())
}

func (k *file) copyTo(f *os.File, wanted map[key]bool) error {
	to := bufio.NewWriter(f)
	_, err := to.Write(head(k.dimensions))
	record := make([]byte, k.recordSize())
	for row := int32(0); row < k.records && err == nil; row++ {
		if _, err = k.f.ReadAt(record, k.offset(row)); err != nil {
			break
		}
		of := key(record)
		if last, ok := k.rows[of]; ok && last == row && (wanted[of] || row >= k.records-spare) {
			_, err = to.Write(record)
		}
	}
	return errors.Join(err, to.Flush())
}

func (k *file) create(dimensions int) error {
	if err := os.MkdirAll(filepath.Dir(k.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(k.path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(head(dimensions)); err != nil {
		return errors.Join(err, f.Close(), os.Remove(k.path))
	}
	k.f, k.dimensions = f, dimensions
	return nil
}

func (k *file) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.f == nil {
		return nil
	}
	f := k.f
	k.f = nil
	return f.Close()
}

// appendQuantised writes a vector as signed bytes, of which the largest is 127. The length is lost and not needed: what is compared
// are directions.
func appendQuantised(to []byte, v []float32) []byte {
	var most float32
	for _, n := range v {
		most = max(most, n, -n)
	}
	for _, n := range v {
		to = append(to, byte(int8(math.Round(float64(n/most*127)))))
	}
	return to
}
