package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// The control socket lets the operator's commands reach a running server that has its SQLite database to itself. It is a
// Unix socket in the data directory, which only the server's own user can open; it speaks HTTP and takes no credential.

const controlFile = "control.sock"

// controlServer is the server's end.
type controlServer struct {
	server *http.Server
	done   chan struct{}
}

// startControl begins to listen on the socket. The caller must hold the lock of the database, which makes a socket that is
// already there a dead one.
func startControl(ctx context.Context, dataDir string, keys *storeKeys, log *slog.Logger) (*controlServer, error) {
	path := filepath.Join(dataDir, controlFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the old control socket: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		list, err := keys.List(r.Context())
		answer(w, list, err)
	})
	mux.HandleFunc("POST /keys", func(w http.ResponseWriter, r *http.Request) {
		key, text, err := keys.Create(r.Context(), r.FormValue("name"))
		answer(w, newKey{key, text.Reveal()}, err)
	})
	mux.HandleFunc("DELETE /keys/{id}", func(w http.ResponseWriter, r *http.Request) {
		key, err := keys.Revoke(r.Context(), r.PathValue("id"))
		answer(w, key, err)
	})
	c := &controlServer{
		server: &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)},
		done:   make(chan struct{}),
	}
	go func() {
		defer close(c.done)
		c.server.Serve(listener) //nolint:errcheck // ends by being closed; without it the server works on
	}()
	return c, nil
}

// stop closes the socket and removes it.
func (c *controlServer) stop(ctx context.Context) error {
	err := c.server.Shutdown(ctx)
	<-c.done
	return err
}

// newKey is a key with its text, which is not to be had again.
type newKey struct {
	tenant.Key
	Text string
}

// refusal is a fault on its way over the socket.
type refusal struct {
	Kind               fault.Kind
	Slug, Message, Fix string
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		f := fault.From(err)
		w.WriteHeader(http.StatusBadRequest)
		value = refusal{f.Kind, f.Slug, f.Message, f.Fix}
	}
	json.NewEncoder(w).Encode(value) //nolint:errcheck // the command has gone away
}

// controlKeys is the command's end: Keys of a running server.
type controlKeys struct{ client *http.Client }

// dialControl finds the running server of a data directory.
func dialControl(ctx context.Context, dataDir string) (Keys, bool) {
	path := filepath.Join(dataDir, controlFile)
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, false
	}
	connection.Close()
	return &controlKeys{&http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}},
	}}, true
}

func (k *controlKeys) Create(ctx context.Context, name string) (tenant.Key, secret.Value, error) {
	var made newKey
	err := k.call(ctx, http.MethodPost, "/keys?name="+url.QueryEscape(name), &made)
	return made.Key, secret.Hide(made.Text), err
}

func (k *controlKeys) List(ctx context.Context) (list []tenant.Key, err error) {
	err = k.call(ctx, http.MethodGet, "/keys", &list)
	return list, err
}

func (k *controlKeys) Revoke(ctx context.Context, id string) (key tenant.Key, err error) {
	err = k.call(ctx, http.MethodDelete, "/keys/"+url.PathEscape(id), &key)
	return key, err
}

func (k *controlKeys) Close() error {
	k.client.CloseIdleConnections()
	return nil
}

func (k *controlKeys) call(ctx context.Context, method, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://patchbay"+path, nil)
	if err != nil {
		return err
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the running server: %w", rootOf(err))
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the running server's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var r refusal
		if err := json.Unmarshal(content, &r); err != nil {
			return fmt.Errorf("the running server answered %s", resp.Status)
		}
		f := fault.New(r.Kind, r.Slug, "%s", r.Message)
		f.Fix = r.Fix
		return f
	}
	return json.Unmarshal(content, answer)
}
