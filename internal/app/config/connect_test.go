package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestConnectSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "patchbay.yaml", `
connect:
  display_name: Acme
  logo_url: https://cdn.example/logo.png
  accent_color: "#F00"
  link_url: https://connect.example
  callback_origins: ["https://APP.example/", "http://localhost:3000"]
`)
	c, err := Load(Sources{Dir: dir, Environ: []string{"PATCHBAY_CONNECT_VERIFIER_URL=https://app.example/verify"}})
	if err != nil {
		t.Fatal(err)
	}
	want := tenant.Settings{
		DisplayName: "Acme", LogoURL: "https://cdn.example/logo.png", AccentColor: "#ff0000", LinkURL: "https://connect.example",
		VerifierURL: "https://app.example/verify", CallbackOrigins: []string{"https://app.example", "http://localhost:3000"},
	}
	if diff := cmp.Diff(want, c.Connect); diff != "" {
		t.Error(diff)
	}
	for value, complaint := range map[string]string{
		"PATCHBAY_CONNECT_LOGO_URL=http://cdn.example/a.png":         "https URL of a picture",
		"PATCHBAY_CONNECT_ACCENT_COLOR=red":                          "colour such as",
		"PATCHBAY_CONNECT_CALLBACK_ORIGINS=https://app.example/path": "something behind its host",
		"PATCHBAY_CONNECT_LINK_URL=connect.example":                  "whole http or https URL",
	} {
		if _, err := Load(Sources{Dir: t.TempDir(), Environ: []string{value}}); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%s: %v", value, err)
		}
	}
}
