package process

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

// ErrTooLarge is what reading ends with when a message is larger than the host takes.
var ErrTooLarge = errors.New("process: a message is too large")

// messages reads lines and passes on those that are JSON-RPC: programs, and what they are started by, print greetings too.
type messages struct {
	from  *bufio.Reader
	limit int
	other func(line []byte) // is told of lines that are no messages
	left  []byte            // of the line that is being read
}

func newMessages(from io.Reader, limit int, other func(line []byte)) *messages {
	return &messages{from: bufio.NewReaderSize(from, 64<<10), limit: limit, other: other}
}

// Read gives the next message or the rest of it.
func (m *messages) Read(b []byte) (int, error) {
	for len(m.left) == 0 {
		line, whole, err := readLine(m.from, m.limit)
		switch {
		case len(line) == 0:
		case !whole && line[0] == '{': // it would have been one
			return 0, ErrTooLarge
		case isMessage(line):
			line = append(line, '\n')
			m.left = line
			continue
		default:
			m.other(line)
		}
		if err != nil {
			return 0, err
		}
	}
	n := copy(b, m.left)
	m.left = m.left[n:]
	return n, nil
}

// isMessage reports whether a line is an object that says it is JSON-RPC.
func isMessage(line []byte) bool {
	var said struct {
		Version string `json:"jsonrpc"`
	}
	return line[0] == '{' && json.Unmarshal(line, &said) == nil && said.Version == "2.0"
}

// readLine reads a line to its end. It gives the first limit bytes of it without the blanks around, and whether that is the whole.
func readLine(r *bufio.Reader, limit int) (line []byte, whole bool, err error) {
	whole = true
	for {
		part, err := r.ReadSlice('\n')
		room := min(limit-len(line), len(part))
		line, whole = append(line, part[:room]...), whole && room == len(part)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(line), whole, err
		}
	}
}

// Limits of what is kept of standard error.
const (
	keptLines  = 10
	lineLength = 300
)

// complaints keeps the last lines of a program's standard error.
type complaints struct {
	mu    sync.Mutex
	lines []string
}

// read reads to the end, whoever listens: a program must not hang because nobody reads what it says.
func (c *complaints) read(from io.Reader, each func(line string), shown func(line []byte) string) {
	r := bufio.NewReader(from)
	for {
		line, _, err := readLine(r, 4<<10)
		if len(line) > 0 {
			text := shown(line)
			each(text)
			c.add(text)
		}
		if err != nil {
			return
		}
	}
}

func (c *complaints) add(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lines = append(c.lines, line); len(c.lines) > keptLines {
		c.lines = c.lines[1:]
	}
}

func (c *complaints) last() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lines...)
}

// shown is a line for the log: short, and without the secrets that the program was given.
func (p *Process) shown(line []byte) string {
	text := p.hide.Replace(string(line))
	if len(text) > lineLength {
		text = text[:lineLength] + "…"
	}
	return strings.ToValidUTF8(text, "?")
}

const shortestSecret = 6 // shorter ones would be found in every word

// hiding takes secrets out of lines, also those that have several lines. Of two of which one begins with the other the longer goes first.
func hiding(secrets []secret.Value) *strings.Replacer {
	var parts []string
	for _, v := range secrets {
		for line := range strings.SplitSeq(v.Reveal(), "\n") {
			if line = strings.TrimSpace(line); len(line) >= shortestSecret {
				parts = append(parts, line)
			}
		}
	}
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(parts))
	for _, part := range parts {
		pairs = append(pairs, part, "[redacted]")
	}
	return strings.NewReplacer(pairs...)
}
