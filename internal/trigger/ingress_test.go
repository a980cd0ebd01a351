package trigger_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

func digest(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// call is a provider's call at an address, with headers by name and value.
func (w *world) call(address, body string, headers ...string) (trigger.Answer, error) {
	parts := strings.Split(strings.TrimPrefix(address, "https://patchbay.example"), "/")
	c := trigger.Call{Toolkit: parts[4], Endpoint: parts[5], Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
	for i := 0; i < len(headers); i += 2 {
		c.Header.Set(headers[i], headers[i+1])
	}
	return w.Receive(w.t.Context(), c)
}

func (w *world) lastOutcome() string {
	w.t.Helper()
	if len(w.outcomes) == 0 {
		w.t.Fatal("no call was counted")
	}
	return w.outcomes[len(w.outcomes)-1]
}

func (w *world) wantRefused(what string, outcome string, err error) {
	w.t.Helper()
	if err == nil || w.lastOutcome() != outcome {
		w.t.Errorf("%s: %v, counted as %s; want %s", what, err, w.lastOutcome(), outcome)
	}
}

const moved = `{"moved":[{"id":"m1","box":"b1","at":"2026-01-02T03:04:00Z"},{"id":"m2","box":"b2"},{"id":"m3","box":"b1"}]}`

func TestIngressOfAnInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	made := w.watch("ACME_THING_MOVED", "ann", `{"box":"b1"}`)
	hook := w.provider.hook(t)
	address, key := hook["url"].(string), hook["secret"].(string)
	sign := func(body string) (string, string) { return "X-Acme-Signature", "sha256=" + digest(key, body) }

	name, good := sign(moved)
	for what, signature := range map[string]string{
		"no signature": "", "of another key": "sha256=" + digest("wrong", moved), "of another body": "sha256=" + digest(key, moved+" "),
		"no prefix": digest(key, moved), "not hexadecimal": "sha256=zz", "empty": "sha256=", "cut": good[:len(good)-2],
	} {
		_, err := w.call(address, moved, name, signature)
		w.wantRefused(what, trigger.BadSignature, err)
		if f := fault.From(err); f.Kind != fault.Unauthorized || strings.Contains(f.Message, key) {
			t.Errorf("%s: %v", what, f)
		}
	}
	_, err := w.call(strings.Replace(address, "we_", "we_x", 1), moved, name, good)
	w.wantRefused("unknown endpoint", trigger.UnknownEndpoint, err)
	_, err = w.call(strings.Replace(address, "/acme/", "/other/", 1), moved, name, good)
	w.wantRefused("endpoint of another toolkit", trigger.UnknownEndpoint, err)
	broken := `{"moved":`
	name2, brokenSignature := sign(broken)
	_, err = w.call(address, broken, name2, brokenSignature)
	w.wantRefused("broken JSON", trigger.Malformed, err)
	w.wantEvents()

	answer, err := w.call(address, moved, name, good)
	must(t, err)
	if answer.Outcome != trigger.Accepted || answer.Events != 2 {
		t.Errorf("answer %+v", answer)
	}
	w.wantEvents("m1", "m3")
	for range 2 {
		answer, err = w.call(address, moved, name, good)
		if must(t, err); answer.Outcome != trigger.Repeated || w.lastOutcome() != trigger.Repeated {
			t.Errorf("the same again: %+v", answer)
		}
	}
	other := `{"moved":[{"id":"m9","box":"elsewhere"}]}`
	_, signature := sign(other)
	if answer, err = w.call(address, other, name, signature); err != nil || answer.Outcome != trigger.Ignored {
		t.Errorf("of no concern: %+v %v", answer, err)
	}
	w.wantEvents("m1", "m3")

	_, err = w.Disable(t.Context(), w.caller, made.ID)
	must(t, err)
	later := `{"moved":[{"id":"m4","box":"b1"}]}`
	_, signature = sign(later)
	if _, err = w.call(address, later, name, signature); err == nil {
		t.Error("a disabled trigger takes calls")
	}
	w.wantEvents("m1", "m3")
}

// A whole app has one address; its events go to the instances of the accounts that they concern, and to no others.
func TestIngressOfAnApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.account("ann")
	w.account("bob")
	endpoint, err := w.CreateEndpoint(t.Context(), w.caller, "acme", w.config.ID)
	must(t, err)
	again, err := w.CreateEndpoint(t.Context(), w.caller, "ACME", w.config.ID)
	if must(t, err); again.ID != endpoint.ID {
		t.Errorf("two endpoints for one app")
	}
	address := endpoint.Path()
	hello := `{"type":"hello","challenge":"c-1"}`
	signed := func(key, body string, at time.Time) []string {
		stamp := strconv.FormatInt(at.Unix(), 10)
		return []string{"X-Acme-Timestamp", stamp, "X-Acme-Signature", "v0=" + digest(key, "v0:"+stamp+":"+body)}
	}
	_, err = w.call(address, hello, signed("s3cret", hello, w.clock())...)
	w.wantRefused("before there is a secret", trigger.BadSignature, err)

	endpoint, err = w.SetEndpointData(t.Context(), w.caller, endpoint.ID, map[string]string{trigger.SigningSecret: "s3cret"}, false)
	must(t, err)
	if shown := fmt.Sprint(endpoint.Shown()); strings.Contains(shown, "s3cret") {
		t.Errorf("shown: %s", shown)
	}
	answer, err := w.call(address, hello, signed("s3cret", hello, w.clock())...)
	must(t, err)
	if answer.Text != "c-1" || answer.Outcome != trigger.Shaken {
		t.Errorf("handshake: %+v", answer)
	}
	_, err = w.call(address, hello, "X-Acme-Signature", "v0=00")
	w.wantRefused("handshake without a signature", trigger.BadSignature, err)

	w.watch("ACME_MESSAGE", "ann", `{}`)
	w.watch("ACME_MESSAGE", "bob", `{}`)
	message := `{"id":"1","team":"team of ann","text":"for ann"}`
	for what, at := range map[string]time.Time{"an old call": w.clock().Add(-6 * time.Minute), "a call from the future": w.clock().Add(6 * time.Minute)} {
		_, err = w.call(address, message, signed("s3cret", message, at)...)
		w.wantRefused(what, trigger.Stale, err)
	}
	answer, err = w.call(address, message, signed("s3cret", message, w.clock().Add(-4*time.Minute))...)
	if must(t, err); answer.Events != 1 {
		t.Errorf("answer %+v", answer)
	}
	events, err := w.store.EventsAfter(t.Context(), "pr_1", 0, 10)
	if must(t, err); len(events) != 1 || events[0].UserID != "ann" || events[0].AccountID != ann.ID {
		t.Errorf("events %+v", events)
	}
	answer, err = w.call(address, message, signed("s3cret", message, w.clock())...) // signed anew, as providers repeat
	if must(t, err); answer.Outcome != trigger.Repeated {
		t.Errorf("repeated: %+v", answer)
	}

	off := false
	_, err = w.connect.UpdateAccount(t.Context(), w.caller, ann.ID, connect.AccountPatch{Enabled: &off})
	must(t, err)
	while := `{"id":"2","team":"team of ann","text":"while off"}`
	_, err = w.call(address, while, signed("s3cret", while, w.clock())...)
	must(t, err)
	if slices.Contains(w.events(), "while off") {
		t.Error("an account that is off gets events")
	}
}

