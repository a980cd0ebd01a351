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

// controlled is what the operator's commands can do.
type controlled struct {
	keys     Keys
	grants   Grants
	secrets  Secrets
	toolkits Toolkits
	state    Conditions
	relister Relister
}

// startControl begins to listen on the socket. The caller must hold the lock of the database, which makes a socket that is
// already there a dead one.
func startControl(ctx context.Context, dataDir string, server controlled, log *slog.Logger) (*controlServer, error) {
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
	c := &controlServer{
		server: &http.Server{Handler: server.routes(), ReadHeaderTimeout: headerTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)},
		done:   make(chan struct{}),
	}
	go func() {
		defer close(c.done)
		c.server.Serve(listener) //nolint:errcheck // ends by being closed; without it the server works on
	}()
	return c, nil
}

// routes are all that the socket offers.
func (c controlled) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		list, err := c.keys.List(r.Context())
		answer(w, list, err)
	})
	mux.HandleFunc("POST /keys", func(w http.ResponseWriter, r *http.Request) {
		key, text, err := c.keys.Create(r.Context(), r.FormValue("name"), r.FormValue("user"))
		answer(w, newKey{key, text.Reveal()}, err)
	})
	mux.HandleFunc("DELETE /keys/{id}", func(w http.ResponseWriter, r *http.Request) {
		key, err := c.keys.Revoke(r.Context(), r.PathValue("id"))
		answer(w, key, err)
	})
	mux.HandleFunc("GET /grants", func(w http.ResponseWriter, r *http.Request) {
		list, err := c.grants.ListGrants(r.Context(), r.FormValue("user"))
		answer(w, list, err)
	})
	mux.HandleFunc("DELETE /grants", func(w http.ResponseWriter, r *http.Request) {
		list, err := c.grants.RevokeGrants(r.Context(), r.FormValue("user"))
		answer(w, list, err)
	})
	mux.HandleFunc("DELETE /grants/{id}", func(w http.ResponseWriter, r *http.Request) {
		grant, err := c.grants.RevokeGrant(r.Context(), r.PathValue("id"))
		answer(w, grant, err)
	})
	mux.HandleFunc("GET /secrets", func(w http.ResponseWriter, r *http.Request) {
		state, err := c.secrets.State(r.Context())
		answer(w, state, err)
	})
	mux.HandleFunc("POST /secrets/rotate", c.rotate)
	mux.HandleFunc("POST /secrets/retire", func(w http.ResponseWriter, r *http.Request) {
		done, err := c.secrets.Retire(r.Context())
		answer(w, done, err)
	})
	mux.HandleFunc("GET /condition", func(w http.ResponseWriter, r *http.Request) {
		state, err := c.state.Condition(r.Context())
		answer(w, state, err)
	})
	toolkitRoutes(mux, c.toolkits)
	relistRoute(mux, c.relister)
	return mux
}

// rotationLine is one line of the answer to a rotation: how far it is or, last, what it did or why it ended.
type rotationLine struct {
	Progress *RotationProgress
	Done     *Rotation
	Refusal  *refusal
}

// rotate tells of a rotation while it runs. It ends when the command goes away.
func (c controlled) rotate(w http.ResponseWriter, r *http.Request) {
	lines := json.NewEncoder(w)
	tell := func(line rotationLine) {
		lines.Encode(line) //nolint:errcheck // the command has gone away, and its context ends the rotation
		http.NewResponseController(w).Flush()
	}
	done, err := c.secrets.Rotate(r.Context(), func(p RotationProgress) { tell(rotationLine{Progress: &p}) })
	if err != nil {
		said := refusalOf(err)
		tell(rotationLine{Refusal: &said})
		return
	}
	tell(rotationLine{Done: &done})
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

func refusalOf(err error) refusal {
	f := fault.From(err)
	return refusal{f.Kind, f.Slug, f.Message, f.Fix}
}

func (r refusal) fault() error {
	f := fault.New(r.Kind, r.Slug, "%s", r.Message)
	f.Fix = r.Fix
	return f
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		value = refusalOf(err)
	}
	json.NewEncoder(w).Encode(value) //nolint:errcheck // the command has gone away
}

// controlClient is the command's end: Keys, Grants and Secrets of a running server.
type controlClient struct{ client *http.Client }

// How long a command waits for the running server. What looks through everything that is sealed takes its time; a rotation may
// take any.
const (
	quickly  = 30 * time.Second
	patience = time.Hour
)

// dialControl finds the running server of a data directory.
func dialControl(ctx context.Context, dataDir string) (*controlClient, bool) {
	path := filepath.Join(dataDir, controlFile)
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, false
	}
	connection.Close()
	return &controlClient{&http.Client{
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}},
	}}, true
}

func (k *controlClient) Create(ctx context.Context, name, userID string) (tenant.Key, secret.Value, error) {
	var made newKey
	err := k.call(ctx, http.MethodPost, "/keys?name="+url.QueryEscape(name)+"&user="+url.QueryEscape(userID), &made)
	return made.Key, secret.Hide(made.Text), err
}

func (k *controlClient) List(ctx context.Context) (list []tenant.Key, err error) {
	err = k.call(ctx, http.MethodGet, "/keys", &list)
	return list, err
}

func (k *controlClient) Revoke(ctx context.Context, id string) (key tenant.Key, err error) {
	err = k.call(ctx, http.MethodDelete, "/keys/"+url.PathEscape(id), &key)
	return key, err
}

func (k *controlClient) State(ctx context.Context) (state SecretsState, err error) {
	err = k.callFor(ctx, patience, http.MethodGet, "/secrets", &state)
	return state, err
}

// Condition asks the running server.
func (k *controlClient) Condition(ctx context.Context) (c Condition, err error) {
	err = k.call(ctx, http.MethodGet, "/condition", &c)
	return c, err
}

func (k *controlClient) Retire(ctx context.Context) (done Retirement, err error) {
	err = k.callFor(ctx, patience, http.MethodPost, "/secrets/retire", &done)
	return done, err
}

func (k *controlClient) Rotate(ctx context.Context, progress func(RotationProgress)) (Rotation, error) {
	resp, err := k.send(ctx, http.MethodPost, "/secrets/rotate")
	if err != nil {
		return Rotation{}, err
	}
	defer resp.Body.Close()
	for lines := json.NewDecoder(resp.Body); ; {
		var line rotationLine
		if err := lines.Decode(&line); err != nil {
			return Rotation{}, fault.New(fault.Unavailable, fault.SlugUnavailable, "The running server broke off the rotation.").
				WithFix("Begin it again: it goes on where it was.").Because(err)
		}
		switch {
		case line.Progress != nil:
			progress(*line.Progress)
		case line.Done != nil:
			return *line.Done, nil
		case line.Refusal != nil:
			return Rotation{}, line.Refusal.fault()
		}
	}
}

func (k *controlClient) Close() error {
	k.client.CloseIdleConnections()
	return nil
}

func (k *controlClient) send(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://patchbay"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the running server: %w", rootOf(err))
	}
	return resp, nil
}

func (k *controlClient) call(ctx context.Context, method, path string, answer any) error {
	return k.callFor(ctx, quickly, method, path, answer)
}

func (k *controlClient) callFor(ctx context.Context, most time.Duration, method, path string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	resp, err := k.send(ctx, method, path)
	if err != nil {
		return err
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
		return r.fault()
	}
	return json.Unmarshal(content, answer)
}
