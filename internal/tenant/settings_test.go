package tenant_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestParseOrigin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://app.example":             "https://app.example",
		" https://APP.Example:443/ ":      "https://app.example",
		"http://localhost:80":             "http://localhost",
		"http://127.0.0.1:3000":           "http://127.0.0.1:3000",
		"https://[::1]:443":               "https://[::1]",
		"https://xn--bcher-kva.example":   "https://xn--bcher-kva.example",
		"":                                "",
		"app.example":                     "",
		"https://":                        "",
		"https://app.example/path":        "",
		"https://app.example?":            "",
		"https://app.example#x":           "",
		"https://user@app.example":        "",
		"https://app.example.":            "",
		"https://аpp.example":             "", // Cyrillic а
		"https://app%2eexample":           "",
		`https://evil.example\@a.example`: "",
		"https:///app.example":            "",
		"https:app.example":               "",
		"//app.example":                   "",
		"ftp://app.example":               "",
		"javascript://app.example":        "",
		"https://app.example:99x":         "",
		"https://a b.example":             "",
		"https://a.example\t":             "https://a.example",
		"https://*.example":               "",
		"https://" + strings.Repeat("a", 5000) + ".example": "",
	} {
		got, err := tenant.ParseOrigin(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.60q is %q (%v), want %q", text, got, err, want)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	good, err := tenant.Settings{
		DisplayName: "  Acme ", AccentColor: "#A0F", LogoURL: "https://acme.example/logo.png", LinkURL: "https://connect.acme.example/go",
		VerifierURL: "http://localhost:3000/verify?tab=1", CallbackOrigins: []string{"https://App.example/", "https://app.example:443"},
	}.Checked()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tenant.Settings{
		DisplayName: "Acme", AccentColor: "#aa00ff", LogoURL: "https://acme.example/logo.png", LinkURL: "https://connect.acme.example/go",
		VerifierURL: "http://localhost:3000/verify?tab=1", CallbackOrigins: []string{"https://app.example"},
	}, good); diff != "" {
		t.Error(diff)
	}
	for name, bad := range map[string][]tenant.Settings{
		"display_name":     {{DisplayName: strings.Repeat("x", 81)}, {DisplayName: "two\nlines"}, {DisplayName: "right\u202eto left"}},
		"logo_url":         {{LogoURL: "http://acme.example/logo.png"}, {LogoURL: "data:image/png;base64,AA"}, {LogoURL: "logo.png"}},
		"accent_color":     {{AccentColor: "red"}, {AccentColor: "#12345"}, {AccentColor: "#000;}body{display:none"}},
		"link_url":         {{LinkURL: "javascript:alert(1)"}, {LinkURL: "https://a.example?x=1"}, {LinkURL: "a.example"}},
		"verifier_url":     {{VerifierURL: "/verify"}, {VerifierURL: "https://u:p@a.example"}, {VerifierURL: "https://a.example#x"}},
		"callback_origins": {{CallbackOrigins: []string{"https://a.example/path"}}, {CallbackOrigins: []string{"*"}}},
	} {
		for _, s := range bad {
			_, err := s.Checked()
			f := fault.From(err)
			if err == nil || f.Kind != fault.Invalid || len(f.Details) != 1 || !strings.HasPrefix(f.Details[0], name) {
				t.Errorf("%+v: %v %q", s, err, f.Details)
			}
		}
	}
}

func TestSettingsOverDefaults(t *testing.T) {
	t.Parallel()
	base := tenant.Settings{DisplayName: "Operator", AccentColor: "#111111", CallbackOrigins: []string{"https://a.example", "https://b.example"}}
	if diff := cmp.Diff(base, tenant.Settings{}.Over(base)); diff != "" {
		t.Error(diff)
	}
	own := tenant.Settings{DisplayName: "Own", CallbackOrigins: []string{"https://b.example", "https://c.example"}, ShowSecrets: true}
	want := tenant.Settings{DisplayName: "Own", AccentColor: "#111111", CallbackOrigins: []string{"https://b.example"}, ShowSecrets: true}
	if diff := cmp.Diff(want, own.Over(base)); diff != "" {
		t.Error(diff)
	}
	apart := tenant.Settings{CallbackOrigins: []string{"https://c.example"}}.Over(base)
	if len(apart.CallbackOrigins) == 0 || slices.Contains(apart.CallbackOrigins, "https://c.example") {
		t.Errorf("the operator's list does not bind: %q", apart.CallbackOrigins)
	}
}

func TestSettingsAreRemembered(t *testing.T) {
	t.Parallel()
	bus := new(notify.Bus)
	db := &countingSettings{Store: storetest.OpenWith(t, bus, nil)}
	s, err := tenant.New(tenant.Options{Store: db, Bus: bus, Defaults: tenant.Settings{AccentColor: "#123456"}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.EnsureProject(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	caller := tenant.Caller{ProjectID: p.ID}
	read := func() tenant.Settings {
		t.Helper()
		got, err := s.Settings(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	read()
	if read(); db.reads != 1 {
		t.Errorf("%d reads for two questions", db.reads)
	}
	changed, err := s.UpdateSettings(t.Context(), caller, func(s *tenant.Settings) { s.DisplayName = "Acme" })
	if err != nil || changed.DisplayName != "Acme" || changed.AccentColor != "#123456" {
		t.Errorf("%+v %v", changed, err)
	}
	if got := read(); got.DisplayName != "Acme" || got.AccentColor != "#123456" {
		t.Errorf("the old settings are remembered: %+v", got)
	}
	if _, err := s.UpdateSettings(t.Context(), caller, func(s *tenant.Settings) { s.LogoURL = "nonsense" }); !fault.Is(err, fault.Invalid) {
		t.Errorf("nonsense is stored: %v", err)
	}
	bus.Publish(notify.Change{Kind: notify.Everything})
	before := db.reads
	if read(); db.reads != before+1 {
		t.Error("what may be old is remembered")
	}
	_, err = s.UpdateSettings(t.Context(), tenant.Caller{ProjectID: p.ID, SessionID: "trs_1"}, func(*tenant.Settings) {})
	if !fault.Is(err, fault.Forbidden) {
		t.Errorf("a session token changes settings: %v", err)
	}
}

// countingSettings counts how often settings are read.
type countingSettings struct {
	tenant.Store
	reads int
}

func (c *countingSettings) Settings(ctx context.Context, projectID string) (tenant.Settings, error) {
	c.reads++
	return c.Store.Settings(ctx, projectID)
}
