package connect

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestOAuth1Vectors are published examples: RFC 5849 section 1.2, and what Twitter documented for its API.
func TestOAuth1Vectors(t *testing.T) {
	t.Parallel()
	photos := oauth1Signer{method: "HMAC-SHA1", consumer: "dpf43f3p2l4k3l03", consumerSecret: "kd94hf93k423kf44"}
	with := func(s oauth1Signer, token, key string) oauth1Signer { s.token, s.secret = token, key; return s }
	tweets := oauth1Signer{
		method: "HMAC-SHA1", consumer: "xvz1evFS4wEEPTGEFPHBog", consumerSecret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
		token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
	}
	for name, test := range map[string]struct {
		signer            oauth1Signer
		method, url, form string
		at                int64
		nonce             string
		extra             map[string]string
		unversioned       bool
		want              string
	}{
		"RFC, temporary": {photos, "POST", "https://photos.example.net/initiate", "", 137131200, "wIjqoS", map[string]string{"oauth_callback": "http://printer.example.com/ready"}, true, "74KNZJeDHnMBp0EMJ9ZHt/XKycU="},
		"RFC, token":     {with(photos, "hh5s93j4hdidpola", "hdhd0244k9j7ao03"), "POST", "https://photos.example.net/token", "", 137131201, "walatlh", map[string]string{"oauth_verifier": "hfdp7dh39dks9884"}, true, "gKgrFCywp7rO0OXSjdot/IHF7IU="},
		"RFC, resource":  {with(photos, "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00"), "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", "", 137131202, "chapoH", nil, true, "MdpQcU8iPSUjWoN/UDMsK2sui9I="},
		"Twitter":        {tweets, "POST", "https://api.twitter.com/1/statuses/update.json?include_entities=true", "status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21", 1318622958, "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", nil, false, "tnnArxj06cWHq44gCs1OSKk/jLY="},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequest(test.method, test.url, strings.NewReader(test.form))
			if err != nil {
				t.Fatal(err)
			}
			if test.form != "" {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			}
			s := test.signer
			s.now, s.nonce = func() time.Time { return time.Unix(test.at, 0) }, func() string { return test.nonce }
			if test.unversioned { // the RFC's examples leave the optional oauth_version out, which changes what is signed
				s.unversioned = true
			}
			if err := s.sign(r, test.extra); err != nil {
				t.Fatal(err)
			}
			if got := signatureOf(t, r); got != test.want {
				t.Errorf("%s, want %s; %s", got, test.want, r.Header.Get("Authorization"))
			}
			if left, _ := io.ReadAll(r.Body); string(left) != test.form {
				t.Errorf("the body is %q now", left)
			}
		})
	}
}

// TestOAuth1Base is the example of RFC 5849 section 3.4.1.1: parameters of all three places, some of them twice.
func TestOAuth1Base(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequest("POST", "http://EXAMPLE.com:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", strings.NewReader("c2&a3=2+q"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := signatureBase(r, [][2]string{
		{"oauth_consumer_key", "9djdj82h48djs9d2"}, {"oauth_token", "kkk9d7dh3k39sjv7"}, {"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", "137131201"}, {"oauth_nonce", "7d8f3e4a"},
	})
	const want = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26" +
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26" +
		"oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if err != nil || got != want {
		t.Errorf("%v\n%s\n%s", err, got, want)
	}
}

func TestOAuth1OtherMethods(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	signed, err := oauth1Signer{method: "RSA-SHA1", consumerSecret: text}.signature("base")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(signed)
	sum := sha1.Sum([]byte("base"))
	if err != nil || rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA1, sum[:], raw) != nil {
		t.Error("the signature is not by the key")
	}
	// By hand: printf base | openssl dgst -sha256 -hmac 'c%20s&t' -binary | base64
	if got, err := (oauth1Signer{method: "HMAC-SHA256", consumerSecret: "c s", secret: "t"}).signature("base"); err != nil || got != "/ZKuJ6g0NQxwqx0Sjn+a3AgM3x4Nhc966L13OOiImuI=" {
		t.Errorf("%s %v", got, err)
	}
	for _, s := range []oauth1Signer{{method: "PLAINTEXT", consumerSecret: "hidden"}, {method: "RSA-SHA1", consumerSecret: "hidden"}} {
		if _, err := s.signature("base"); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", s.method, err)
		}
	}
}

func signatureOf(t *testing.T, r *http.Request) string {
	t.Helper()
	found := regexp.MustCompile(`oauth_signature="([^"]*)"`).FindStringSubmatch(r.Header.Get("Authorization"))
	if found == nil {
		t.Fatalf("not signed: %q", r.Header.Get("Authorization"))
	}
	v, err := url.QueryUnescape(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return v
}
