package execute

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// answer is what a provider answered, read whole. It is decoded at most once, and only if somebody asks.
type answer struct {
	status int
	header http.Header
	body   []byte
	format catalog.AnswerFormat // as declared; empty: by what the answer is
	failed *failure             // errors that came along with data (GraphQL)

	decoded any
	done    bool // decode ran
	html    bool // a web page where an API should be
	bad     bool // it says it is JSON and is not
}

// decode gives the body as expressions see it: a JSON value, a text or bytes; nil when there is none or it is unreadable.
func (a *answer) decode() any {
	if a.done {
		return a.decoded
	}
	a.done = true
	switch {
	case a.empty():
	case a.format == catalog.AnswerText:
		a.decoded = string(a.body)
	case a.format == catalog.AnswerBinary:
		a.decoded = a.body
	default:
		a.decodeByKind()
	}
	return a.decoded
}

func (a *answer) decodeByKind() {
	kind := a.kind()
	if a.format == catalog.AnswerJSON && kind != isHTML {
		kind = isJSON
	}
	switch kind {
	case isJSON:
		v, err := mapping.DecodeJSON(a.body)
		a.decoded, a.bad = v, err != nil
	case isHTML:
		a.html = true
	case isText:
		a.decoded = string(a.body)
	default:
		a.decoded = a.body
	}
}

// readable reports whether the body is what it should be.
func (a *answer) readable() bool {
	a.decode()
	return !a.bad && !a.html
}

func (a *answer) empty() bool { return len(bytes.TrimSpace(a.body)) == 0 }

// env is what expressions over the answer see: all that the request was built from, and the answer.
func (a *answer) env(base *mapping.Env) mapping.Env {
	env := *base
	env.Body, env.Status = a.decode(), a.status
	env.Header = make(map[string]string, len(a.header))
	for name, values := range a.header {
		if len(values) > 0 {
			env.Header[strings.ToLower(name)] = values[0]
		}
	}
	return env
}

type bodyKind uint8

const (
	isBinary bodyKind = iota
	isJSON
	isHTML
	isText
)

// kind tells what a body is. Many services send JSON under another name, so an unlikely name makes us look.
func (a *answer) kind() bodyKind {
	media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch {
	case media == "application/json", strings.HasSuffix(media, "+json"):
		return isJSON
	case vague[media] && looksLikeJSON(a.body):
		return isJSON
	case media == "text/html", media == "application/xhtml+xml":
		return isHTML
	case strings.HasPrefix(media, "text/"), media == "application/xml", strings.HasSuffix(media, "+xml"):
		return isText
	case media == "" && utf8.Valid(a.body):
		return isText
	default:
		return isBinary
	}
}

// vague are the names that say little about a body.
var vague = map[string]bool{
	"": true, "text/plain": true, "text/html": true, "text/javascript": true, "application/javascript": true, "application/octet-stream": true,
}

func looksLikeJSON(body []byte) bool {
	start := bytes.TrimSpace(body)
	return len(start) > 0 && (start[0] == '{' || start[0] == '[') && json.Valid(body)
}
