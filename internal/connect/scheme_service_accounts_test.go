package connect_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// testKey is one key for all tests: making them takes time.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func pkcs1(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func pkcs8(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// claims checks a token's signature and gives what it says.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is not a signed token", token)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	must(t, err)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&testKey().PublicKey, crypto.SHA256, sum[:], signature); err != nil {
		t.Fatal("the signature is not by the account's key")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	var out map[string]any
	must(t, json.Unmarshal(body, &out))
	return out
}

func googleFile(t *testing.T, change map[string]string) string {
	t.Helper()
	file := map[string]string{
		"type": "service_account", "client_email": "robot@project.example", "private_key_id": "key-1",
		"private_key": pkcs8(t, testKey()), "token_uri": "https://oauth2.googleapis.com/token",
	}
	for name, v := range change {
		file[name] = v
	}
	raw, err := json.Marshal(file)
	must(t, err)
	return string(raw)
}

const googleAuth = `
  - scheme: GOOGLE_SERVICE_ACCOUNT
    token_url: $URL/token
    scopes: [mail.read, mail.send]
`

func TestGoogleServiceAccount(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, googleAuth, always(200, `{"access_token":"TOKEN","expires_in":3599,"token_type":"Bearer"}`))
	c := b.config("issued", connect.GoogleServiceAccount, nil)
	view, err := b.OpenLink(b.ctx, b.link(connect.NewLink{AuthConfigID: c.ID}).Token, "browser-1")
	must(t, err)
	if got := fieldsOf(view); got != "credentials_json*? subject" {
		t.Errorf("the page asks for %s", got)
	}
	l, step := b.byForm(c, map[string]string{"credentials_json": googleFile(t, nil), "subject": "ann@project.example"})
	if step.View.Status != connect.Active {
		t.Fatal(faultsOf(step))
	}
	asked := provider.last(t)
	said := claims(t, asked.Form.Get("assertion"))
	now := b.clock.Now()
	want := map[string]any{
		"iss": "robot@project.example", "sub": "ann@project.example", "scope": "mail.read mail.send", "aud": provider.URL + "/token",
		"iat": float64(now.Add(-10 * time.Second).Unix()), "exp": float64(now.Add(time.Hour - 10*time.Second).Unix()),
	}
	if fmt.Sprint(said) != fmt.Sprint(want) || asked.Form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		t.Errorf("%v\n%v", said, want)
	}
	b.clock.Move(57 * time.Minute)
	if got := b.authorization(l.Account.ID); got != "Bearer issued-2" {
		t.Error(got)
	}

	provider.answer(always(400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`))
	b.clock.Move(2 * time.Hour)
	_, err = b.Credential(b.ctx, b.caller, b.account(l.Account.ID))
	if a := b.account(l.Account.ID); err == nil || a.Status != connect.Expired || !strings.Contains(a.StatusReason, "Invalid JWT Signature") {
		t.Errorf("%v: %s %s", err, a.Status, a.StatusReason)
	}

	// A new key for the same account: the old token goes with the old key.
	provider.answer(always(200, `{"access_token":"TOKEN","expires_in":3599}`))
	a, err := b.UpdateAccount(b.ctx, b.caller, l.Account.ID, connect.AccountPatch{Values: map[string]string{"credentials_json": googleFile(t, map[string]string{"client_email": "other@project.example"})}})
	must(t, err)
	if said := claims(t, provider.last(t).Form.Get("assertion")); said["iss"] != "other@project.example" || a.Status != connect.Active {
		t.Errorf("%v %s", said, a.Status)
	}
	if got := b.authorization(a.ID); got != fmt.Sprintf("Bearer issued-%d", provider.count()) {
		t.Error(got)
	}
	hides(t, []string{b.log.String(), fmt.Sprint(b.PublicValues(b.caller, a))}, "PRIVATE KEY", "issued-")
}

func TestGoogleKeyFiles(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, "  - scheme: GOOGLE_SERVICE_ACCOUNT\n    scopes: [a]\n", always(200, `{"access_token":"TOKEN"}`))
	c := b.config("issued", connect.GoogleServiceAccount, nil)
	for name, test := range map[string]struct{ file, want string }{
		"a host of their own":   {googleFile(t, map[string]string{"token_uri": provider.URL + "/token"}), "token_uri of the key file is not Google's"},
		"http":                  {googleFile(t, map[string]string{"token_uri": "http://oauth2.googleapis.com/token"}), "token_uri"},
		"a host that looks so":  {googleFile(t, map[string]string{"token_uri": "https://oauth2.googleapis.com.evil.example/token"}), "token_uri"},
		"a name before a host":  {googleFile(t, map[string]string{"token_uri": "https://oauth2.googleapis.com@evil.example/token"}), "token_uri"},
		"another port":          {googleFile(t, map[string]string{"token_uri": "https://oauth2.googleapis.com:8443/token"}), "token_uri"},
		"not JSON":              {"secret-file-text", "not JSON"},
		"key of another kind":   {googleFile(t, map[string]string{"type": "authorized_user"}), "not a key of a service account"},
		"a key that is no key":  {googleFile(t, map[string]string{"private_key": "secret-file-text"}), "not an RSA private key"},
		"a key that is damaged": {googleFile(t, map[string]string{"private_key": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"}), "not an RSA private key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, step := b.byForm(c, map[string]string{"credentials_json": test.file})
			if !strings.Contains(step.Faults["credentials_json"], test.want) {
				t.Errorf("%+v", step.Faults)
			}
			hides(t, []string{faultsOf(step)}, "secret-file-text", "c2VjcmV0")
		})
	}
	if provider.count() != 0 {
		t.Errorf("%d requests left for where the file said", provider.count())
	}
}

const appAuth = `
  - scheme: SERVICE_ACCOUNT
    token_url: $URL/app/installations/{installation_id}/access_tokens
    token_json: true
    token_headers: {Accept: application/vnd.issued+json}
`

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	var b *bed
	ok := func(asked) (int, string) {
		return 201, `{"token":"TOKEN","expires_at":"` + b.clock.Now().Add(time.Hour).Format(time.RFC3339) + `","permissions":{}}`
	}
	b, provider := newIssuedBed(t, appAuth, ok)
	c := b.config("issued", connect.ServiceAccount, nil)
	oneLine := strings.ReplaceAll(pkcs1(testKey()), "\n", "") // as an input of one line makes it of what was pasted
	l, step := b.byForm(c, map[string]string{"application_id": "12345", "installation_id": "678", "private_key": oneLine})
	if step.View.Status != connect.Active {
		t.Fatal(faultsOf(step))
	}
	first := provider.last(t)
	said := claims(t, strings.TrimPrefix(first.Header.Get("Authorization"), "Bearer "))
	now := b.clock.Now()
	if first.Path != "/app/installations/678/access_tokens" || first.Header.Get("Accept") != "application/vnd.issued+json" || said["iss"] != "12345" ||
		said["iat"] != float64(now.Add(-time.Minute).Unix()) || said["exp"].(float64) > float64(now.Add(10*time.Minute).Unix()) {
		t.Errorf("%s %v %v", first.Path, first.Header, said)
	}
	if a := b.account(l.Account.ID); !a.TokenExpiry.Equal(now.Add(time.Hour)) || b.authorization(a.ID) != "Bearer issued-1" {
		t.Errorf("%+v", a)
	}
	b.clock.Move(58 * time.Minute)
	if got := b.authorization(l.Account.ID); got != "Bearer issued-2" {
		t.Error(got)
	}

	for _, trouble := range []string{`<html>Blocked</html>`, `{"message":"You have exceeded a secondary rate limit"}`} {
		provider.answer(always(403, trouble))
		b.clock.Move(90 * time.Minute)
		if _, err := b.Credential(b.ctx, b.caller, b.account(l.Account.ID)); !fault.Is(err, fault.Unavailable) || b.account(l.Account.ID).Status != connect.Active {
			t.Errorf("%s: %v, %s", trouble, err, b.account(l.Account.ID).Status)
		}
	}
	provider.answer(func(a asked) (int, string) {
		return 404, `{"message":"Integration not found for ` + strings.TrimPrefix(a.Header.Get("Authorization"), "Bearer ") + `"}`
	})
	b.clock.Move(time.Hour)
	_, err := b.Credential(b.ctx, b.caller, b.account(l.Account.ID))
	a := b.account(l.Account.ID)
	if err == nil || a.Status != connect.Expired || !strings.Contains(a.StatusReason, "404: Integration not found") {
		t.Errorf("%v: %s %s", err, a.Status, a.StatusReason)
	}
	hides(t, []string{a.StatusReason, b.log.String()}, "eyJ")
}

func TestServiceAccountKeys(t *testing.T) {
	t.Parallel()
	b, provider := newIssuedBed(t, appAuth, always(201, `{"token":"TOKEN","expires_at":"2020-01-01T00:00:00Z"}`))
	c := b.config("issued", connect.ServiceAccount, nil)
	for name, key := range map[string]string{
		"PKCS 1": pkcs1(testKey()), "PKCS 8": pkcs8(t, testKey()), "escaped breaks": strings.ReplaceAll(pkcs1(testKey()), "\n", `\n`),
		"blanks for breaks": strings.ReplaceAll(pkcs8(t, testKey()), "\n", " "),
	} {
		t.Run(name, func(t *testing.T) {
			a, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{
				"application_id": "1", "installation_id": "2", "private_key": key,
			}})
			must(t, err)
			if !a.TokenExpiry.IsZero() { // a time that is over is a clock that is wrong, and must not make every call ask anew
				t.Error(a.TokenExpiry)
			}
		})
	}
	before := provider.count()
	_, err := b.ImportAccount(b.ctx, b.caller, connect.NewAccount{AuthConfigID: c.ID, UserID: "u", Values: map[string]string{
		"application_id": "1", "installation_id": "2", "private_key": "-----BEGIN EC PRIVATE KEY-----\nsecretsecret\n-----END EC PRIVATE KEY-----",
	}})
	wantFault(t, err, fault.Invalid, fault.SlugAccountInvalid, "not an RSA private key")
	hides(t, []string{err.Error()}, "secretsecret")
	if provider.count() != before {
		t.Error("something was sent without a key")
	}
}
