package secret_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// transit behaves as Vault's Transit secrets engine does for encrypt, decrypt and rotate with keys of type aes256-gcm96: version
// in the ciphertext's prefix, associated data, Vault's status codes and words for errors.
type transit struct {
	token, namespace string

	mu     sync.Mutex
	keys   map[string][][]byte // versions by name
	sealed bool
	asked  int
}

func newTransit(t *testing.T, keys ...string) (*transit, *httptest.Server) {
	v := &transit{token: "hvs.vault-token", keys: make(map[string][][]byte)}
	for _, name := range keys {
		v.rotate(name)
	}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	return v, server
}

func (v *transit) rotate(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := make([]byte, 32)
	rand.Read(key)
	v.keys[name] = append(v.keys[name], key)
}

func (v *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	refuse := func(status int, words string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string][]string{"errors": {words}})
	}
	switch {
	case v.sealed:
		refuse(http.StatusServiceUnavailable, "Vault is sealed")
		return
	case r.Header.Get("X-Vault-Token") != v.token || r.Header.Get("X-Vault-Namespace") != v.namespace:
		refuse(http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/some/transit/")
	operation, name, _ := strings.Cut(path, "/")
	if !ok || r.Method != http.MethodPost {
		refuse(http.StatusNotFound, "no handler for route \""+strings.TrimPrefix(r.URL.Path, "/v1/")+"\". route entry not found.")
		return
	}
	var body struct {
		Plaintext      string `json:"plaintext"`
		Ciphertext     string `json:"ciphertext"`
		AssociatedData string `json:"associated_data"`
	}
	json.NewDecoder(r.Body).Decode(&body)
	versions := v.keys[name]
	if versions == nil {
		refuse(http.StatusBadRequest, "encryption key not found")
		return
	}
	bound, _ := base64.StdEncoding.DecodeString(body.AssociatedData)
	switch operation {
	case "encrypt":
		plain, _ := base64.StdEncoding.DecodeString(body.Plaintext)
		key, _ := subtle.NewAESGCM(versions[len(versions)-1])
		sealed, _ := key.Encrypt(plain, bound)
		answerVault(w, "ciphertext", fmt.Sprintf("vault:v%d:%s", len(versions), base64.StdEncoding.EncodeToString(sealed)))
	case "decrypt":
		parts := strings.SplitN(body.Ciphertext, ":", 3)
		version, err := strconv.Atoi(strings.TrimPrefix(parts[1], "v"))
		if err != nil || version < 1 || version > len(versions) {
			refuse(http.StatusBadRequest, "invalid ciphertext: version is too new")
			return
		}
		key, _ := subtle.NewAESGCM(versions[version-1])
		sealed, _ := base64.StdEncoding.DecodeString(parts[2])
		plain, err := key.Decrypt(sealed, bound)
		if err != nil {
			refuse(http.StatusBadRequest, "cipher: message authentication failed")
			return
		}
		answerVault(w, "plaintext", base64.StdEncoding.EncodeToString(plain))
	}
}

func answerVault(w http.ResponseWriter, name, value string) {
	json.NewEncoder(w).Encode(map[string]any{
		"request_id": "a6bb9c0a", "lease_id": "", "renewable": false, "lease_duration": 0, "wrap_info": nil, "warnings": nil, "auth": nil,
		"data": map[string]any{name: value, "key_version": 1},
	})
}

// inVault gives the source for a key in Vault, and the other references behind it.
func inVault(server *httptest.Server, environ map[string]string, name string, others ...string) secret.KeySource {
	reference := strings.Join(append([]string{"vault:" + server.URL + "/some/transit/keys/" + name}, others...), ",")
	return secret.KeyReferences(reference, secret.References{
		Lookup: func(name string) (string, bool) { value, ok := environ[name]; return value, ok },
		HTTP:   func(string) (secret.Doer, error) { return server.Client(), nil },
	})
}

func withToken(more ...map[string]string) map[string]string {
	environ := map[string]string{"VAULT_TOKEN": "hvs.vault-token"}
	for _, m := range more {
		maps.Copy(environ, m)
	}
	return environ
}

func TestVault(t *testing.T) {
	t.Parallel()
	vault, server := newTransit(t, "patchbay")
	store, c := new(memory), newClock()
	open := func() *secret.Keyring {
		ring, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store, Now: c.now, Source: inVault(server, withToken(), "patchbay")})
		if err != nil {
			t.Fatal(err)
		}
		return ring
	}
	ring := open()
	sealed := seal(t, project(t, ring, "pr_1"), "token", "x")
	asked := vault.asked
	for range 10 {
		opens(t, "warm", project(t, ring, "pr_1"), sealed)
		seal(t, project(t, ring, "pr_1"), "more", "y")
	}
	if vault.asked != asked {
		t.Errorf("Vault was asked %d times for a keyset that is unlocked", vault.asked-asked)
	}
	opens(t, "after a restart", project(t, open(), "pr_1"), sealed)

	store.keysets["pr_2"] = store.keysets["pr_1"]
	if _, err := ring.Project(t.Context(), "pr_2"); !fault.Is(err, fault.Invalid) {
		t.Errorf("another project's keyset opened: %v", err)
	}
	delete(store.keysets, "pr_2")

	vault.rotate("patchbay")
	if _, err := ring.Rotate(t.Context(), c.now()); err != nil {
		t.Fatal(err)
	}
	opens(t, "after a rotation", project(t, ring, "pr_1"), sealed)
	for owner, wrapped := range store.keysets {
		if !strings.Contains(string(wrapped), "vault:v2:") {
			t.Errorf("the keyset of %s is not wrapped with the newest version of the key", owner)
		}
	}
	vault.sealed = true
	opens(t, "while Vault is sealed", project(t, ring, "pr_1"), sealed)
	if _, err := ring.Project(t.Context(), "pr_new"); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "Vault is sealed") {
		t.Errorf("a new project while Vault is sealed: %v", err)
	}
}