// Another project's endpoint of the same app brings it nothing of ours.
func TestIngressKeepsProjectsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	ours, err := w.CreateEndpoint(t.Context(), w.caller, "acme", w.config.ID)
	must(t, err)
	other := w.caller
	other.ProjectID = "pr_2"
	theirs, err := w.CreateEndpoint(t.Context(), other, "acme", w.config.ID)
	must(t, err)
	_, err = w.SetEndpointData(t.Context(), other, theirs.ID, map[string]string{trigger.SigningSecret: "theirs"}, true)
	must(t, err)
	if _, err = w.Endpoint(t.Context(), other, ours.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("our endpoint in their project: %v", err)
	}
	w.watch("ACME_MESSAGE", "ann", `{}`)
	body, stamp := `{"id":"1","team":"team of ann","text":"stolen"}`, strconv.FormatInt(w.clock().Unix(), 10)
	answer, err := w.call(theirs.Path(), body, "X-Acme-Timestamp", stamp, "X-Acme-Signature", "v0="+digest("theirs", "v0:"+stamp+":"+body))
	if must(t, err); answer.Outcome != trigger.Ignored {
		t.Errorf("their call: %+v", answer)
	}
	w.wantEvents()
}

// A provider may say the signing secret in its first call. It is shown until it is confirmed, and then never said again.
func TestIngressLearnsTheSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	endpoint, err := w.CreateEndpoint(t.Context(), w.caller, "acme", w.config.ID)
	must(t, err)
	answer, err := w.call(endpoint.Path(), `{"verification_token":"told-1"}`)
	if must(t, err); answer.Outcome != trigger.Shaken || answer.Text != "" {
		t.Errorf("answer %+v", answer)
	}
	endpoint, err = w.Endpoint(t.Context(), w.caller, endpoint.ID)
	if must(t, err); endpoint.Shown()[trigger.VerificationToken] != "told-1" {
		t.Errorf("shown: %v", endpoint.Shown())
	}
	w.watch("ACME_MESSAGE", "ann", `{}`)
	body, stamp := `{"id":"1","team":"team of ann","text":"hi","type":"m"}`, strconv.FormatInt(w.clock().Unix(), 10)
	_, err = w.call(endpoint.Path(), body, "X-Acme-Timestamp", stamp, "X-Acme-Signature", "v0="+digest("told-1", "v0:"+stamp+":"+body))
	must(t, err)
	w.wantEvents("hi")
	_, err = w.call(endpoint.Path(), `{"verification_token":"an attacker's"}`)
	w.wantRefused("another secret", trigger.BadSignature, err)
	endpoint, err = w.Endpoint(t.Context(), w.caller, endpoint.ID)
	if must(t, err); strings.Contains(fmt.Sprint(endpoint.Shown()), "told-1") {
		t.Errorf("shown after it was confirmed: %v", endpoint.Shown())
	}
}

