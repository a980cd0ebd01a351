package api

import (
	"io"
	"net/http"
	"time"
)

// A body has to arrive in time: connections on which nothing more comes would otherwise be kept for good, and use up what a
// server can have open, without any credential. The http.Server itself limits only heads, as an answer may take long.
const (
	bodyTime   = 2 * time.Minute // 16 MB at little more than 1 Mbit/s
	unreadTime = 5 * time.Second // of what is left of a body that nobody wanted: that of a request without a credential, say
)

// timedBody is a request's body on a connection with a deadline for reading.
type timedBody struct {
	io.ReadCloser
	connection *http.ResponseController
	over       bool // read to its end, or given up
}

// timeBody sets the deadline of a request's body; nil when it has none.
func timeBody(w http.ResponseWriter, r *http.Request) *timedBody {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	body := &timedBody{ReadCloser: r.Body, connection: http.NewResponseController(w)}
	body.limit(time.Now().Add(bodyTime))
	r.Body = body
	return body
}

// Read lifts the deadline at the body's end: the connection is watched while the request is answered, however long that
// takes.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && !b.over {
		b.limit(time.Time{})
	}
	b.over = b.over || err != nil
	return n, err
}

// answered says that nobody will read the body any more; the server still does, before it sends the answer.
func (b *timedBody) answered() {
	if b != nil && !b.over {
		b.limit(time.Now().Add(unreadTime))
	}
}

func (b *timedBody) limit(until time.Time) {
	b.connection.SetReadDeadline(until) //nolint:errcheck // what is no connection (a test's recorder) has no deadline to set
}
