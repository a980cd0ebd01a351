package mcpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The short way. Nearly all traffic is tools/call and tools/list, and the SDK spends on each several times what the call
// itself costs: a connection is set up and torn down per request, every message is decoded up to a dozen times, each time
// through a fresh buffer of 32 KiB. Here such a request is read once and answered with prepared bytes.
//
// It serves only what the SDK is certain to accept, and only what is written plainly. Whatever is unusual, unknown or wrong
// (another method, a batch, an escaped key, a header that contradicts the body, a missing field) goes to the SDK with the body
// put back, so that the SDK words every refusal. TestBothWays sends the same requests both ways and compares.

// stateless is the first revision without a handshake.
const stateless = "2026-07-28"

// The revisions with a handshake; no header means 2025-03-26 or an initialize.
var handshakeRevisions = map[string]bool{"": true, "2025-11-25": true, "2025-06-18": true, "2025-03-26": true, "2024-11-05": true}

// message is a JSON-RPC request that the short way understands.
type message struct {
	id     []byte // as written
	method string
	params []byte
	call   toolCall // of tools/call
	cursor string   // of tools/list
}

// serveFast answers a request if it can. If it cannot, the request is as it was.
func (h *Handler) serveFast(w http.ResponseWriter, r *http.Request, v *visit) bool {
	if r.Method != http.MethodPost || !plainHeaders(r.Header) {
		return false
	}
	buf := bodies.Get().(*bytes.Buffer)
	defer keepBody(buf)
	buf.Reset()
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, h.maxBody))
	m, ok := message{}, false
	if err == nil {
		m, ok = h.read(buf.Bytes(), r.Header)
	}
	if !ok {
		putBack(r, buf.Bytes(), err)
		if m.method == "initialize" && h.declaresURLs(m.params) {
			rememberCanOpenURLs(w.Header())
		}
		return false
	}
	if m.method == "tools/list" {
		page, ok := h.lists.page(v.view, m.cursor)
		if !ok {
			putBack(r, buf.Bytes(), nil)
			return false
		}
		h.writeList(w, r, m, page)
		return true
	}
	a, err := h.call(r.Context(), v, m.call)
	h.writeCall(w, r, m, a, err)
	return true
}

// plainHeaders reports whether the headers are such that the SDK goes on to the body.
func plainHeaders(header http.Header) bool {
	if len(header["Last-Event-Id"]) > 0 || !isJSON(header.Get("Content-Type")) || !acceptsBoth(header["Accept"]) {
		return false
	}
	version := header.Get("Mcp-Protocol-Version")
	return version == stateless || handshakeRevisions[version]
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}

// acceptsBoth reports whether the client takes JSON and event streams, as the protocol demands of it.
func acceptsBoth(values []string) bool {
	if len(values) == 1 && values[0] == "application/json, text/event-stream" {
		return true
	}
	jsonOK, streamOK := false, false
	for _, value := range values {
		for accepted := range strings.SplitSeq(value, ",") {
			base, _, _ := strings.Cut(accepted, ";")
			switch strings.ToLower(strings.TrimSpace(base)) {
			case "application/json", "application/*":
				jsonOK = true
			case "text/event-stream", "text/*":
				streamOK = true
			case "*/*":
				jsonOK, streamOK = true, true
			}
		}
	}
	return jsonOK && streamOK
}

// read understands a body, or reports that the SDK should. For initialize, method and params are set in any case.
func (h *Handler) read(body []byte, header http.Header) (m message, ok bool) {
	if !json.Valid(body) {
		return m, false
	}
	version := ""
	ok = members(body, func(key, value []byte) bool {
		switch string(key) {
		case "jsonrpc":
			return setOnce(&version, value)
		case "method":
			return setOnce(&m.method, value)
		case "id":
			first := m.id == nil
			m.id = value
			return first && plainID(value)
		case "params":
			first := m.params == nil
			m.params = value
			return first
		}
		return false
	})
	if !ok || version != "2.0" || m.id == nil {
		return m, false
	}
	switch m.method {
	case "tools/call":
		return m, h.readCall(&m, header)
	case "tools/list":
		return m, h.readList(&m, header)
	}
	return m, false
}

// setOnce sets a text that may be given only once.
func setOnce(text *string, raw []byte) bool {
	if *text != "" {
		return false
	}
	var ok bool
	*text, ok = plainString(raw)
	return ok
}

