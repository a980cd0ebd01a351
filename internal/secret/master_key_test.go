package secret_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestParseMasterKey(t *testing.T) {
	t.Parallel()
	key := secret.NewMasterKey()
	raw, err := base64.StdEncoding.DecodeString(key.Reveal())
	if err != nil || len(raw) != 32 {
		t.Fatalf("a new key is %d bytes: %v", len(raw), err)
	}
	for name, text := range map[string]string{
		"as it is written": key.Reveal(),
		"with a newline":   " " + key.Reveal() + "\n",
		"without padding":  strings.TrimRight(key.Reveal(), "="),
		"URL alphabet":     base64.URLEncoding.EncodeToString(raw),
		"URL, unpadded":    base64.RawURLEncoding.EncodeToString(raw),
	} {
		if got, err := secret.ParseMasterKey(text); err != nil || got != key {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"empty":         "",
		"not base64":    "hunter2 hunter2 hunter2 hunter2 hunter2 hunter",
		"31 bytes":      base64.StdEncoding.EncodeToString(raw[:31]),
		"33 bytes":      base64.StdEncoding.EncodeToString(append(raw, 0)),
		"16 bytes":      base64.StdEncoding.EncodeToString(raw[:16]),
		"hex, 64 chars": fmt.Sprintf("%x", raw),
	} {
		_, err := secret.ParseMasterKey(text)
		if !fault.Is(err, fault.Invalid) || fault.From(err).Fix == "" {
			t.Errorf("%s: got %v, want a fault of kind Invalid with a fix", name, err)
		}
		if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the key is in the error: %v", name, err)
		}
	}
}

func TestMasterKeyHidesItself(t *testing.T) {
	t.Parallel()
	key := secret.NewMasterKey()
	asJSON, err := json.Marshal(struct{ Key secret.MasterKey }{key})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("", "key", key)
	raw, _ := base64.StdEncoding.DecodeString(key.Reveal())
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", key), "%+v": fmt.Sprintf("%+v", struct{ K secret.MasterKey }{key}), "%#v": fmt.Sprintf("%#v", key),
		"%s": fmt.Sprintf("%s", key), "%d": fmt.Sprintf("%d", key), "json": string(asJSON), "slog": logged.String(),
	} {
		if !strings.Contains(text, "[redacted]") || strings.Contains(text, fmt.Sprint(raw[0])+" "+fmt.Sprint(raw[1])) {
			t.Errorf("%s: %s", name, text)
		}
	}
}
