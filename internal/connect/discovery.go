package connect

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// authServer is what an authorization server says of itself (RFC 8414), as far as a client needs it.
type authServer struct {
	Issuer       string   `json:"issuer"`
	AuthorizeURL string   `json:"authorization_endpoint"`
	TokenURL     string   `json:"token_endpoint"`
	RevokeURL    string   `json:"revocation_endpoint"`
	RegisterURL  string   `json:"registration_endpoint"`
	Scopes       []string `json:"scopes_supported"`
	Challenges   []string `json:"code_challenge_methods_supported"`
	ClientAuth   []string `json:"token_endpoint_auth_methods_supported"`
	SaysIssuer   bool     `json:"authorization_response_iss_parameter_supported"`
	TakesAddress bool     `json:"client_id_metadata_document_supported"`

	resource string // what the tokens are for (RFC 8707); empty when nobody said
	wanted   []string
}

// protectedResource is what a resource says of itself (RFC 9728).
type protectedResource struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
}

// discover finds the authorization server of a resource, an MCP server in practice: by what the resource says of itself, else at
// the resource's own origin. The address may also be that of an authorization server, or of its metadata. Failures are
// *providerError.
func (a *authClient) discover(ctx context.Context, g Grant) (authServer, error) {
	if g.Declared.Discover == nil {
		return authServer{}, refused("no_discovery", "The toolkit does not say where its authorization server is to be found.")
	}
	address, err := g.Declared.Discover.ExpandFields(urlFields(g))
	if err != nil {
		return authServer{}, refused("bad_discovery_url", err.Error())
	}
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		return authServer{}, refused("bad_discovery_url", "The address at which the authorization server is to be found is no URL.")
	}
	var direct authServer
	if strings.Contains(at.Path, "/.well-known/") {
		if ok, err := a.read(ctx, g, address, &direct); err != nil {
			return authServer{}, err
		} else if ok && direct.TokenURL != "" {
			return direct, direct.check(at, direct.Issuer)
		}
	}
	resource, err := a.resource(ctx, g, at)
	if err != nil {
		return authServer{}, err
	}
	issuer := at.Scheme + "://" + at.Host
	if len(resource.Servers) > 0 {
		issuer = resource.Servers[0]
	}
	server, err := a.server(ctx, g, issuer)
	if err != nil {
		return authServer{}, err
	}
	server.resource, server.wanted = resource.Resource, resource.Scopes
	return server, server.check(at, issuer)
}

// resource reads the metadata of a protected resource: at its own well-known address, at its origin's, or where the resource itself
// says when it is asked without a token. One that has none is taken for its own authorization server.
func (a *authClient) resource(ctx context.Context, g Grant, at *url.URL) (protectedResource, error) {
	const wellKnown = "/.well-known/oauth-protected-resource"
	origin := at.Scheme + "://" + at.Host
	places := []string{origin + wellKnown}
	if path := strings.TrimSuffix(at.EscapedPath(), "/"); path != "" {
		places = []string{origin + wellKnown + path, origin + wellKnown}
	}
	for i := 0; i <= len(places); i++ {
		var place string
		if i < len(places) {
			place = places[i]
		} else if place = a.challenge(ctx, g, at); place == "" {
			break
		}
		var found protectedResource
		ok, err := a.read(ctx, g, place, &found)
		if err != nil {
			return found, err
		}
		if !ok {
			continue
		}
		if !covers(found.Resource, at) {
			return found, refused("wrong_resource", "The server at "+at.Host+" says that it is another resource than the one that was asked (RFC 9728 section 3.3).")
		}
		return found, nil
	}
	return protectedResource{}, nil
}

// challenge asks a resource without a token, and gives the address of its metadata that its refusal names (RFC 9728 section 5.1);
// empty when it names none.
func (a *authClient) challenge(ctx context.Context, g Grant, at *url.URL) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return ""
	}
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("User-Agent", userAgent)
	res, err := a.http.DoVia(g.Proxy, r)
	if err != nil {
		return ""
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		return ""
	}
	for _, header := range res.Header.Values("WWW-Authenticate") {
		if named := resourceMetadata.FindStringSubmatch(header); named != nil {
			place, err := url.Parse(named[1])
			if err == nil && place.Host != "" && place.User == nil && (place.Scheme == "https" || place.Scheme == at.Scheme) {
				return place.String()
			}
		}
	}
	return ""
}

var resourceMetadata = regexp.MustCompile(`(?i)\bresource_metadata="([^"\\]+)"`)

// covers reports whether a resource's own name for itself is its address, or the beginning of it.
func covers(resource string, at *url.URL) bool {
	r, err := url.Parse(resource)
	if err != nil || !strings.EqualFold(r.Host, at.Host) || r.Scheme != at.Scheme {
		return false
	}
	own, asked := strings.TrimSuffix(r.Path, "/"), strings.TrimSuffix(at.Path, "/")
	return own == asked || strings.HasPrefix(asked, own+"/")
}

// server reads the metadata of an authorization server, under each name that the standards give it (RFC 8414 section 3.1, OpenID
// Connect Discovery section 4).
func (a *authClient) server(ctx context.Context, g Grant, issuer string) (authServer, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return authServer{}, refused("bad_issuer", "The authorization server that the resource names is no URL.")
	}
	origin, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	places := []string{origin + "/.well-known/oauth-authorization-server" + path, origin + "/.well-known/openid-configuration" + path}
	if path != "" {
		places = append(places, origin+path+"/.well-known/openid-configuration")
	}
	for _, place := range places {
		var server authServer
		if ok, err := a.read(ctx, g, place, &server); err != nil || ok {
			return server, err
		}
	}
	return authServer{}, refused("no_metadata", u.Host+" does not say how to sign in: it has no authorization server metadata (RFC 8414).")
}

// check refuses metadata that speaks for somebody else (RFC 8414 section 3.3), and servers at which a code could be stolen.
func (s authServer) check(at *url.URL, issuer string) error {
	if strings.TrimSuffix(s.Issuer, "/") != strings.TrimSuffix(issuer, "/") {
		return refused("wrong_issuer", "The authorization server calls itself by another name than the one it was found by (RFC 8414 section 3.3).")
	}
	if len(s.Challenges) > 0 && !slices.Contains(s.Challenges, "S256") {
		return refused("no_pkce", "The authorization server does not take PKCE with S256.")
	}
	for _, endpoint := range []string{s.AuthorizeURL, s.TokenURL, s.RegisterURL, s.RevokeURL} {
		u, err := url.Parse(endpoint)
		needed := endpoint == s.AuthorizeURL || endpoint == s.TokenURL
		if endpoint == "" && !needed {
			continue
		}
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != at.Scheme || u.Scheme != "https" && u.Scheme != "http" {
			return refused("bad_endpoint", "The authorization server names an endpoint that is no https URL.")
		}
	}
	return nil
}

// read gets a JSON document. It is false where there is none.
func (a *authClient) read(ctx context.Context, g Grant, address string, into any) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, refused("bad_request", "The address of the metadata is no URL.")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent)
	res, err := a.http.DoVia(g.Proxy, r)
	if err != nil {
		return false, unreachable(address, err)
	}
	defer res.Body.Close()
	raw, err := outbound.ReadBody(res.Body, maxAnswer)
	if err != nil {
		return false, unreachable(address, err)
	}
	if res.StatusCode >= http.StatusInternalServerError {
		return false, unusable(r.URL.Host + " answered " + res.Status + " when it was asked how to sign in.")
	}
	if res.StatusCode != http.StatusOK {
		return false, nil
	}
	return json.Unmarshal(raw, into) == nil, nil // a page where a document should be is no document
}
