package execute_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

const (
	read       = "GET_THING"
	readArgs   = `{"id": "1"}`
	write      = "CREATE_THING"
	writeArgs  = `{"title": "T"}`
	idempotent = "REPLACE_THING"
)

// status answers with a status and a JSON body.
func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, code, body) }
}

// What a provider may do to a call, and what the caller is told. A write is sent exactly once. A read is repeated only where
// the connection broke.
func TestProviderFailures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		upstream    http.HandlerFunc
		read, write []string // parts of the error
		status      int
	}{
		"403": {
			upstream: status(403, `{"error": {"message": "Insufficient permission"}}`), status: 403,
			read:  []string{"Acme answered 403 Forbidden: Insufficient permission.", "use another account"},
			write: []string{"403 Forbidden", "needs the scopes things.write"},
		},
		"404": {
			upstream: status(404, `{"detail": "No such thing."}`), status: 404,
			read: []string{"Acme answered 404 Not Found: No such thing. Check ids"}, write: []string{"404"},
		},
		"409": {
			upstream: status(409, `{"errors": [{"message": "Already there", "code": 7}]}`), status: 409,
			read: []string{"409 Conflict: Already there"}, write: []string{"Read the present state first"},
		},
		"422": {
			upstream: status(422, `{"message": "Validation Failed", "errors": [{"field": "title", "code": "missing"}]}`), status: 422,
			read: []string{`422 Unprocessable Entity: Validation Failed [{"code":"missing","field":"title"}]`}, write: []string{"Change the arguments"},
		},
		"400 in plain text": {
			upstream: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad\n  id", 400) }, status: 400,
			read: []string{"400 Bad Request: bad id."}, write: []string{"bad id"},
		},
		"500": {
			upstream: status(500, `{"error": "boom"}`), status: 500,
			read: []string{"500 Internal Server Error: boom.", "Try again."}, write: []string{"It is not known whether the call took effect"},
		},
		"502 as a web page": {
			upstream: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(500)
				io.WriteString(w, "<html><head><TITLE>Bad\n gateway</TITLE></head></html>")
			},
			status: 500, read: []string{`a web page ("Bad gateway")`}, write: []string{"a web page"},
		},
		"a redirect of a write": {
			upstream: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "ftp://elsewhere/")
				w.WriteHeader(302)
			},
			status: 302, read: []string{"302 Found"}, write: []string{"302 Found"},
		},
		"broken JSON": {
			upstream: status(200, `{"id": 1, "na`), status: 200,
			read: []string{"Acme answered 200 OK with broken JSON."}, write: []string{"broken JSON. The call was accepted: look before you repeat it."},
		},
		"a web page": {
			upstream: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				io.WriteString(w, "<!doctype html><title>Sign in</title>")
			},
			status: 200, read: []string{`200 OK with a web page ("Sign in") where data was expected`}, write: []string{"The call was accepted"},
		},
		"too much": {
			upstream: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{"x":"`)
				io.WriteString(w, strings.Repeat("x", 20<<20))
				io.WriteString(w, `"}`)
			},
			status: 200, read: []string{"more than 10 MiB", "Ask for less"}, write: []string{"The call was accepted"},
		},
		"too much, and says so": {
			upstream: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "20971520")
				w.Write(make([]byte, 1<<20))
			},
			status: 200, read: []string{"more than 10 MiB"}, write: []string{"more than 10 MiB"},
		},
		"a connection that is dropped": {
			upstream: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			read:     []string{"closed the connection without an answer", "Try again"}, write: []string{"It is not known whether the call took effect: look before you repeat it."},
		},
		"a connection that breaks off": {
			upstream: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				io.WriteString(w, `{"id":`)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			},
			status: 200, read: []string{"broke off in the middle"}, write: []string{"The call was accepted"},
		},
		"a hang": {
			upstream: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			read:     []string{"did not answer within 1s", "Try again"}, write: []string{"It is not known whether the call took effect"},
		},
		"a hang in the middle": {
			upstream: func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, `{"id":`)
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			},
			status: 200, read: []string{"did not answer within 1s"}, write: []string{"did not answer within 1s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, call := range []struct {
				tool, args string
				want       []string
			}{{read, readArgs, tc.read}, {write, writeArgs, tc.write}} {
				deadline := time.Minute
				if strings.HasPrefix(name, "a hang") {
					deadline = time.Second
				}
				w := newWorld(t, tc.upstream, func(o *execute.Options) { o.Deadline = deadline })
				res := w.run(call.tool, call.args)
				wantFailure(t, res, call.want...)
				if string(res.Data) != "{}" || res.Status != tc.status {
					t.Errorf("got status %d and %s", res.Status, res.Data)
				}
				if call.tool == read && strings.HasPrefix(name, "a connection") {
					w.wantRequests(3)
				} else {
					w.wantRequests(1)
				}
			}
		})
	}
}

