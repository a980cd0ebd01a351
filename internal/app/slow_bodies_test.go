package app

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowBodies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sent   string        // of a body of ten bytes
		answer time.Duration // how long the handler takes once it has the body
		want   string
		after  time.Duration
	}{
		"a body that never comes is given up": {sent: "half ", want: "400", after: bodyTimeout},
		"an answer may take longer":           {sent: "ten bytes!", answer: 10 * bodyTimeout, want: "200", after: 10 * bodyTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe() // its deadlines follow synctest's clock
				handler := func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.ReadAll(r.Body); err != nil {
						w.WriteHeader(http.StatusBadRequest)
						return
					}
					select {
					case <-time.After(tc.answer):
					case <-r.Context().Done():
						t.Error("the request was cancelled while it was answered")
					}
				}
				s := newServer(t.Context(), http.HandlerFunc(handler), slog.New(slog.DiscardHandler))
				listener := &oneConnection{connection: make(chan net.Conn, 1)}
				listener.connection <- server
				go s.Serve(listener)

				began := time.Now()
				go io.WriteString(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"+tc.sent)
				line, err := bufio.NewReader(client).ReadString('\n')
				if err != nil || !strings.Contains(line, tc.want) || time.Since(began) != tc.after {
					t.Errorf("after %s: %q, %v", time.Since(began), line, err)
				}
				client.Close()
				s.Shutdown(context.Background())
			})
		})
	}
}

// oneConnection is a listener without a network.
type oneConnection struct{ connection chan net.Conn }

func (l *oneConnection) Accept() (net.Conn, error) {
	connection, ok := <-l.connection
	if !ok {
		return nil, net.ErrClosed
	}
	return connection, nil
}

func (l *oneConnection) Close() error {
	close(l.connection)
	return nil
}

func (l *oneConnection) Addr() net.Addr { return &net.TCPAddr{} }
