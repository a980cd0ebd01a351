package id_test

import (
	"regexp"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/id"
)

func TestShapes(t *testing.T) {
	t.Parallel()
	plain := regexp.MustCompile(`^trs_[A-Za-z0-9_-]{12}$`)
	secret := regexp.MustCompile(`^ak_[A-Za-z0-9_-]{43}$`)
	seen := map[string]bool{}
	for range 1000 {
		for _, text := range []string{id.New(id.Session), id.NewSecret(id.ProjectKey)} {
			if seen[text] {
				t.Fatalf("%s was made twice", text)
			}
			seen[text] = true
			if !plain.MatchString(text) && !secret.MatchString(text) {
				t.Fatalf("%s has not the form of the contract", text)
			}
		}
	}
}

func TestHas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"ca_x": true, id.New(id.ConnectedAccount): true, "ca_": false, "ca": false, "ac_x": false, "": false, "xca_x": false,
	} {
		if got := id.Has(id.ConnectedAccount, text); got != want {
			t.Errorf("Has(%q) = %v", text, got)
		}
	}
}
