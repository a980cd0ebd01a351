package connect

import (
	"context"
	"net/url"
	"strings"
)

// cimdScheme is CIMD_OAUTH: the authorization server is discovered, and knows us by the address of a document that says who we are
// (OAuth Client ID Metadata Document). Nothing is registered; this server has to be reachable from the other one by https.
type cimdScheme struct{ discovered }

// ClientDocumentPath is where this server serves the document, below its own address.
const ClientDocumentPath = "/oauth/client.json"

// Begin discovers the server and says where the browser goes.
func (s cimdScheme) Begin(ctx context.Context, g Grant, h *Handshake) (string, error) {
	server, err := s.auth.discover(ctx, g)
	if err != nil {
		return "", err
	}
	if !server.TakesAddress {
		return "", refused("no_client_documents", "The authorization server of "+g.Toolkit.Name+" does not know clients by the address of a document; use DCR_OAUTH.")
	}
	own, err := url.Parse(h.RedirectURI)
	if err != nil || own.Scheme != "https" {
		return "", refused("no_public_address", "CIMD_OAUTH needs this server to be reached by https; use DCR_OAUTH, or set public_url.")
	}
	prefix, _, _ := strings.Cut(own.Path, "/api/") // a public URL may have a path of its own in front of the callback's
	client := own.Scheme + "://" + own.Host + prefix + ClientDocumentPath
	return server.begin(ctx, g, h, server.hold(client, "", "body"))
}

// ClientDocument is what this server says of itself as a client, for the origin under which it is reached.
type ClientDocument struct {
	ID         string   `json:"client_id"`
	Name       string   `json:"client_name"`
	URI        string   `json:"client_uri"`
	Redirects  []string `json:"redirect_uris"`
	GrantTypes []string `json:"grant_types"`
	Responses  []string `json:"response_types"`
	ClientAuth string   `json:"token_endpoint_auth_method"`
	Type       string   `json:"application_type"`
}

// DescribeClient makes the document for an origin and the paths of its OAuth callbacks.
func DescribeClient(origin string, callbacks ...string) ClientDocument {
	d := ClientDocument{
		ID: origin + ClientDocumentPath, Name: clientName, URI: origin,
		GrantTypes: []string{"authorization_code", "refresh_token"}, Responses: []string{"code"}, ClientAuth: "none", Type: "web",
	}
	for _, path := range callbacks {
		d.Redirects = append(d.Redirects, origin+path)
	}
	return d
}
