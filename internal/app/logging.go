package app

import (
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/app/config"
)

// NewLogger makes the server's log as the settings want it: text for a person at a terminal, JSON for machines.
func NewLogger(c config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel, ReplaceAttr: redact}
	if c.LogFormat == "text" || c.LogFormat == "auto" && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	state, err := file.Stat()
	return err == nil && state.Mode()&os.ModeCharDevice != 0
}

// redact is the last line of defence: secrets are secret.Values, which hide themselves, but an error of a library may carry
// what it was given.
func redact(_ []string, a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	if slices.Contains(secretNames, strings.ToLower(a.Key)) {
		return slog.String(a.Key, redacted)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, redactText(a.Value.String()))
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			return slog.String(a.Key, redactText(err.Error()))
		}
	}
	return a
}

const redacted = "[redacted]"

// secretNames are attributes that nobody should log, in case somebody does.
var secretNames = []string{
	"authorization", "cookie", "set-cookie", "x-api-key", "api_key", "access_token", "refresh_token", "id_token",
	"client_secret", "password", "secret", "token", "code", "code_verifier", "state", "master_key",
}

// secretText finds our own credentials and bearer tokens inside longer texts, and passwords inside URLs.
var secretText = regexp.MustCompile(`\b(?:ak|pst|lt)_[A-Za-z0-9_-]{16,}|(?i:bearer|basic) [A-Za-z0-9._~+/=-]{8,}|://[^/\s:@]*:[^/\s@]+@`)

// secretMarks are what secretText can only match around: most values hold none of them, and every request is logged.
var secretMarks = []string{"ak_", "pst_", "lt_", "earer ", "EARER ", "asic ", "ASIC ", "://"}

func redactText(text string) string {
	if !slices.ContainsFunc(secretMarks, func(mark string) bool { return strings.Contains(text, mark) }) {
		return text
	}
	return secretText.ReplaceAllStringFunc(text, func(found string) string {
		switch {
		case strings.HasPrefix(found, "://"):
			return "://" + redacted + "@"
		case strings.Contains(found, " "):
			scheme, _, _ := strings.Cut(found, " ")
			return scheme + " " + redacted
		default:
			prefix, _, _ := strings.Cut(found, "_")
			return prefix + "_" + redacted
		}
	})
}
