package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestBodiesHaveToArrive(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		read  bool // whether the handler wants the body
		rest  string
		after time.Duration // when the rest comes; 0: never
		want  time.Duration // when the answer comes
	}{
		"never, and nobody wants it":    {read: false, want: unreadTime},
		"never, and the handler waits":  {read: true, want: bodyTime},
		"late, but in time":             {read: true, rest: "def", after: bodyTime - time.Second, want: bodyTime - time.Second},
		"late, and nobody wants it":     {read: false, rest: "def", after: time.Second, want: time.Second},
		"in time, and the call is long": {read: true, rest: "def", after: time.Second, want: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					started := time.Now()
					body := timeBody(w, r)
					defer body.answered()
					if !tc.read {
						return
					}
					_, err := io.ReadAll(r.Body)
					if late := errors.Is(err, os.ErrDeadlineExceeded); late != (tc.after == 0) {
						t.Errorf("reading ended with %v", err)
					}
					if err != nil {
						return
					}
					select {
					case <-time.After(tc.want - time.Since(started)):
					case <-r.Context().Done():
						t.Errorf("canceled after %v", time.Since(started))
					}
				})
				conn := serveOne(t, handler)
				started := time.Now()
				io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc")
				if tc.after > 0 {
					time.AfterFunc(tc.after, func() { io.WriteString(conn, tc.rest) })
				}
				res, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if took := time.Since(started); took != tc.want {
					t.Errorf("answered after %v, want %v", took, tc.want)
				}
			})
		})
	}
}

// serveOne serves one connection and gives the client's end of it.
func serveOne(t *testing.T, handler http.Handler) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	server := &http.Server{Handler: handler}
	l := &oneConn{conns: make(chan net.Conn, 1)}
	l.conns <- theirs
	go server.Serve(l)
	t.Cleanup(func() {
		ours.Close()
		server.Close()
	})
	return ours
}

// oneConn is a listener with one connection.
type oneConn struct{ conns chan net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	conn, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *oneConn) Close() error {
	close(l.conns)
	return nil
}

func (*oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// A store that neither answers nor refuses, as behind a cut line, must not hold requests for good.
func TestNothingWaitsForTheStoreForGood(t *testing.T) {
	t.Parallel()
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	a := &api{ready: hang, timeout: time.Minute, log: slog.New(slog.DiscardHandler)}
	pages := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hang(r.Context()) })
	for name, tc := range map[string]struct {
		handler http.Handler
		want    time.Duration
	}{
		"readiness": {http.HandlerFunc(a.readyz), readyTimeout},
		"pages":     {a.inTime(pages), time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				started := time.Now()
				tc.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
				if took := time.Since(started); took != tc.want {
					t.Errorf("answered after %v, want %v", took, tc.want)
				}
			})
		})
	}
}
