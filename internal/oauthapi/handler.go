package oauthapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/authserver"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Server is what the edge needs of package authserver; *authserver.Service is one.
type Server interface {
	Metadata(origin string) authserver.Metadata
	ResourceMetadata(origin, path string) (authserver.ResourceMetadata, bool)
	Exchange(ctx context.Context, origin string, proof authserver.ClientProof, form url.Values, from string) (authserver.Tokens, error)
	Revoke(ctx context.Context, proof authserver.ClientProof, token, from string) error
	Register(ctx context.Context, n authserver.NewClient, from string) (authserver.Client, secret.Value, error)
}

// Options are what a handler needs.
type Options struct {
	Server    Server                              // required
	PublicURL func(*http.Request) (string, error) // required: the origin at which a request reached this server
	Address   func(*http.Request) string          // required: where a request comes from, for counting attempts
	Log       *slog.Logger                        // nil: nothing is logged
}

// edge answers.
type edge struct {
	Options
}

// New makes the handler of the OAuth endpoints that programs use.
func New(o Options) (http.Handler, error) {
	if o.Server == nil || o.PublicURL == nil || o.Address == nil {
		return nil, errors.New("oauthapi: Server, PublicURL and Address are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &edge{Options: o}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*http.Request) (int, any, error){
		"GET /.well-known/oauth-authorization-server":         e.metadata,
		"GET /.well-known/openid-configuration":               e.metadata,
		"GET /.well-known/oauth-protected-resource/{path...}": e.resource,
		"POST " + authserver.TokenPath:                        e.token,
		"POST " + authserver.RevokePath:                       e.revoke,
		"POST " + authserver.RegisterPath:                     e.register,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, body, err := handle(r)
			e.answer(w, r, status, body, err)
		})
	}
	return mux, nil
}

// metadata describes the authorization server. The second name is one that clients try where the public URL has a path.
func (e *edge) metadata(r *http.Request) (int, any, error) {
	origin, err := e.PublicURL(r)
	return http.StatusOK, e.Server.Metadata(origin), err
}

func (e *edge) resource(r *http.Request) (int, any, error) {
	origin, err := e.PublicURL(r)
	if err != nil {
		return 0, nil, err
	}
	m, ok := e.Server.ResourceMetadata(origin, "/"+r.PathValue("path"))
	if !ok {
		return 0, nil, fault.New(fault.NotFound, fault.SlugNotFound, "There is no MCP endpoint at this path.")
	}
	return http.StatusOK, m, nil
}

// tokenAnswer is RFC 6749 section 5.1.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
}

func (e *edge) token(r *http.Request) (int, any, error) {
	form, proof, err := e.read(r)
	if err != nil {
		return 0, nil, err
	}
	origin, err := e.PublicURL(r)
	if err != nil {
		return 0, nil, err
	}
	t, err := e.Server.Exchange(r.Context(), origin, proof, form, e.Address(r))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, tokenAnswer{t.Access.Reveal(), "Bearer", int(t.Life.Seconds()), t.Refresh.Reveal(), t.Scope}, nil
}

func (e *edge) revoke(r *http.Request) (int, any, error) {
	form, proof, err := e.read(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct{}{}, e.Server.Revoke(r.Context(), proof, form.Get("token"), e.Address(r))
}

// maxForm and maxRegistration bound what strangers send.
const (
	maxForm         = 64 << 10
	maxRegistration = 64 << 10
)

// read reads a form and who sends it: by Basic, by members of the form, or by client_id alone (RFC 6749 section 2.3.1).
func (e *edge) read(r *http.Request) (url.Values, authserver.ClientProof, error) {
	var proof authserver.ClientProof
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, proof, invalid("The body must be application/x-www-form-urlencoded.")
	}
	body, err := outbound.ReadBody(r.Body, maxForm)
	if err != nil {
		return nil, proof, invalid("The body is too long or was cut off.")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, proof, invalid("The body is not a form.")
	}
	proof = authserver.ClientProof{ID: form.Get("client_id"), Secret: secret.Hide(form.Get("client_secret"))}
	if len(form["client_id"]) > 1 || len(form["client_secret"]) > 1 {
		return nil, proof, invalid("The client is named twice.")
	}
	user, password, basic := r.BasicAuth()
	if !basic {
		return form, proof, nil
	}
	// Both are form-encoded before they are put together; not every client does so, which only matters to ids with "%" or "+".
	name, err := url.QueryUnescape(user)
	text, err2 := url.QueryUnescape(password)
	if err != nil || err2 != nil || !proof.Secret.Empty() || proof.ID != "" && proof.ID != name {
		return nil, proof, invalid("The client shows who it is in two ways, or its Basic credentials are not encoded well.")
	}
	return form, authserver.ClientProof{ID: name, Secret: secret.Hide(text)}, nil
}

