package mcpserver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Options is what a Handler needs.
type Options struct {
	Sessions Sessions

	// Servers gives the session that serves a visitor of a server of the older API. Nil: there are no such servers.
	Servers func(ctx context.Context, c tenant.Caller, serverID string, v legacy.Visitor) (sessionID string, err error)

	// Keys finds the caller behind a project key.
	Keys func(ctx context.Context, key string) (tenant.Caller, error)

	// People finds the person behind an access token or a personal key. Nil: project keys and session tokens only.
	People People

	// PublicURL gives the scheme and host under which the maker of a request reaches this server; connect links are built
	// from it.
	PublicURL func(*http.Request) (string, error)

	// Hosts are names, without port, under which this server is reached through a proxy on the same machine, in practice
	// the public URL's. Loopback names always count.
	Hosts []string

	// Sealer protects what a client has to carry from one request to the next. Nil: people are shown connect links in the
	// text of answers only.
	Sealer Sealer

	Version string       // of this server, told to clients; empty: "dev"
	MaxBody int64        // bytes of a request; 0: 4 MiB
	Log     *slog.Logger // nil: none

	Now func() time.Time // nil: time.Now
}

// People lets persons in; *authserver.Service does.
type People interface {
	// Person finds who sends a credential to the endpoint at a path below an origin. A fault of kind Unauthorized when it opens
	// nothing there.
	Person(ctx context.Context, credential, origin, path string) (tenant.Person, error)
}

// Handler serves /tool_router/{session_id}/mcp, the personal endpoint /mcp, and /v3/mcp/{server_id} of the older API.
type Handler struct {
	sessions  Sessions
	people    People
	servers   func(context.Context, tenant.Caller, string, legacy.Visitor) (string, error)
	keys      func(context.Context, string) (tenant.Caller, error)
	publicURL func(*http.Request) (string, error)
	guard     guard
	sealer    Sealer
	sdk       http.Handler
	serverRaw []byte // this server's name and version, as JSON
	lists     listCache
	clients   clientCache
	maxBody   int64
	log       *slog.Logger
	now       func() time.Time
}

const defaultMaxBody = 4 << 20

// New makes a Handler.
func New(o Options) (*Handler, error) {
	if o.Sessions == nil || o.Keys == nil || o.PublicURL == nil {
		return nil, errors.New("mcpserver: Sessions, Keys and PublicURL are needed")
	}
	h := &Handler{
		sessions: o.Sessions, servers: o.Servers, people: o.People, keys: o.Keys, publicURL: o.PublicURL, guard: newGuard(o.Hosts), sealer: o.Sealer,
		maxBody: o.MaxBody, log: o.Log, now: o.Now,
	}
	if h.maxBody == 0 {
		h.maxBody = defaultMaxBody
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now
	}
	version := o.Version
	if version == "" {
		version = "dev"
	}
	h.sdk, h.serverRaw = newSDKHandler(h, version)
	return h, nil
}

// visit is one request after it was let in.
type visit struct {
	request   *http.Request
	caller    tenant.Caller
	sessionID string
	view      View
	origin    string
}

// ServeHTTP lets a request in, or refuses it, and answers it the short way where there is one.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.guard.admits(r) {
		h.refuse(w, r, fault.New(fault.Forbidden, fault.SlugForbidden, "The Host or Origin header names a place that this server does not serve.").
			WithFix("Use the address of this server itself. If it stands behind a proxy, set public_url to the address people use."))
		return
	}
	v, err := h.admit(w, r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if h.serveFast(w, r, v) {
		return
	}
	h.sdk.ServeHTTP(w, withVisit(r, v))
}

// admit finds out who makes a request and opens the session it is for.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) (*visit, error) {
	origin, err := h.publicURL(r)
	if err != nil {
		return nil, err
	}
	caller, err := h.authenticate(r, origin)
	if err != nil {
		return nil, err
	}
	caller.RequestID = requestID(w)
	v := &visit{request: r, caller: caller, sessionID: r.PathValue("session_id"), origin: origin}
	switch serverID := r.PathValue("server_id"); {
	case serverID != "" && h.servers != nil:
		if v.sessionID, err = h.servers(r.Context(), caller, serverID, visitorOf(r)); err != nil {
			return nil, err
		}
	case v.sessionID == "":
		return v, h.openPersonal(v)
	}
	if caller.UserID != "" {
		v.caller.SessionID = v.sessionID // a person's credential was for this endpoint, and opens no other
	}
	if v.caller.Restricted() && v.caller.SessionID != v.sessionID {
		return nil, noSuchSession() // whether it exists is none of this caller's business
	}
	v.view, err = h.sessions.Open(r.Context(), v.caller, v.sessionID)
	return v, err
}

// openPersonal opens the personal session of the person who asks or, for a project key, of the user whom the URL names.
func (h *Handler) openPersonal(v *visit) (err error) {
	userID := v.caller.UserID
	if userID == "" {
		userID = cmp.Or(v.request.URL.Query().Get("user_id"), tenant.DefaultUser)
	}
	v.sessionID, v.view, err = h.sessions.Personal(v.request.Context(), v.caller, userID)
	if v.caller.UserID != "" {
		v.caller.SessionID = v.sessionID
	}
	return err
}

func noSuchSession() *fault.Error {
	return fault.New(fault.NotFound, fault.SlugSessionNotFound, "There is no such session for this credential.").
		WithFix("Use the URL and the headers that came with the session, or create a new session.")
}

const requestIDHeader = "X-Request-Id"

// requestID gives the id that the outer middleware chose, or a new one.
func requestID(w http.ResponseWriter) string {
	if chosen := w.Header().Get(requestIDHeader); chosen != "" {
		return chosen
	}
	made := id.New(id.Request)
	w.Header().Set(requestIDHeader, made)
	return made
}
