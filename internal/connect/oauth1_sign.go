package connect

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the signature methods of RFC 5849 are made of it
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oauth1Signer signs requests by RFC 5849 section 3. It is safe for concurrent use.
type oauth1Signer struct {
	method         string // HMAC-SHA1, HMAC-SHA256 or RSA-SHA1
	consumer       string // key of the client
	consumerSecret string // the PEM private key for RSA-SHA1
	token, secret  string // empty while there are none
	now            func() time.Time
	nonce          func() string // nil: random
	unversioned    bool          // leave out oauth_version, which is optional
}

// sign puts the Authorization header on a request that is otherwise complete. Extra parameters (oauth_callback, oauth_verifier) go
// into the header too.
func (s oauth1Signer) sign(r *http.Request, extra map[string]string) error {
	nonce := rand.Text
	if s.nonce != nil {
		nonce = s.nonce
	}
	own := [][2]string{
		{"oauth_consumer_key", s.consumer}, {"oauth_nonce", nonce()}, {"oauth_signature_method", s.method},
		{"oauth_timestamp", strconv.FormatInt(s.now().Unix(), 10)},
	}
	if !s.unversioned {
		own = append(own, [2]string{"oauth_version", "1.0"})
	}
	if s.token != "" {
		own = append(own, [2]string{"oauth_token", s.token})
	}
	for name, v := range extra {
		own = append(own, [2]string{name, v})
	}
	base, err := signatureBase(r, own)
	if err != nil {
		return err
	}
	signature, err := s.signature(base)
	if err != nil {
		return err
	}
	own = append(own, [2]string{"oauth_signature", signature})
	parts := make([]string, len(own))
	for i, p := range own {
		parts[i] = percent(p[0]) + `="` + percent(p[1]) + `"`
	}
	slices.Sort(parts)
	r.Header.Set("Authorization", "OAuth "+strings.Join(parts, ", "))
	return nil
}

func (s oauth1Signer) signature(base string) (string, error) {
	var algorithm func() hash.Hash
	switch s.method {
	case "HMAC-SHA1":
		algorithm = sha1.New
	case "HMAC-SHA256":
		algorithm = sha256.New
	case "RSA-SHA1":
		return signRSASHA1(s.consumerSecret, base)
	default:
		return "", fmt.Errorf("there is no signature method %s", s.method)
	}
	mac := hmac.New(algorithm, []byte(percent(s.consumerSecret)+"&"+percent(s.secret)))
	io.WriteString(mac, base)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

func signRSASHA1(privateKey, base string) (string, error) {
	key, err := readPrivateKey(privateKey)
	if err != nil {
		return "", errors.New("the consumer secret must be the private key: " + err.Error())
	}
	sum := sha1.Sum([]byte(base)) //nolint:gosec // RFC 5849 section 3.4.3
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA1, sum[:])
	return base64.StdEncoding.EncodeToString(signature), err
}

// signatureBase is what is signed (section 3.4.1): the method, the URL without its query, and all parameters in order.
func signatureBase(r *http.Request, own [][2]string) (string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", errors.New("the query of the request cannot be signed")
	}
	form, err := formOf(r)
	if err != nil {
		return "", err
	}
	var pairs [][2]string
	for _, p := range own {
		pairs = append(pairs, [2]string{percent(p[0]), percent(p[1])})
	}
	for _, values := range []url.Values{query, form} {
		for name, each := range values {
			for _, v := range each {
				pairs = append(pairs, [2]string{percent(name), percent(v)})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	joined := make([]string, len(pairs))
	for i, p := range pairs {
		joined[i] = p[0] + "=" + p[1]
	}
	return strings.ToUpper(r.Method) + "&" + percent(baseURI(r)) + "&" + percent(strings.Join(joined, "&")), nil
}

// formOf reads the parameters of a form (section 3.4.1.3.1) and leaves the body as it was. Other bodies are not signed.
func formOf(r *http.Request) (url.Values, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" || r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.GetBody == nil {
		return nil, errors.New("a form that is sent as a stream cannot be signed")
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, errors.New("the form of the request cannot be signed")
	}
	return form, nil
}

// baseURI is the URL by section 3.4.1.2.
func baseURI(r *http.Request) string {
	scheme, host := strings.ToLower(r.URL.Scheme), strings.ToLower(r.URL.Host)
	if name, port := r.URL.Hostname(), r.URL.Port(); scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		host = strings.ToLower(name)
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path
}

// percent encodes by section 3.6, which leaves fewer characters alone than URLs do.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
