package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestSecretsDoNotReachTheLog(t *testing.T) {
	t.Parallel()
	const hidden = "hunter2hunter2hunter2"
	for name, attr := range map[string]slog.Attr{
		"a secret value":             slog.Any("client", secret.Hide(hidden)),
		"an attribute by its name":   slog.String("refresh_token", hidden),
		"in any case":                slog.String("Authorization", hidden),
		"a key inside an error":      slog.Any("error", errors.New("no such key ak_"+hidden)),
		"a session token in a text":  slog.String("reason", "pst_"+hidden+" is not known"),
		"a link token in a path":     slog.String("path", "/link/lt_"+hidden),
		"a bearer inside an error":   slog.Any("error", errors.New("header Authorization: Bearer "+hidden)),
		"a password in a URL":        slog.Any("error", errors.New("dial postgres://bay:"+hidden+"@db.example/bay")),
		"one inside a group":         slog.Group("request", slog.String("cookie", hidden)),
		"a header whose name is not": slog.Group("h", slog.String("x", "Basic "+hidden)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range []string{"text", "json"} {
				var out bytes.Buffer
				NewLogger(config.Config{LogFormat: format}, &out).LogAttrs(t.Context(), slog.LevelInfo, "x", attr)
				if strings.Contains(out.String(), hidden) || !strings.Contains(out.String(), redacted) {
					t.Errorf("%s: %s", format, out.String())
				}
			}
		})
	}
}

func TestLogKeepsWhatIsNotSecret(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := NewLogger(config.Config{LogFormat: "auto"}, &out) // not a terminal: JSON
	log.Debug("hidden by the level")
	log.Info("request", "route", "POST /api/v3.1/tool_router/session", "request_id", "req_PTncEoK-r2ZE", "status", 201,
		"error", errors.New("dial tcp 10.0.0.1:443: connection refused"), "session", "trs_PTncEoK-r2ZE")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	for key, want := range map[string]any{
		"route": "POST /api/v3.1/tool_router/session", "request_id": "req_PTncEoK-r2ZE", "status": 201.0,
		"error": "dial tcp 10.0.0.1:443: connection refused", "session": "trs_PTncEoK-r2ZE",
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
}
