package secret

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// References is what key references need of the world around them.
type References struct {
	// Lookup reads an environment variable as os.LookupEnv does.
	Lookup func(name string) (string, bool)
	// HTTP gives the way to a key service at an address that the operator named.
	HTTP func(address string) (Doer, error)
}

// Doer sends one request.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// KeyReferences are the keys as a setting names them, with commas between them: "file:PATH", "env:NAME",
// "vault:https://HOST/MOUNT/keys/NAME", or the base64 text itself. The first wraps, all of them unwrap. A file that is named
// must exist: it is never made.
func KeyReferences(setting string, r References) KeySource {
	return func(ctx context.Context, _ bool) ([]Wrapper, error) {
		var keys []Wrapper
		for reference := range strings.SplitSeq(setting, ",") {
			found, err := r.resolve(ctx, strings.TrimSpace(reference))
			if err != nil {
				return nil, err
			}
			keys = append(keys, found...)
		}
		return keys, nil
	}
}

// FileOf gives the path of a reference to a single key file.
func FileOf(setting string) (path string, ok bool) {
	path, ok = strings.CutPrefix(strings.TrimSpace(setting), "file:")
	if !ok || strings.Contains(path, ",") {
		return "", false // what is no reference may be the key itself
	}
	return path, true
}

func (r References) resolve(ctx context.Context, reference string) ([]Wrapper, error) {
	kind, rest, _ := strings.Cut(reference, ":")
	switch kind {
	case "file":
		keys, err := readKeyFile(rest)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The master key file %s does not exist.", rest).
				WithFix("Correct the path, or make a key with: (umask 077; openssl rand -base64 %d > %s)", masterKeyBytes, rest)
		}
		return wrappers(keys), err
	case "env":
		text, found := r.Lookup(rest)
		if !found {
			return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The master key is to be read from the environment variable %s, which is not set.", rest).
				WithFix("Set %s to %d random bytes in base64 (openssl rand -base64 %d).", rest, masterKeyBytes, masterKeyBytes)
		}
		return parseKeys(text)
	case "vault":
		vault, err := openVault(ctx, rest, r)
		return []Wrapper{vault}, err
	}
	return parseKeys(reference)
}

// parseKeys reads one key or several, with commas or white space between them.
func parseKeys(text string) ([]Wrapper, error) {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t' })
	if len(words) == 0 {
		words = []string{""}
	}
	keys := make([]Wrapper, len(words))
	for i, word := range words {
		key, err := ParseMasterKey(word)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}