func TestRefusedCredentialIsReplacedOnce(t *testing.T) {
	t.Parallel()
	upstream := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer fresh-key-1" {
			answerJSON(w, 401, `{"message":"Bad credentials"}`)
			return
		}
		answerJSON(w, 200, `{"ok":true}`)
	}
	w := newWorld(t, upstream)
	w.accounts.fresh = "fresh-key-1"
	if res := w.run(write, writeArgs); res.Error != "" || string(res.Data) != `{"ok":true}` {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}
	w.wantRequests(2)
	if w.accounts.rejected != 1 {
		t.Errorf("reported %d times", w.accounts.rejected)
	}

	// A fresh one that is refused, too, ends it.
	w = newWorld(t, upstream)
	w.accounts.fresh = "fresh-but-wrong"
	res := w.run(write, writeArgs)
	wantFailure(t, res, "Acme answered 401 Unauthorized: Bad credentials.", "ca_1")
	w.wantRequests(2)
	if w.accounts.rejected != 1 {
		t.Errorf("reported %d times", w.accounts.rejected)
	}

	// None to be had: the account is dead, and the caller is told what that means.
	w = newWorld(t, upstream)
	res = w.run(read, readArgs)
	wantFailure(t, res, "401 Unauthorized: Bad credentials.", "ca_1 is EXPIRED.", "Reconnect it.")
	w.wantRequests(1)
}

func TestUnreachableProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {}, withDeadline(time.Minute))
	w.upstream.Close()
	for _, tool := range []string{read, write} {
		args := map[string]string{read: readArgs, write: writeArgs}[tool]
		wantFailure(t, w.run(tool, args), "Acme could not be reached: the connection was refused.", "Nothing was sent.")
	}
}

func TestUnknownName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {}, func(o *execute.Options) {
		client, err := outbound.New(outbound.Options{Wrap: func(http.RoundTripper) http.RoundTripper {
			return transport(func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "secret.internal"}}
			})
		}})
		if err != nil {
			t.Fatal(err)
		}
		o.Client = client
	})
	wantFailure(t, w.run(read, readArgs), "its name does not resolve")
}

// A destination that is refused is the operator's affair: the call did not reach the tool.
func TestRefusedDestination(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {}, func(o *execute.Options) {
		client, err := outbound.New(outbound.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o.Client = client
	})
	_, err := w.Run(t.Context(), caller, w.call(read, readArgs))
	if f := wantFault(t, err, fault.Forbidden, fault.SlugDestinationRefused); !strings.Contains(f.Fix, "outbound.allow") {
		t.Errorf("fix %q", f.Fix)
	}
}

func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done() // the upstream is let go, too
		close(gone)
	})
	_, err := w.Run(ctx, caller, w.call(write, writeArgs))
	wantFault(t, err, fault.Canceled, fault.SlugCanceled)
	<-gone
	if entries := w.logged(); len(entries) != 1 || entries[0].Status != execute.Failed {
		t.Errorf("logged %+v", entries)
	}
}

// Reads follow what is moved; a host that the credential is not for does not get it.
func TestRedirectsOfReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/things/1" {
			http.Redirect(w, r, "/v1/things/2", http.StatusMovedPermanently)
			return
		}
		answerJSON(w, 200, `{"at":"`+r.URL.Path+`"}`)
	})
	if res := w.run(read, readArgs); string(res.Data) != `{"at":"/v1/things/2"}` {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
