package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestValueHidesItself(t *testing.T) {
	t.Parallel()
	v := secret.Hide("hunter2")
	if v.Reveal() != "hunter2" || v.Empty() || !secret.Hide("").Empty() {
		t.Fatal("a value does not hold what it was given")
	}
	if v != secret.Hide("hunter"+string(rune('2'))) || v == secret.Hide("hunter3") || secret.Hide("") != (secret.Value{}) {
		t.Error("values are not compared by their texts")
	}
	held := struct {
		V secret.Value
		P *secret.Value
		M map[string]secret.Value
		u secret.Value // fmt does not ask the methods of an unexported field
	}{v, &v, map[string]secret.Value{"k": v}, v}
	asJSON, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	var text, jsonLog strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Info("", "v", v, "held", held)
	slog.New(slog.NewJSONHandler(&jsonLog, nil)).Info("", "v", v, "held", held)
	printed := map[string]string{
		"error": fmt.Errorf("with %v", v).Error(), "json": string(asJSON), "slog text": text.String(), "slog json": jsonLog.String(),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		printed[verb], printed["held "+verb] = fmt.Sprintf(verb, v), fmt.Sprintf(verb, held)
	}
	for name, shown := range printed {
		if strings.Contains(shown, "hunter2") || strings.Contains(strings.ToLower(shown), fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("%s: %s", name, shown)
		}
	}
}
