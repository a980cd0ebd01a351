package authserver

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// A client may have a document instead of a registration: its id is the https address at which it describes itself (OAuth Client ID
// Metadata Document, draft-ietf-oauth-client-id-metadata-document). So the host of the address vouches for the name.

const (
	maxDocument      = 16 << 10
	documentTime     = 5 * time.Second
	documentsCached  = 256
	documentLife     = time.Hour // when the answer does not say
	documentLifeMost = 24 * time.Hour
	documentLifeLess = time.Minute // also of a failure
)

// clientDocument is what is read of a document; its members are those of RFC 7591.
type clientDocument struct {
	ClientID     string     `json:"client_id"`
	ClientName   string     `json:"client_name"`
	RedirectURIs []string   `json:"redirect_uris"`
	AuthMethod   AuthMethod `json:"token_endpoint_auth_method"`
	GrantTypes   []string   `json:"grant_types"`
	Secret       any        `json:"client_secret"`
}

// document gives the client that describes itself at an address, as it was read a while ago or now.
func (s *Service) document(ctx context.Context, clientID, from string) (Client, error) {
	if s.http == nil {
		return Client{}, badDocument(clientID, "this server does not read such documents")
	}
	if err := checkDocumentURL(clientID); err != nil {
		return Client{}, err
	}
	if held, ok := s.documents.Get(clientID); ok && s.now().Before(held.until) {
		return held.client, held.err
	}
	if err := s.fetches.admit(from, s.now()); err != nil {
		return Client{}, err
	}
	client, life, err := s.fetchDocument(ctx, clientID)
	if ctx.Err() == nil { // the person gave up: that says nothing about the document
		s.documents.Put(clientID, heldDocument{client, err, s.now().Add(life)}, s.documents.Mark())
	}
	return client, err
}

// checkDocumentURL says whether an address can be a client id: https, a host and a path, written in one way only.
func checkDocumentURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 1024 || strings.ContainsFunc(text, notInURIs) || u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return badDocument(text, "it is not an https address")
	case u.User != nil || strings.Contains(text, "#"):
		return badDocument(text, "it has a user name or a fragment")
	case u.Path == "" || u.Path == "/" || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/"):
		return badDocument(text, "it has no path of its own, or one with dots in it")
	}
	return nil
}

// fetchDocument reads and checks a document. Redirects are not followed: the address itself has to have it.
func (s *Service) fetchDocument(ctx context.Context, clientID string) (Client, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, documentTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, clientID, nil)
	if err != nil {
		return Client{}, documentLifeLess, badDocument(clientID, "it is not an https address")
	}
	req.Header.Set("Accept", "application/json")
	res, err := s.http.Do(req)
	if err != nil {
		return Client{}, documentLifeLess, unreadable(clientID, err)
	}
	defer res.Body.Close()
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode != http.StatusOK || err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return Client{}, documentLifeLess, badDocument(clientID, "it does not answer with a JSON document")
	}
	body, err := outbound.ReadBody(res.Body, maxDocument)
	if err != nil {
		return Client{}, documentLifeLess, unreadable(clientID, err)
	}
	var d clientDocument
	if err := json.Unmarshal(body, &d); err != nil {
		return Client{}, documentLifeLess, badDocument(clientID, "it does not answer with a JSON document")
	}
	client, err := d.client(clientID)
	return client, lifeOf(res.Header.Get("Cache-Control")), err
}

// client checks what a document says. Web addresses that it sends answers to have to be of its own host: what vouches for the
// client's name is the host, and it cannot speak for another.
func (d clientDocument) client(clientID string) (Client, error) {
	n := NewClient{Name: d.ClientName, RedirectURIs: d.RedirectURIs, AuthMethod: d.AuthMethod, GrantTypes: d.GrantTypes}
	if n.AuthMethod == "" {
		n.AuthMethod = Public
	}
	switch {
	case d.ClientID != clientID:
		return Client{}, badDocument(clientID, "the client_id in the document is another one")
	case d.Secret != nil || n.AuthMethod != Public:
		return Client{}, badDocument(clientID, "only public clients can be described by a document here (token_endpoint_auth_method none)")
	}
	if err := checkNewClient(&n); err != nil {
		return Client{}, badDocument(clientID, strings.TrimSuffix(fault.From(err).Message, "."))
	}
	own := hostOf(clientID)
	for _, uri := range n.RedirectURIs {
		if u, err := url.Parse(uri); err != nil || u.Scheme == "https" && u.Host != own {
			return Client{}, badDocument(clientID, "it wants answers sent to another host than its own")
		}
	}
	return Client{ID: clientID, Name: cleanName(n.Name), RedirectURIs: n.RedirectURIs, AuthMethod: Public, Refreshes: slices.Contains(n.GrantTypes, "refresh_token")}, nil
}

func badDocument(clientID, reason string) *fault.Error {
	return fault.New(fault.Invalid, fault.SlugOAuthInvalidClient, "The program that sent you says that it is described at %s, but %s.", shorten(clientID), reason).
		WithFix("Tell the makers of the program.")
}

// unreadable keeps the reason to the log: it could tell a stranger what is in the network around this server.
func unreadable(clientID string, cause error) error {
	return badDocument(clientID, "that address cannot be read").Because(cause)
}

// lifeOf says how long an answer may be believed, within bounds of our own.
func lifeOf(cacheControl string) time.Duration {
	life := documentLife
	for directive := range strings.SplitSeq(cacheControl, ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return documentLifeLess
		case "max-age":
			if seconds, err := strconv.Atoi(strings.Trim(value, `"`)); err == nil {
				life = time.Duration(min(max(seconds, 0), int(documentLifeMost/time.Second))) * time.Second
			}
		}
	}
	return max(life, documentLifeLess)
}

// heldDocument is what was found at an address: a client, or that there is none.
type heldDocument struct {
	client Client
	err    error
	until  time.Time
}
