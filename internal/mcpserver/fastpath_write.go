package mcpserver

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// writeList writes a page of tools that is rendered already: the cost is that of writing it.
func (h *Handler) writeList(w http.ResponseWriter, r *http.Request, m message, page []byte) {
	head := outputs.Get().(*output)
	defer head.keep()
	b := appendHead(head.bytes[:0], m.id)
	b = h.appendResultMeta(b, r)
	head.bytes = b
	header := w.Header()
	setJSON(header)
	header.Set("Content-Length", strconv.Itoa(len(b)+len(page)+2))
	w.Write(b)
	w.Write(page)
	w.Write([]byte("}}"))
}

// writeCall writes what a call came to.
func (h *Handler) writeCall(w http.ResponseWriter, r *http.Request, m message, a answer, err error) {
	if err != nil {
		if !fault.Is(err, fault.Canceled) && !errors.Is(err, context.Canceled) {
			writeError(w, r, m, asProtocolError(err))
		}
		return
	}
	out := outputs.Get().(*output)
	defer out.keep()
	b := out.bytes[:0]
	switch {
	case len(a.asks) > 0 && a.state == "":
		b = h.appendStream(b, r, m, a)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-cache, no-transform")
	case len(a.asks) > 0:
		b = h.appendInputRequired(b, r, m, a)
		setJSON(w.Header())
	default:
		b = h.appendAnswer(b, r, m, a)
		setJSON(w.Header())
	}
	out.bytes = b
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b) // a client that is gone needs no answer
}

func setJSON(header http.Header) {
	header["Content-Type"] = jsonType
	header["Cache-Control"] = noCache
}

// Values shared by all answers; net/http only reads them.
var (
	jsonType = []string{"application/json"}
	noCache  = []string{"no-cache, no-transform"}
)

func appendHead(b, id []byte) []byte {
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = append(b, id...)
	return append(b, `,"result":{`...)
}

// appendResultMeta appends the members that every result of the stateless era has.
func (h *Handler) appendResultMeta(b []byte, r *http.Request) []byte {
	if r.Header.Get("Mcp-Protocol-Version") != stateless {
		return b
	}
	b = h.appendServerInfo(b)
	return append(b, `"resultType":"complete",`...)
}

func (h *Handler) appendServerInfo(b []byte) []byte {
	b = append(b, `"_meta":{"`+mcp.MetaKeyServerInfo+`":`...)
	b = append(b, h.serverRaw...)
	return append(b, `},`...)
}

func (h *Handler) appendAnswer(b []byte, r *http.Request, m message, a answer) []byte {
	b = appendHead(b, m.id)
	b = h.appendResultMeta(b, r)
	b = append(b, `"content":[`...)
	start := len(b)
	if a.content != nil {
		blocks := bytes.TrimSpace(a.content)
		b = append(b, blocks[1:len(blocks)-1]...)
	} else {
		b = appendText(b, a.body)
	}
	if a.note != "" {
		if len(b) > start {
			b = append(b, ',')
		}
		b = appendText(b, a.note)
	}
	b = append(b, ']')
	if a.content == nil {
		b = append(b, `,"structuredContent":`...)
		b = append(b, a.body...)
	}
	if a.failed {
		b = append(b, `,"isError":true`...)
	}
	return append(b, `}}`...)
}

func appendText[T string | []byte](b []byte, text T) []byte {
	b = append(b, `{"type":"text","text":`...)
	b = appendString(b, text)
	return append(b, '}')
}

// appendInputRequired asks the way of the stateless era.
func (h *Handler) appendInputRequired(b []byte, r *http.Request, m message, a answer) []byte {
	b = appendHead(b, m.id)
	b = h.appendServerInfo(b)
	b = append(b, `"resultType":"input_required","content":[],"requestState":`...)
	b = appendString(b, a.state)
	b = append(b, `,"inputRequests":{`...)
	for i, q := range a.asks {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, q.id)
		b = append(b, `:{"method":"elicitation/create","params":`...)
		b = appendAsk(b, q)
		b = append(b, '}')
	}
	return append(b, `}}}`...)
}

// appendStream asks the way of the older era: by requests in the stream of the answer, which follows at once.
func (h *Handler) appendStream(b []byte, r *http.Request, m message, a answer) []byte {
	for i, q := range a.asks {
		b = append(b, "event: message\ndata: "+`{"jsonrpc":"2.0","id":"ask-`...)
		b = strconv.AppendInt(b, int64(i+1), 10)
		b = append(b, `","method":"elicitation/create","params":`...)
		b = appendAsk(b, q)
		b = append(b, "}\n\n"...)
	}
	b = append(b, "event: message\ndata: "...)
	b = h.appendAnswer(b, r, m, a)
	return append(b, "\n\n"...)
}

func appendAsk(b []byte, q ask) []byte {
	b = append(b, `{"mode":"url","message":`...)
	b = appendString(b, q.message)
	b = append(b, `,"url":`...)
	b = appendString(b, q.url)
	b = append(b, `,"elicitationId":`...)
	b = appendString(b, q.id)
	return append(b, '}')
}

// writeError writes a JSON-RPC error. In the stateless era the HTTP status tells the sort of error too.
func writeError(w http.ResponseWriter, r *http.Request, m message, e *jsonrpc.Error) {
	setJSON(w.Header())
	if e.Code == jsonrpc.CodeInvalidParams && r.Header.Get("Mcp-Protocol-Version") == stateless {
		w.WriteHeader(http.StatusBadRequest)
	}
	w.Write(encodeError(m.id, e))
}

// output is room for an answer; large ones are not kept.
type output struct{ bytes []byte }

var outputs = sync.Pool{New: func() any { return new(output) }}

func (o *output) keep() {
	if cap(o.bytes) <= largestKept {
		outputs.Put(o)
	}
}
