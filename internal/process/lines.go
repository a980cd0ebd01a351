package process

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
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
		line, err := readLine(m.from, m.limit)
		if len(bytes.TrimSpace(line)) > 0 {
			if isMessage(line) {
				m.left = append(bytes.TrimSpace(line), '\n')
				break
			}
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
	line = bytes.TrimSpace(line)
	return len(line) > 0 && line[0] == '{' && json.Unmarshal(line, &said) == nil && said.Version == "2.0"
}

// readLine gives a line of at most limit bytes. Longer ones are an error if they look like a message, else what is beyond is
// dropped.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if room := limit - len(line); len(part) > room {
			if line = append(line, part[:room]...); line[0] == '{' {
				return nil, ErrTooLarge
			}
		} else {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
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
func (c *complaints) read(from io.Reader, each func(line []byte), shown func(line []byte) string) {
	r := bufio.NewReader(from)
	for {
		line, err := readLine(r, 4<<10)
		if errors.Is(err, ErrTooLarge) {
			continue // the rest of it comes as lines of its own
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			each(line)
			c.add(shown(line))
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
	text := string(bytes.TrimSpace(line))
	for _, v := range p.hide {
		if secret := v.Reveal(); len(secret) >= shortestSecret {
			text = strings.ReplaceAll(text, secret, "[redacted]")
		}
	}
	if len(text) > lineLength {
		text = text[:lineLength] + "…"
	}
	return strings.ToValidUTF8(text, "?")
}

const shortestSecret = 6 // shorter ones would be found in every word
