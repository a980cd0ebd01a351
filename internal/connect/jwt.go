package connect

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// signJWT makes a JSON Web Token that is signed with RS256 (RFC 7515, RFC 7519). The key id may be empty.
func signJWT(key *rsa.PrivateKey, keyID string, claims any) (string, error) {
	head, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
		KeyID     string `json:"kid,omitempty"`
	}{"RS256", "JWT", keyID})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	signature, err := signRS256(key, signed)
	if err != nil {
		return "", err
	}
	return signed + "." + signature, nil
}

// signRS256 gives the signature of a text as JSON Web Signatures have it (RFC 7518 section 3.3).
func signRS256(key *rsa.PrivateKey, text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	return base64.RawURLEncoding.EncodeToString(signature), err
}

// errNotAKey quotes nothing of what it was given.
var errNotAKey = errors.New("it is not an RSA private key in PEM form")

// largestKey is in bits. Signing takes eight times as long with a key of twice the size: with the largest that fits into the form
// of a Connect page it would keep a processor busy for minutes, for whoever has a link.
const largestKey = 8192

var errKeyTooLarge = errors.New("it has more than 8192 bits")

// readPrivateKey reads an RSA private key in PEM form, PKCS #1 or PKCS #8. Line breaks may be missing or written as \n: a
// one-line input of a form drops them, and environment files write them so.
func readPrivateKey(text string) (*rsa.PrivateKey, error) {
	_, rest, begun := strings.Cut(text, "-----BEGIN ")
	kind, rest, named := strings.Cut(rest, "-----")
	encoded, _, ended := strings.Cut(rest, "-----END ")
	if !begun || !named || !ended {
		return nil, errNotAKey
	}
	encoded = strings.Join(strings.Fields(strings.ReplaceAll(encoded, `\n`, "")), "")
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errNotAKey
	}
	key, err := parsePrivateKey(kind, der)
	switch {
	case err != nil:
		return nil, errNotAKey
	case key.N.BitLen() > largestKey:
		return nil, errKeyTooLarge
	}
	return key, nil
}

func parsePrivateKey(kind string, der []byte) (*rsa.PrivateKey, error) {
	if kind == "RSA PRIVATE KEY" {
		return x509.ParsePKCS1PrivateKey(der)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(*rsa.PrivateKey)
	if err == nil && !ok {
		err = errNotAKey
	}
	return key, err
}
