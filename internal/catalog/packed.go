package catalog

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sort"
)

// The packed form of a toolkit is one file, made of its definition and named for the definition's hash. It begins with what is
// always in memory (the toolkit, and of each tool slug, name, description and flags), then come the names of all arguments,
// which only the search index reads, and last the tools themselves in compressed blocks, one of which is read when a tool of it
// is run or described. Every part has its checksum; a file of another format is made anew.
//
//	magic, format, then length and checksum of head and names (packedHeader)
//	head   toolkit as JSON · scope lists · tools · directory of the blocks
//	names  argument names by tool, compressed
//	blocks each some tools of a definition as JSON, compressed
const (
	packedMagic  = "PBTK"
	packedFormat = 1
	packedHeader = 4 + 5*4
	// blockSize is how much JSON goes into one block: enough for the tools of an area to help compress each other, little
	// enough to be unpacked in a fraction of a millisecond.
	blockSize = 24 << 10
	// maxPart bounds the parts that are read whole, against files that were damaged or made by somebody else.
	maxPart = 256 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errPacked = errors.New("the packed form of a toolkit is damaged")

// packed is where the details of a toolkit's tools are kept outside memory.
type packed struct {
	path    string
	blocks  []packedBlock
	names   part
	details *recent[detailKey, *Detail]
	restore func() error // makes the file anew when it cannot be read; nil when that cannot be done
}

// packedBlock is where some tools are.
type packedBlock struct {
	part
	first int32 // number of its first tool
}

// part is a piece of the file.
type part struct {
	at, length int64
	sum        uint32
}

// detailKey is a tool: the file it is in, and its number there.
type detailKey struct {
	of     *packed
	number int32
}

// detail reads a tool. What cannot be read is said in the Err of what it gives.
func (p *packed) detail(t *Tool) *Detail {
	key := detailKey{p, t.number}
	if d, ok := p.details.get(key); ok {
		return d
	}
	d, size, err := p.read(t)
	if err != nil && p.restore != nil {
		if restoreErr := p.restore(); restoreErr != nil {
			err = errors.Join(err, restoreErr)
		} else {
			d, size, err = p.read(t)
		}
	}
	if err != nil {
		return &Detail{Err: fmt.Errorf("read tool %s: %w", t.Slug, err)}
	}
	p.details.put(key, d, size)
	return d
}

// read gives a tool and about how many bytes it takes in memory.
func (p *packed) read(t *Tool) (*Detail, int, error) {
	at := sort.Search(len(p.blocks), func(i int) bool { return p.blocks[i].first > t.number }) - 1
	if at < 0 {
		return nil, 0, errPacked
	}
	block, err := p.unpack(p.blocks[at].part)
	if err != nil {
		return nil, 0, err
	}
	r := &unpacker{text: block}
	for range t.number - p.blocks[at].first {
		r.string()
	}
	raw := r.string()
	if r.bad {
		return nil, 0, errPacked
	}
	var defined DefinedTool
	if err := json.Unmarshal([]byte(raw), &defined); err != nil {
		return nil, 0, err
	}
	defined.Slug = t.Slug
	d, err := defined.Detail(t.Toolkit)
	return d, 4*len(raw) + 1024, err
}

// unpack reads a compressed part.
func (p *packed) unpack(of part) (string, error) {
	file, err := os.Open(p.path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return unpackPart(file, of)
}

func unpackPart(file io.ReaderAt, of part) (string, error) {
	raw, err := readPart(file, of)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxPart))
	if err != nil {
		return "", errPacked
	}
	return string(text), nil
}

func readPart(file io.ReaderAt, of part) ([]byte, error) {
	if of.length < 0 || of.length > maxPart {
		return nil, errPacked
	}
	raw := make([]byte, of.length)
	if n, err := file.ReadAt(raw, of.at); int64(n) < of.length {
		return nil, errors.Join(errPacked, err)
	}
	if crc32.Checksum(raw, castagnoli) != of.sum {
		return nil, errPacked
	}
	return raw, nil
}

// argumentNames gives the names of the arguments of every tool, by number.
func (p *packed) argumentNames() ([][]string, error) {
	text, err := p.unpack(p.names)
	if err != nil {
		return nil, err
	}
	r := &unpacker{text: text}
	names := make([][]string, r.count())
	for i := range names {
		names[i] = r.strings()
	}
	if r.bad {
		return nil, errPacked
	}
	return names, nil
}

// openPacked reads the part of a packed toolkit that is always in memory.
func openPacked(path string, details *recent[detailKey, *Detail]) (*Toolkit, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head, names, err := readHeader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	raw, err := readPart(file, head)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p := &packed{path: path, names: names, details: details}
	r := &unpacker{text: string(raw)} // one string, of which all texts are parts
	tk := r.toolkit(p)
	for range r.count() {
		block := packedBlock{first: int32(r.number()), part: part{at: int64(r.number()), length: int64(r.number()), sum: uint32(r.number())}}
		block.at += names.at + names.length
		p.blocks = append(p.blocks, block)
	}
	if r.bad {
		return nil, fmt.Errorf("%s: %w", path, errPacked)
	}
	return tk, nil
}

func readHeader(file io.ReaderAt) (head, names part, err error) {
	var header [packedHeader]byte
	if n, err := file.ReadAt(header[:], 0); n < packedHeader {
		return head, names, errors.Join(errPacked, err)
	}
	number := func(i int) uint32 { return binary.LittleEndian.Uint32(header[4+4*i:]) }
	if string(header[:4]) != packedMagic || number(0) != packedFormat {
		return head, names, errPacked
	}
	head = part{packedHeader, int64(number(1)), number(2)}
	names = part{packedHeader + head.length, int64(number(3)), number(4)}
	return head, names, nil
}
