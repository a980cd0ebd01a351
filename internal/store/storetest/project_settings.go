package storetest

import (
	"strconv"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

var projectSettingsBehaviours = behaviours{
	"settings are nothing at first":            settingsNone,
	"settings are kept whole":                  settingsWhole,
	"settings that are refused are not stored": settingsRefused,
	"settings lose no change":                  settingsTogether,
	"another project's settings are its own":   settingsForeign,
}

func settingsNone(t *testing.T, f *fixture) {
	f.withProjects(t.Context(), t)
	same(t, "settings", got(f.Settings(t.Context(), ours))(t), tenant.Settings{})
	same(t, "of nobody", got(f.Settings(t.Context(), "pr_none\x00"))(t), tenant.Settings{})
	_, err := f.UpdateSettings(t.Context(), "pr_none", func(*tenant.Settings) error { return nil })
	wantKind(t, "of no project", err, fault.NotFound)
}

func settingsWhole(t *testing.T, f *fixture) {
	f.withProjects(t.Context(), t)
	f.news()
	want := tenant.Settings{
		DisplayName: "Acme & Söhne", LogoURL: "https://acme.example/logo.png", AccentColor: "#123456", LinkURL: "https://connect.acme.example",
		VerifierURL: "https://acme.example/verify", CallbackOrigins: []string{"https://acme.example"}, ShowSecrets: true,
	}
	for range 2 { // stored anew, and over what is there
		same(t, "stored", got(f.UpdateSettings(t.Context(), ours, func(s *tenant.Settings) error { *s = want; return nil }))(t), want)
		same(t, "news", f.news(), []notify.Change{{Kind: notify.Project, ID: ours}})
	}
	same(t, "read", got(f.Settings(t.Context(), ours))(t), want)
}

func settingsRefused(t *testing.T, f *fixture) {
	f.withProjects(t.Context(), t)
	_, err := f.UpdateSettings(t.Context(), ours, func(s *tenant.Settings) error {
		s.DisplayName = "half"
		return fault.New(fault.Invalid, fault.SlugInvalid, "no")
	})
	wantKind(t, "refused", err, fault.Invalid)
	same(t, "settings", got(f.Settings(t.Context(), ours))(t), tenant.Settings{})
}

func settingsTogether(t *testing.T, f *fixture) {
	f.withProjects(t.Context(), t)
	const writers = 8
	for i, err := range together(writers, func(i int) error {
		_, err := f.UpdateSettings(t.Context(), ours, func(s *tenant.Settings) error {
			s.CallbackOrigins = append(s.CallbackOrigins, "https://"+strconv.Itoa(i)+".example")
			return nil
		})
		return err
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	same(t, "origins", len(got(f.Settings(t.Context(), ours))(t).CallbackOrigins), writers)
}

func settingsForeign(t *testing.T, f *fixture) {
	f.withProjects(t.Context(), t)
	got(f.UpdateSettings(t.Context(), theirs, func(s *tenant.Settings) error { s.DisplayName = "theirs"; return nil }))(t)
	same(t, "settings", got(f.Settings(t.Context(), ours))(t), tenant.Settings{})
}