// plainID reports whether an id is the same after the SDK has read and written it.
func plainID(raw []byte) bool {
	if raw[0] == '"' {
		_, ok := plainString(raw)
		return ok
	}
	digits := bytes.TrimPrefix(raw, []byte("-"))
	if len(digits) == 0 || len(digits) > 15 || digits[0] == '0' && len(raw) > 1 {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func (h *Handler) readCall(m *message, header http.Header) bool {
	var meta []byte
	var replied bool
	c := &m.call
	ok := members(m.params, func(key, value []byte) bool {
		switch string(key) {
		case "name":
			return setOnce(&c.name, value)
		case "arguments":
			first := c.arguments == nil
			c.arguments = value
			return first
		case "_meta":
			first := meta == nil
			meta = value
			return first
		case "requestState":
			return setOnce(&c.state, value)
		case "inputResponses":
			first := !replied
			replied = true
			return first && readReplies(c, value)
		}
		return false
	})
	if !ok || c.name == "" {
		return false
	}
	declared, ok := h.readMeta(meta, header, m.method, &c.idempotencyKey)
	if !ok {
		return false
	}
	switch {
	case declared != nil:
		if header.Get("Mcp-Name") != c.name {
			return false
		}
		if declared.opensURLs {
			c.elicits = elicitsByState
		}
	case canOpenURLs(header):
		c.elicits = elicitsInStream
	}
	return true
}

func (h *Handler) readList(m *message, header http.Header) bool {
	var meta []byte
	if m.params != nil && !members(m.params, func(key, value []byte) bool {
		switch string(key) {
		case "_meta":
			first := meta == nil
			meta = value
			return first
		case "cursor":
			return setOnce(&m.cursor, value)
		}
		return false
	}) {
		return false
	}
	var unused string
	_, ok := h.readMeta(meta, header, m.method, &unused)
	return ok
}

// readReplies reads the reactions of a person. Anything but plain ones goes the SDK's way.
func readReplies(c *toolCall, raw []byte) bool {
	c.replies = make(map[string]string)
	return members(raw, func(id, reply []byte) bool {
		action := ""
		ok := members(reply, func(key, value []byte) bool {
			return string(key) == "action" && setOnce(&action, value)
		})
		c.replies[string(id)] = action
		return ok && action != ""
	}) && len(c.replies) > 0
}

// readMeta checks _meta against the headers. It gives what a client of the stateless era declares, and nil for one of
// the older era.
func (h *Handler) readMeta(meta []byte, header http.Header, method string, idempotencyKey *string) (*declared, bool) {
	var version, key string
	var info, capabilities []byte
	if meta != nil && !members(meta, func(name, value []byte) bool {
		switch string(name) {
		case mcp.MetaKeyProtocolVersion:
			return setOnce(&version, value)
		case mcp.MetaKeyClientInfo:
			first := info == nil
			info = value
			return first
		case mcp.MetaKeyClientCapabilities:
			first := capabilities == nil
			capabilities = value
			return first
		case metaIdempotencyKey:
			return setOnce(idempotencyKey, value)
		case metaIdempotencyKeyPlain:
			return setOnce(&key, value)
		}
		return true
	}) {
		return nil, false
	}
	if *idempotencyKey == "" {
		*idempotencyKey = key
	}
	if header.Get("Mcp-Protocol-Version") != stateless {
		return nil, version == "" // a version in _meta belongs to the stateless era: the headers contradict
	}
	if version != stateless || capabilities == nil || header.Get("Mcp-Method") != method {
		return nil, false
	}
	d := h.clients.declared(info, capabilities)
	return d, d != nil
}

// declaresURLs reports whether the params of an initialize say that the client can have links opened.
func (h *Handler) declaresURLs(params []byte) bool {
	var capabilities []byte
	members(params, func(key, value []byte) bool {
		if string(key) == "capabilities" {
			capabilities = value
		}
		return true
	})
	if capabilities == nil {
		return false
	}
	d := h.clients.declared(nil, capabilities)
	return d != nil && d.opensURLs
}

// declared is what a client says of itself with each request of the stateless era.
type declared struct{ opensURLs bool }

// clientCache remembers declarations by their text: a client sends the same with every request. The zero value is ready.
type clientCache struct {
	mu    sync.RWMutex
	known map[string]*declared
}

// Bounds of what is remembered: declarations, and the bytes of one. What is longer than any client says is read anew each time.
const (
	clientsKept     = 1000
	longestDeclared = 4 << 10
)

// declared reads what a client says of itself; nil when the SDK would not accept it.
func (c *clientCache) declared(info, capabilities []byte) *declared {
	if len(info)+len(capabilities) > longestDeclared {
		return readDeclared(info, capabilities)
	}
	text := make([]byte, 0, 512)
	text = append(append(append(text, info...), '\n'), capabilities...)
	c.mu.RLock()
	d, ok := c.known[string(text)]
	c.mu.RUnlock()
	if ok {
		return d
	}
	d = readDeclared(info, capabilities)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= clientsKept {
		c.known = make(map[string]*declared)
	}
	c.known[string(text)] = d
	return d
}

func readDeclared(info, capabilities []byte) *declared {
	var client *mcp.Implementation
	if info != nil && (json.Unmarshal(info, &client) != nil || client == nil) {
		return nil
	}
	var can *mcp.ClientCapabilities
	if json.Unmarshal(capabilities, &can) != nil || can == nil {
		return nil
	}
	return &declared{opensURLs: opensURLs(can)}
}

// bodies are buffers for request bodies; large ones are not kept.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const largestKept = 64 << 10

func keepBody(buf *bytes.Buffer) {
	if buf.Cap() <= largestKept {
		bodies.Put(buf)
	}
}

// putBack makes a request's body readable again, up to the error that reading it met.
func putBack(r *http.Request, body []byte, err error) {
	again := io.Reader(bytes.NewReader(bytes.Clone(body))) // the buffer is used for other requests meanwhile
	if err != nil {
		again = io.MultiReader(again, failing{err})
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{again, r.Body}
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, errors.New("nothing to read")
	}
	return 0, f.err
}
