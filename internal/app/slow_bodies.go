package app

import (
	"io"
	"net/http"
	"time"
)

// bodyTimeout is how long a client may take to send a request's body: at the largest body that is 2 megabits a second.
const bodyTimeout = 60 * time.Second

// refuseSlowBodies gives up on a request whose body does not arrive in time. http.Server.ReadTimeout would do that too, but
// goes on ticking while the request is answered, and would cut calls and streams that take longer.
func refuseSlowBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			connection := http.NewResponseController(w)
			if connection.SetReadDeadline(time.Now().Add(bodyTimeout)) == nil {
				r.Body = &timedBody{ReadCloser: r.Body, connection: connection}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody lifts the deadline once the body is there.
type timedBody struct {
	io.ReadCloser
	connection *http.ResponseController
}

// Read implements io.Reader.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.connection.SetReadDeadline(time.Time{}) //nolint:errcheck // it could be set, so it can be lifted
	}
	return n, err
}