func invalid(message string) error {
	return fault.New(fault.Invalid, fault.SlugOAuthInvalidRequest, "%s", message)
}

// registration is RFC 7591 section 2, as far as it is understood; the rest of what a client says of itself is not kept.
type registration struct {
	ClientName    string   `json:"client_name,omitempty"`
	RedirectURIs  []string `json:"redirect_uris"`
	AuthMethod    string   `json:"token_endpoint_auth_method"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
}

// registered is RFC 7591 section 3.2.1.
type registered struct {
	ClientID        string `json:"client_id"`
	ClientSecret    string `json:"client_secret,omitempty"`
	SecretExpiresAt *int64 `json:"client_secret_expires_at,omitempty"` // 0: never; there when there is a secret
	IssuedAt        int64  `json:"client_id_issued_at"`
	registration
	Scope string `json:"scope"`
}

func (e *edge) register(r *http.Request) (int, any, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return 0, nil, badMetadata("The body must be application/json.")
	}
	body, err := outbound.ReadBody(r.Body, maxRegistration)
	if err != nil {
		return 0, nil, badMetadata("The body is too long or was cut off.")
	}
	var given registration
	if err := json.Unmarshal(body, &given); err != nil {
		return 0, nil, badMetadata("The body is not a JSON object of client metadata.")
	}
	client, text, err := e.Server.Register(r.Context(), authserver.NewClient{
		Name: given.ClientName, RedirectURIs: given.RedirectURIs, AuthMethod: authserver.AuthMethod(given.AuthMethod),
		GrantTypes: given.GrantTypes, ResponseTypes: given.ResponseTypes,
	}, e.Address(r))
	if err != nil {
		return 0, nil, err
	}
	answer := registered{
		ClientID: client.ID, ClientSecret: text.Reveal(), IssuedAt: client.CreatedAt.Unix(), Scope: authserver.Scope,
		registration: registration{
			ClientName: client.Name, RedirectURIs: client.RedirectURIs, AuthMethod: string(client.AuthMethod),
			GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"},
		},
	}
	if client.Refreshes {
		answer.GrantTypes = append(answer.GrantTypes, "refresh_token")
	}
	if !text.Empty() {
		answer.SecretExpiresAt = new(int64)
	}
	return http.StatusCreated, answer, nil
}

func badMetadata(message string) error {
	return fault.New(fault.Invalid, fault.SlugOAuthInvalidClientMetadata, "%s", message)
}

// refusal is RFC 6749 section 5.2.
type refusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// answer writes what came out. Nothing of it may be kept, and any page may read it: there is nothing in it that the one who asks did
// not bring along, and no cookie counts here.
func (e *edge) answer(w http.ResponseWriter, r *http.Request, status int, body any, err error) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	if err != nil {
		status, body = e.refuse(h, r, fault.From(err))
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		panic("oauthapi: an answer does not encode: " + err.Error())
	}
	w.WriteHeader(status)
	w.Write(encoded) // a client that is gone needs no answer
}

func (e *edge) refuse(h http.Header, r *http.Request, f *fault.Error) (int, refusal) {
	said := refusal{f.Slug, authserver.Description(f)}
	if f.After > 0 {
		h.Set("Retry-After", strconv.Itoa(int(f.After.Seconds())+1))
	}
	switch f.Kind {
	case fault.Invalid, fault.Forbidden, fault.Conflict, fault.TooLarge:
		if strings.HasPrefix(f.Slug, "HTTP_") {
			said.Error = fault.SlugOAuthInvalidRequest
		}
		return http.StatusBadRequest, said
	case fault.Unauthorized:
		if _, _, basic := r.BasicAuth(); basic {
			h.Set("WWW-Authenticate", `Basic realm="Patchbay"`)
		}
		return http.StatusUnauthorized, said
	case fault.NotFound:
		said.Error = "not_found"
		return http.StatusNotFound, said
	case fault.RateLimited:
		said.Error = "temporarily_unavailable"
		return http.StatusTooManyRequests, said
	case fault.Timeout, fault.Unavailable:
		said.Error = "temporarily_unavailable"
		return http.StatusServiceUnavailable, said
	default:
		e.Log.ErrorContext(r.Context(), "oauth request failed", "route", r.Pattern, "error", f.Error())
		said.Error = "server_error"
		return http.StatusInternalServerError, said
	}
}
