package trigger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

func TestUpsertIsIdempotent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.account("ann")
	first := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	again := w.watch("acme_new_thing", "", `{"box":"b1","size":"2"}`, a.ID)
	if again.ID != first.ID || again.New {
		t.Errorf("the same again: %+v", again)
	}
	other := w.watch("ACME_NEW_THING", "ann", `{"box":"b2"}`)
	if other.ID == first.ID || !other.New {
		t.Errorf("another configuration: %+v", other)
	}
	_, err := w.Disable(t.Context(), w.caller, first.ID)
	must(t, err)
	w.provider.put("while disabled", start.Add(time.Second))
	back := w.watch("ACME_NEW_THING", "ann", `{"box":"b1"}`)
	if back.ID != first.ID || back.Status != trigger.Active || !back.StoppedAt.IsZero() {
		t.Errorf("enabled again: %+v", back)
	}
	w.look()
	w.wantEvents("while disabled") // the other instance's
}

func TestUpsertSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	upsert := func(slug, user, config string) error {
		_, err := w.Upsert(t.Context(), w.caller, w.wanted(slug, user, config))
		return err
	}
	wantKind(t, upsert("ACME_NOTHING", "ann", `{}`), fault.NotFound, "ACME_NEW_THING")
	wantKind(t, upsert("ACME_NEW_THING", "", `{"box":"b"}`), fault.Invalid, "user_id")
	wantKind(t, upsert("ACME_NEW_THING", "bob", `{"box":"b"}`), fault.NotFound, "bob has not connected")
	wantKind(t, upsert("ACME_NEW_THING", "ann", `{}`), fault.Invalid, "box")
	wantKind(t, upsert("ACME_NEW_THING", "ann", `{"box":"b","interval":0.1}`), fault.Invalid, "min_interval")
	wantKind(t, upsert("ACME_MESSAGE", "ann", `{}`), fault.Unprocessable, w.config.ID)
	w.provider.fail(403)
	wantKind(t, upsert("ACME_NEW_THING", "ann", `{"box":"b"}`), fault.Unprocessable, "no: 403")
	wantKind(t, upsert("ACME_THING_MOVED", "ann", `{"box":"b"}`), fault.Unprocessable, "no: 403")
	if all, _, err := w.List(t.Context(), w.caller, trigger.Filter{ShowStopped: true}); err != nil || len(all) != 0 {
		t.Errorf("left behind: %v %v", all, err)
	}
}

func TestCheckTriesWithoutKeeping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	w.provider.put("a", start)
	good, err := w.Check(t.Context(), w.caller, w.wanted("ACME_NEW_THING", "ann", `{"box":"b1"}`))
	must(t, err)
	if good.Problem != nil || good.Found != 1 {
		t.Errorf("good: %+v", good)
	}
	for config, part := range map[string]string{`{}`: "box", `{"box":"b1"}`: "no: 404"} {
		w.provider.fail(404)
		bad, err := w.Check(t.Context(), w.caller, w.wanted("ACME_NEW_THING", "ann", config))
		must(t, err)
		if bad.Problem == nil || !strings.Contains(bad.Problem.Message, part) {
			t.Errorf("%s: %+v", config, bad.Problem)
		}
	}
	needs, err := w.Check(t.Context(), w.caller, w.wanted("ACME_MESSAGE", "ann", `{}`))
	must(t, err)
	if needs.Problem == nil || needs.Problem.Slug != fault.SlugEndpointNeeded {
		t.Errorf("without an endpoint: %+v", needs.Problem)
	}
	if all, _, err := w.List(t.Context(), w.caller, trigger.Filter{ShowStopped: true}); err != nil || len(all) != 0 {
		t.Errorf("kept: %v %v", all, err)
	}
}

// The webhook of an instance is made at the provider, and goes with the instance, its being disabled, and its account.
func TestHooksComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.account("ann")
	made := w.watch("ACME_THING_MOVED", "ann", `{"box":"b1"}`)
	hook := w.provider.hook(t)
	if url, _ := hook["url"].(string); !strings.HasPrefix(url, "https://patchbay.example/api/v3.1/webhook_ingress/acme/we_") || len(hook["secret"].(string)) < 40 {
		t.Errorf("made at the provider: %v", hook)
	}
	_, err := w.Disable(t.Context(), w.caller, made.ID)
	must(t, err)
	if len(w.provider.hooks) != 0 {
		t.Errorf("after disable: %v", w.provider.hooks)
	}
	_, err = w.Enable(t.Context(), w.caller, made.ID, "https://patchbay.example")
	must(t, err)
	w.provider.hook(t)
	must(t, w.Delete(t.Context(), w.caller, made.ID))
	if len(w.provider.hooks) != 0 {
		t.Errorf("after delete: %v", w.provider.hooks)
	}
	wantKind(t, w.Delete(t.Context(), w.caller, made.ID), fault.NotFound, made.ID)
	w.watch("ACME_THING_MOVED", "ann", `{"box":"b1"}`)
	_, err = w.connect.DeleteAccount(t.Context(), w.caller, a.ID)
	must(t, err)
	if len(w.provider.hooks) != 0 {
		t.Errorf("after its account was deleted: %v", w.provider.hooks)
	}
	if all, _, err := w.List(t.Context(), w.caller, trigger.Filter{ShowStopped: true}); err != nil || len(all) != 0 {
		t.Errorf("instances of the deleted account: %v %v", all, err)
	}
}