func TestGenericWebhook(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config  string
		headers func(secret, body string) []string
		again   string // outcome of the same call again
	}{
		"hmac": {
			`{"signature_header":"X-Sig","signature_prefix":"sha256="}`,
			func(secret, body string) []string { return []string{"X-Sig", "sha256=" + digest(secret, body)} }, trigger.Repeated,
		},
		"token": {
			`{"verify":"token","signature_header":"Authorization","signature_prefix":"Bearer "}`,
			func(secret, _ string) []string { return []string{"Authorization", "Bearer " + secret} }, trigger.Accepted,
		},
		"token and an id": {
			`{"verify":"token","signature_header":"X-Token","event_id_header":"X-Id"}`,
			func(secret, _ string) []string { return []string{"X-Token", secret, "X-Id", "e-1"} }, trigger.Repeated,
		},
		"nothing but an id in the body": {
			`{"verify":"none","event_id_path":"event.id"}`,
			func(string, string) []string { return nil }, trigger.Repeated,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.account("ann")
			made := w.watch("ACME_WEBHOOK_RECEIVED", "ann", strings.Replace(test.config, "{", `{"match":{"event.kind":"paid"},`, 1))
			if made.URL == "" || made.Secret == "" || made.Endpoint == "" {
				t.Fatalf("made %+v", made)
			}
			body := `{"event":{"id":"e-1","kind":"paid"}}`
			headers := test.headers(made.Secret, body)
			if headers != nil {
				_, err := w.call(made.URL, body, test.headers("wrong", body)...)
				w.wantRefused("wrong proof", trigger.BadSignature, err)
			}
			for _, want := range []string{trigger.Accepted, test.again} {
				answer, err := w.call(made.URL, body, headers...)
				if must(t, err); answer.Outcome != want {
					t.Errorf("answer %+v; want %s", answer, want)
				}
			}
			events, err := w.store.EventsAfter(t.Context(), "pr_1", 0, 10)
			must(t, err)
			for _, e := range events {
				if strings.Contains(string(e.Data), made.Secret) {
					t.Errorf("the secret is in the event: %s", e.Data)
				}
			}
			unwanted := `{"event":{"id":"e-2","kind":"other"}}`
			answer, err := w.call(made.URL, unwanted, test.headers(made.Secret, unwanted)...)
			if must(t, err); answer.Outcome != trigger.Ignored {
				t.Errorf("of another kind: %+v", answer)
			}
		})
	}
}

// What an unknown app signs may be the same twice. It is one call where an id says so, or when it comes at once; after that it is news.
func TestSignedCallsThatAreAlike(t *testing.T) {
	t.Parallel()
	const body = `{"door":"open"}`
	for name, test := range map[string]struct {
		config string
		calls  []alikeCall
	}{
		"no id": {`{"signature_header":"X-Sig"}`, []alikeCall{
			{0, "", trigger.Accepted}, {time.Minute, "", trigger.Repeated}, {4*time.Minute - time.Second, "", trigger.Repeated},
			{time.Second, "", trigger.Accepted}, {time.Second, "", trigger.Repeated},
		}},
		"an id in a header": {`{"signature_header":"X-Sig","event_id_header":"X-Id"}`, []alikeCall{
			{0, "1", trigger.Accepted}, {time.Second, "2", trigger.Accepted}, {time.Second, "1", trigger.Repeated}, {time.Hour, "2", trigger.Repeated},
			{time.Hour, "3", trigger.Accepted}, {time.Second, "", trigger.Accepted}, {time.Hour, "", trigger.Repeated},
		}},
		"an id in the body": {`{"signature_header":"X-Sig","event_id_path":"door"}`, []alikeCall{
			{0, "", trigger.Accepted}, {time.Hour, "", trigger.Repeated},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.account("ann")
			made := w.watch("ACME_WEBHOOK_RECEIVED", "ann", test.config)
			for i, call := range test.calls {
				w.pass(call.after)
				answer, err := w.call(made.URL, body, "X-Sig", digest(made.Secret, body), "X-Id", call.id)
				if must(t, err); answer.Outcome != call.want {
					t.Errorf("call %d: %s, want %s", i, answer.Outcome, call.want)
				}
			}
		})
	}
}

// alikeCall is a call some time after the one before.
type alikeCall struct {
	after time.Duration
	id    string
	want  string
}

// A form that carries JSON in its payload is that JSON.
func TestIngressReadsForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann")
	made := w.watch("ACME_WEBHOOK_RECEIVED", "ann", `{"verify":"none","event_id_path":"id"}`)
	answer, err := w.call(made.URL, `payload=%7B%22id%22%3A%22f-1%22%7D`, "Content-Type", "application/x-www-form-urlencoded")
	if must(t, err); answer.Outcome != trigger.Accepted {
		t.Errorf("answer %+v", answer)
	}
	if events, err := w.store.EventsAfter(t.Context(), "pr_1", 0, 10); err != nil || len(events) != 1 || events[0].Key != made.ID+":f-1" {
		t.Errorf("events %v %v", events, errors.Join(err))
	}
}
