package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// dcrScheme is DCR_OAUTH: the authorization server is discovered, and we register with it for each connection (RFC 7591), so that
// nobody has to make an OAuth app beforehand. MCP servers are what it is for.
type dcrScheme struct{ discovered }

// Begin discovers the server, registers with it, and says where the browser goes.
func (s dcrScheme) Begin(ctx context.Context, g Grant, h *Handshake) (string, error) {
	server, err := s.auth.discover(ctx, g)
	if err != nil {
		return "", err
	}
	if server.RegisterURL == "" {
		return "", refused("no_registration", "The authorization server of "+g.Toolkit.Name+" does not let clients register by themselves.")
	}
	client, err := s.auth.register(ctx, g, server, h.RedirectURI)
	if err != nil {
		return "", err
	}
	return server.begin(ctx, g, h, server.hold(client.ID, client.Secret, client.proof()))
}

// registration is a client's description of itself, and the server's answer with what it gave it (RFC 7591 sections 2, 3.2).
type registration struct {
	Name       string   `json:"client_name"`
	Redirects  []string `json:"redirect_uris"`
	GrantTypes []string `json:"grant_types"`
	Responses  []string `json:"response_types"`
	ClientAuth string   `json:"token_endpoint_auth_method,omitempty"`
	Type       string   `json:"application_type,omitempty"`
	ID         string   `json:"client_id,omitempty"`
	Secret     string   `json:"client_secret,omitempty"`
}

// clientName is what people read on consent pages.
const clientName = "Patchbay"

// proof is how the client proves itself at the token endpoint, in the words of the catalog.
func (r registration) proof() string {
	if r.Secret != "" && (r.ClientAuth == "" || r.ClientAuth == "client_secret_basic") {
		return "basic"
	}
	return "body"
}

func (a *authClient) register(ctx context.Context, g Grant, server authServer, redirectURI string) (registration, error) {
	wanted := registration{
		Name: clientName, Redirects: []string{redirectURI}, GrantTypes: []string{"authorization_code", "refresh_token"},
		Responses: []string{"code"}, ClientAuth: "none", Type: "web",
	}
	if len(server.ClientAuth) > 0 && !slices.Contains(server.ClientAuth, "none") {
		wanted.ClientAuth = "client_secret_basic"
		if !slices.Contains(server.ClientAuth, wanted.ClientAuth) && slices.Contains(server.ClientAuth, "client_secret_post") {
			wanted.ClientAuth = "client_secret_post"
		}
	}
	body, err := json.Marshal(wanted)
	if err != nil {
		return wanted, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.RegisterURL, bytes.NewReader(body))
	if err != nil {
		return wanted, refused("bad_endpoint", "The authorization server names an endpoint that is no URL.")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", userAgent)
	res, err := a.http.DoVia(g.Proxy, r)
	if err != nil {
		return wanted, unreachable(server.RegisterURL, err)
	}
	defer res.Body.Close()
	raw, err := outbound.ReadBody(res.Body, maxAnswer)
	if err != nil {
		return wanted, unreachable(server.RegisterURL, err)
	}
	if err := failureOf(res, decodeAnswer(raw)); err != nil {
		return wanted, err
	}
	given := registration{}
	if json.Unmarshal(raw, &given) != nil || given.ID == "" {
		return wanted, unusable("The authorization server took the registration and gave no client id.")
	}
	return given, nil
}
