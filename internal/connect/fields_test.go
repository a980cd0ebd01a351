package connect

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

func TestCheckFields(t *testing.T) {
	t.Parallel()
	declared := []catalog.Field{
		{Name: "name", Title: "Name", Type: "string", Required: true},
		{Name: "count", Title: "Count", Type: "number"},
		{Name: "on", Title: "On", Type: "boolean"},
		{Name: "home", Title: "Home", Type: "url"},
		{Name: "zone", Title: "Zone", Type: "string", Default: "eu", Required: true},
	}
	for name, test := range map[string]struct {
		given, want, faults map[string]string
	}{
		"all well": {
			given: map[string]string{"name": " n ", "count": "1.5", "on": "true", "home": "https://x.example/a", "further": "kept"},
			want:  map[string]string{"name": "n", "count": "1.5", "on": "true", "home": "https://x.example/a", "zone": "eu", "further": "kept"},
		},
		"all wrong": {
			given: map[string]string{"name": "  ", "count": "many", "on": "perhaps", "home": "javascript:alert(1)"},
			want:  map[string]string{"count": "many", "on": "perhaps", "home": "javascript:alert(1)", "zone": "eu"},
			faults: map[string]string{
				"name": "Name is required.", "count": "Count must be a number.", "on": "On must be true or false.",
				"home": "Home must be a whole URL, such as https://example.com.",
			},
		},
		"hostile": {
			given:  map[string]string{"name": "a\x00b", "zone": strings.Repeat("x", 1<<20), "home": "https://user:pass@x.example"},
			faults: map[string]string{"name": tooLong, "zone": tooLong, "home": "Home must be a whole URL, such as https://example.com."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, faults := checkFields(declared, test.given)
			if diff := cmp.Diff(test.faults, faults); diff != "" && len(faults)+len(test.faults) > 0 {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.want, plain(got)); diff != "" && test.want != nil {
				t.Error(diff)
			}
		})
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	declared := []catalog.Field{{Name: "shop"}, {Name: "pin", Secret: true}, {Name: "region", Secret: true}}
	got := mask(hide(map[string]string{"shop": "s", "pin": "1", "region": "r", "subdomain": "d", "undeclared": "u", "empty": ""}), declared)
	want := map[string]string{"shop": "s", "pin": Redacted, "region": Redacted, "subdomain": "d", "undeclared": Redacted}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestImportedExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		values Fields
		want   time.Time
		life   string
	}{
		"in seconds":    {Fields{"expires_in": secret.Hide("60")}, now.Add(time.Minute), "60"},
		"at, as number": {Fields{"expires_at": secret.Hide("1767323105")}, now.Add(time.Minute), "60"},
		"at, as text":   {Fields{"expires_at": secret.Hide("2026-01-02T04:05:05+01:00")}, now.Add(time.Minute), "60"},
		"over":          {Fields{"expires_at": secret.Hide("2026-01-01T00:00:00Z")}, now.Add(-27*time.Hour - 4*time.Minute - 5*time.Second), ""},
		"not said":      {Fields{}, time.Time{}, ""},
		"nonsense":      {Fields{"expires_in": secret.Hide("soon"), "expires_at": secret.Hide("later")}, time.Time{}, "soon"},
		"centuries":     {Fields{"expires_in": secret.Hide("99999999999")}, time.Time{}, "99999999999"},
		"microseconds":  {Fields{"expires_at": secret.Hide("1767323105000000")}, time.Time{}, ""},
		"never":         {Fields{"expires_in": secret.Hide("0")}, time.Time{}, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := importedExpiry(test.values, now); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if got := test.values["expires_in"].Reveal(); got != test.life {
				t.Errorf("life %q, want %q", got, test.life)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	a := decodeAnswer([]byte(` {"id": 90071992547409931, "list": [{"name": "x"}], "none": null, "yes": true, "f": 1.5} `))
	for path, want := range map[string]string{
		"id": "90071992547409931", "list.0.name": "x", "list.1.name": "", "list.x": "", "none": "", "yes": "true", "f": "1.5", "list": "", "": "", "a.b": "",
	} {
		if got := a.text(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
	for _, junk := range []string{"", "[]", "null", "{", "<html>", "hello=world"} {
		if got := decodeAnswer([]byte(junk)); len(got) != 0 {
			t.Errorf("%q was read as %v", junk, got)
		}
	}
}

func TestWithOutcome(t *testing.T) {
	t.Parallel()
	for callback, want := range map[string]string{
		"https://a.example":             "https://a.example?status=success&connected_account_id=ca_1",
		"https://a.example/?":           "https://a.example/?status=success&connected_account_id=ca_1",
		"https://a.example/x?a=1&b=%20": "https://a.example/x?a=1&b=%20&status=success&connected_account_id=ca_1",
		"https://a.example/x?a=1&":      "https://a.example/x?a=1&status=success&connected_account_id=ca_1",
		"https://a.example/#/route?q":   "https://a.example/?status=success&connected_account_id=ca_1#/route?q",
	} {
		if got := withOutcome(callback, "success", "ca_1"); got != want {
			t.Errorf("%s: %s", callback, got)
		}
	}
}
