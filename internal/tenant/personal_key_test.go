package tenant_test

import (
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestPersonalKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, text, err := w.CreatePersonalKey(t.Context(), w.project.ID, "ada", "laptop")
	if err != nil || !id.Has(id.PersonalKey, text) || len(text) != len("ck_")+43 || key.UserID != "ada" {
		t.Fatalf("made %+v, %v", key, err)
	}
	want := tenant.Person{ProjectID: w.project.ID, UserID: "ada", KeyID: key.ID}
	for range 3 {
		if got, err := w.AuthenticatePerson(t.Context(), text); err != nil || got != want {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if w.store.lookups != 1 {
		t.Errorf("%d look-ups for three calls", w.store.lookups)
	}
	_, project := w.createKey(t)
	for name, wrong := range map[string]string{"a project's key": project, "empty": "", "another": id.NewSecret(id.PersonalKey), "the hash": key.Hash} {
		if _, err := w.AuthenticatePerson(t.Context(), wrong); !fault.Is(err, fault.Unauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Authenticate(t.Context(), text); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("it opens the project: %v", err)
	}
	if _, err := w.RevokeKey(t.Context(), w.caller(), key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AuthenticatePerson(t.Context(), text); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("it works after it was revoked: %v", err)
	}
	for _, user := range []string{"", "  ", strings.Repeat("u", 257)} {
		if _, _, err := w.CreatePersonalKey(t.Context(), w.project.ID, user, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("for user %q: %v", user, err)
		}
	}
}
