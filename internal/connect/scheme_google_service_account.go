package connect

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// googleServiceAccountScheme is GOOGLE_SERVICE_ACCOUNT: a key file of Google Cloud, exchanged for tokens by a signed assertion
// (RFC 7523 section 2.1), as itself or, where the domain allows it, as one of its people.
type googleServiceAccountScheme struct{ auth *authClient }

func (googleServiceAccountScheme) ConfigFields(declared []catalog.Field) []catalog.Field {
	return declared
}

func (googleServiceAccountScheme) AccountFields(declared []catalog.Field) []catalog.Field {
	return withUsual(declared,
		catalog.Field{
			Name: "credentials_json", Title: "Key file", Type: "string", Required: true, Secret: true,
			Description: "The whole JSON file of a key of the service account.",
			Help:        "https://cloud.google.com/iam/docs/keys-create-delete",
		},
		catalog.Field{
			Name: "subject", Title: "Act as", Type: "string",
			Description: "E-mail address of the person to act as, where the domain lets the service account do that.",
		})
}

func (googleServiceAccountScheme) Place(g Grant, c *Credential) error { return placeToken(g, c) }

func (googleServiceAccountScheme) issuing()     {}
func (googleServiceAccountScheme) replaceable() {}

func (googleServiceAccountScheme) CanRefresh(g Grant) bool {
	return !held(g, "credentials_json").Empty()
}

// Refresh signs an assertion and exchanges it.
func (s googleServiceAccountScheme) Refresh(ctx context.Context, g Grant) (Tokens, error) {
	file, err := readKeyFile(held(g, "credentials_json"))
	if err != nil {
		return Tokens{}, err
	}
	target, err := file.tokenURL(g.Declared.OAuth2)
	if err != nil {
		return Tokens{}, err
	}
	key, err := readPrivateKey(file.PrivateKey)
	if err != nil {
		return Tokens{}, refused("bad_key_file", "The private_key of the key file does not work: "+err.Error()+".")
	}
	subject, asked := held(g, "subject").Reveal(), s.auth.now()
	assertion, err := signJWT(key, file.PrivateKeyID, googleClaims{
		Issuer: file.ClientEmail, Subject: subject, Scope: strings.Join(g.Scopes, " "), Audience: target,
		// A clock that is ahead of Google's would make assertions of the future, which are refused.
		IssuedAt: asked.Add(-10 * time.Second).Unix(), Expires: asked.Add(time.Hour - 10*time.Second).Unix(),
	})
	if err != nil {
		return Tokens{}, refused("bad_key_file", "The key of the key file cannot sign.")
	}
	form := map[string]string{"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
	body, err := s.auth.post(ctx, http.MethodPost, target, g, requestForm{values: form})
	if err != nil {
		return Tokens{}, scrubbed(err, g, form)
	}
	t, err := readTokens(body, g.Declared.OAuth2, asked)
	if err != nil {
		return Tokens{}, err
	}
	t.Who = Identity{ID: file.ClientEmail, Email: file.ClientEmail}
	if subject != "" {
		t.Who = Identity{ID: subject, Email: subject}
	}
	return t, nil
}

type googleClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub,omitempty"`
	Scope    string `json:"scope,omitempty"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// keyFile is what Google's console gives out as a key of a service account.
type keyFile struct {
	Type         string `json:"type"`
	ClientEmail  string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	PrivateKeyID string `json:"private_key_id"`
	TokenURI     string `json:"token_uri"`
}

// readKeyFile quotes nothing of the file in its errors.
func readKeyFile(v secret.Value) (keyFile, error) {
	var f keyFile
	if err := json.Unmarshal([]byte(v.Reveal()), &f); err != nil {
		return f, refused("bad_key_file", "The key file is not JSON. Give the whole file, from { to }.")
	}
	switch {
	case f.Type != "service_account":
		return f, refused("bad_key_file", `The file is not a key of a service account: its type is not "service_account".`)
	case f.ClientEmail == "" || f.PrivateKey == "":
		return f, refused("bad_key_file", "The key file lacks client_email or private_key.")
	}
	return f, nil
}

// googleTokenHosts are where Google's key files have ever sent their holders.
var googleTokenHosts = []string{"oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com"}

// tokenURL is where tokens are asked for. Whoever fills in the form chooses the file, so what it says is taken only if it is
// Google's; another address is said by the toolkit or the operator (docs/decisions/0096).
func (f keyFile) tokenURL(o *catalog.OAuth2) (string, error) {
	if o != nil && o.TokenURL != nil {
		return o.TokenURL.ExpandFields(nil)
	}
	if f.TokenURI == "" {
		return "https://oauth2.googleapis.com/token", nil
	}
	u, err := url.Parse(f.TokenURI)
	if err != nil || u.Scheme != "https" || u.User != nil || !slices.Contains(googleTokenHosts, u.Host) {
		return "", refused("foreign_token_uri", "The token_uri of the key file is not Google's.")
	}
	return f.TokenURI, nil
}
