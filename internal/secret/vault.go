package secret

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

const (
	vaultTimeout   = 10 * time.Second
	maxVaultAnswer = 1 << 20
)

// vaultKey is a key in the Transit secrets engine of HashiCorp Vault or OpenBao (API: "Transit secrets engine", encrypt and
// decrypt). The key never leaves Vault; a keyset goes there to be wrapped, bound to its owner as associated data.
type vaultKey struct {
	origin    string // https://host:8200
	mount     string // path of the secrets engine, "transit"
	name      string
	namespace string
	token     func() (Value, error)
	http      Doer
}

// openVault reads the part of a reference after "vault:". Nothing is asked yet. The token comes from the file that
// VAULT_TOKEN_FILE names, read each time so that an agent may renew it, or from VAULT_TOKEN.
func openVault(_ context.Context, address string, r References) (*vaultKey, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, badVault()
	}
	mount, name, ok := strings.Cut(strings.TrimPrefix(strings.Trim(u.Path, "/"), "v1/"), "/keys/")
	if !ok || mount == "" || name == "" || strings.Contains(name, "/") {
		return nil, badVault()
	}
	way, err := r.HTTP(address)
	if err != nil {
		return nil, fmt.Errorf("find a way to Vault: %w", err)
	}
	namespace, _ := r.Lookup("VAULT_NAMESPACE")
	return &vaultKey{origin: u.Scheme + "://" + u.Host, mount: mount, name: name, namespace: namespace, token: vaultToken(r.Lookup), http: way}, nil
}

func badVault() error { // the reference is not quoted: it may be a key with a slip
	return fault.New(fault.Invalid, fault.SlugInvalid, "The reference to the master key in Vault cannot be read.").
		WithFix("Write it as vault:https://HOST:8200/MOUNT/keys/NAME, for example vault:https://vault.example.com:8200/transit/keys/patchbay.")
}

func vaultToken(lookup func(string) (string, bool)) func() (Value, error) {
	return func() (Value, error) {
		if path, ok := lookup("VAULT_TOKEN_FILE"); ok && path != "" {
			text, err := os.ReadFile(path)
			if err != nil {
				return Value{}, fault.New(fault.Invalid, fault.SlugInvalid, "The file with the token for Vault, %s, cannot be read.", path).
					WithFix("Correct VAULT_TOKEN_FILE, or see that the agent that writes it runs.").Because(err)
			}
			return Hide(strings.TrimSpace(string(text))), nil
		}
		if token, ok := lookup("VAULT_TOKEN"); ok && token != "" {
			return Hide(token), nil
		}
		return Value{}, fault.New(fault.Invalid, fault.SlugInvalid, "The master key is in Vault, and there is no token for Vault.").
			WithFix("Set VAULT_TOKEN, or VAULT_TOKEN_FILE to the file in which an agent keeps one.")
	}
}

// Name implements Wrapper.
func (v *vaultKey) Name() string { return "Vault key " + v.mount + "/" + v.name }

// Wrap implements Wrapper.
func (v *vaultKey) Wrap(ctx context.Context, keyset []byte, owner string) ([]byte, error) {
	var answer struct {
		Data struct {
			Ciphertext string `json:"ciphertext"`
		} `json:"data"`
	}
	err := v.call(ctx, "encrypt", map[string]string{"plaintext": inBase64(keyset), "associated_data": inBase64([]byte(owner))}, &answer)
	if err == nil && !ofVault([]byte(answer.Data.Ciphertext)) {
		err = v.fault(fault.Unavailable, "answers without a ciphertext")
	}
	return []byte(answer.Data.Ciphertext), err
}

// Unwrap implements Wrapper.
func (v *vaultKey) Unwrap(ctx context.Context, wrapped []byte, owner string) ([]byte, error) {
	if !ofVault(wrapped) {
		return nil, ErrOtherKey
	}
	var answer struct {
		Data struct {
			Plaintext string `json:"plaintext"`
		} `json:"data"`
	}
	err := v.call(ctx, "decrypt", map[string]string{"ciphertext": string(wrapped), "associated_data": inBase64([]byte(owner))}, &answer)
	if err != nil {
		return nil, err
	}
	keyset, err := base64.StdEncoding.DecodeString(answer.Data.Plaintext)
	if err != nil {
		return nil, v.fault(fault.Unavailable, "answers with something that is not base64")
	}
	return keyset, nil
}

// ofVault recognises what Transit wrapped: "vault:v1:…".
func ofVault(wrapped []byte) bool { return bytes.HasPrefix(wrapped, []byte("vault:v")) }

func inBase64(plain []byte) string { return base64.StdEncoding.EncodeToString(plain) }

// call asks Transit to do something with the key.
func (v *vaultKey) call(ctx context.Context, operation string, body map[string]string, answer any) error {
	token, err := v.token()
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.origin+"/v1/"+v.mount+"/"+operation+"/"+v.name, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Vault-Token", token.Reveal())
	req.Header.Set("X-Vault-Request", "true")
	if v.namespace != "" {
		req.Header.Set("X-Vault-Namespace", v.namespace)
	}
	resp, err := v.http.Do(req)
	if err != nil {
		return v.fault(fault.Unavailable, "cannot be reached").Because(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxVaultAnswer))
	if err != nil {
		return v.fault(fault.Unavailable, "broke off its answer").Because(err)
	}
	if resp.StatusCode != http.StatusOK {
		return v.refusal(operation, resp.StatusCode, content)
	}
	if json.Unmarshal(content, answer) != nil { // the cause would quote the keyset
		return v.fault(fault.Unavailable, "answers with something that is not JSON")
	}
	return nil
}

// refusal explains an answer of Vault that is none. Vault's own words name paths and causes, never contents.
func (v *vaultKey) refusal(operation string, status int, content []byte) error {
	var said struct {
		Errors []string `json:"errors"`
	}
	json.Unmarshal(content, &said) //nolint:errcheck // a proxy's page: the status says enough
	words := strings.Join(said.Errors, "; ")
	switch {
	case operation == "decrypt" && status == http.StatusBadRequest && strings.Contains(words, "message authentication failed"):
		return ErrOtherKey
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return v.fault(fault.Invalid, "refuses the token").
			WithFix("Give a token whose policy allows update on %s/encrypt/%s and %s/decrypt/%s (VAULT_TOKEN or VAULT_TOKEN_FILE).", v.mount, v.name, v.mount, v.name)
	case status == http.StatusNotFound:
		return v.fault(fault.Invalid, "has no secrets engine at %s/", v.mount).
			WithFix("Correct the reference, or: vault secrets enable -path=%s transit", v.mount)
	case status == http.StatusBadRequest && strings.Contains(words, "key not found"):
		return v.fault(fault.Invalid, "has no such key").WithFix("vault write -f %s/keys/%s", v.mount, v.name)
	case status == http.StatusBadRequest:
		return v.fault(fault.Invalid, "refuses to %s: %s", operation, words)
	case words != "":
		return v.fault(fault.Unavailable, "answers with status %d: %s", status, words)
	}
	return v.fault(fault.Unavailable, "answers with status %d", status)
}

func (v *vaultKey) fault(kind fault.Kind, format string, args ...any) *fault.Error {
	f := fault.New(kind, fault.SlugInvalid, "Vault at %s, which holds the master key %s/%s, %s.", v.origin, v.mount, v.name, fmt.Sprintf(format, args...))
	if kind == fault.Unavailable {
		f.Slug = fault.SlugUnavailable
		f.Fix = "See that Vault runs, is unsealed and can be reached from here. What was unlocked before goes on working."
	}
	return f
}