// TestMoveToVault begins with a key file's key and ends with Vault's alone.
func TestMoveToVault(t *testing.T) {
	t.Parallel()
	_, server := newTransit(t, "patchbay")
	store, key := new(memory), secret.NewMasterKey()
	first, _ := openKeyring(t, store, key)
	sealed := seal(t, project(t, first, "pr_1"), "token", "x")
	c := newClock()
	both, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store, Now: c.now, Source: inVault(server, withToken(), "patchbay", key.Reveal())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := both.Rotate(t.Context(), c.now()); err != nil {
		t.Fatal(err)
	}
	alone, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store, Source: inVault(server, withToken(), "patchbay")})
	if err != nil {
		t.Fatal(err)
	}
	opens(t, "with Vault alone", project(t, alone, "pr_1"), sealed)
}

func TestVaultToken(t *testing.T) {
	t.Parallel()
	vault, server := newTransit(t, "patchbay")
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hvs.vault-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := new(memory)
	environ := map[string]string{"VAULT_TOKEN_FILE": file, "VAULT_TOKEN": "not this one"}
	ring, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store, Source: inVault(server, environ, "patchbay")})
	if err != nil {
		t.Fatal(err)
	}
	vault.token, vault.namespace = "hvs.renewed", ""
	if err := os.WriteFile(file, []byte("hvs.renewed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Project(t.Context(), "pr_1"); err != nil {
		t.Errorf("after the agent renewed the token: %v", err)
	}
	vault.namespace = "team"
	environ["VAULT_NAMESPACE"] = "team"
	if _, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: store, Source: inVault(server, environ, "patchbay")}); err != nil {
		t.Errorf("in a namespace: %v", err)
	}
}

// TestVaultRefusals shows that a start which cannot work says why, with a fix, and never quotes the token.
func TestVaultRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environ map[string]string
		key     string
		sealed  bool
		gone    bool
		kind    fault.Kind
		want    string
	}{
		"no token":          {map[string]string{}, "patchbay", false, false, fault.Invalid, "no token"},
		"no token file":     {map[string]string{"VAULT_TOKEN_FILE": "/does/not/exist"}, "patchbay", false, false, fault.Invalid, "/does/not/exist"},
		"wrong token":       {map[string]string{"VAULT_TOKEN": "hvs.wrong"}, "patchbay", false, false, fault.Invalid, "refuses the token"},
		"no such key":       {withToken(), "other", false, false, fault.Invalid, "has no such key"},
		"sealed":            {withToken(), "patchbay", true, false, fault.Unavailable, "Vault is sealed"},
		"nobody there":      {withToken(), "patchbay", false, true, fault.Unavailable, "cannot be reached"},
		"a path for a name": {withToken(), "../../other/keys/x", false, false, fault.Invalid, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vault, server := newTransit(t, "patchbay")
			vault.sealed = test.sealed
			if test.gone {
				server.Close()
			}
			_, err := secret.OpenKeyring(t.Context(), secret.KeyringOptions{Store: new(memory), Source: inVault(server, test.environ, test.key)})
			if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) || fault.From(err).Fix == "" {
				t.Errorf("got %v (fix %q)", err, fault.From(err).Fix)
			}
			for _, token := range test.environ {
				if strings.HasPrefix(token, "hvs.") && strings.Contains(err.Error(), token) {
					t.Errorf("the token is in the error: %v", err)
				}
			}
		})
	}
}

func TestVaultReferences(t *testing.T) {
	t.Parallel()
	for _, reference := range []string{
		"vault:", "vault:transit/keys/patchbay", "vault:https://vault/transit", "vault:https://vault/keys/a", "vault:ftp://vault/transit/keys/a",
		"vault:https://user:hunter2@vault/transit/keys/a", "vault:https://vault/transit/keys/a/b", "vault:https://vault/transit/keys/a?token=hunter2",
	} {
		_, err := secret.KeyReferences(reference, secret.References{})(t.Context(), true)
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", reference, err)
		}
	}
	refused := errors.New("no way")
	_, err := secret.KeyReferences("vault:https://vault/v1/transit/keys/a", secret.References{
		Lookup: func(string) (string, bool) { return "", false },
		HTTP:   func(string) (secret.Doer, error) { return nil, refused },
	})(t.Context(), true)
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}
