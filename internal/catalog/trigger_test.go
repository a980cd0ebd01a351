package catalog

import (
	"strings"
	"testing"
	"testing/fstest"
)

const goodTriggers = `
- slug: NEW_THING
  aliases: [THING_ADDED]
  title: New thing
  description: A thing came.
  kind: poll
  config: {color*: Which.}
  poll:
    overlap: 10m
    request: {GET: /things, query: {color: "${{ input.color }}", since: "${{ input.since }}", page: "${{ input.page }}"}}
    items: ${{ body.things }}
    next: ${{ body.next }}
  payload: {id*: Its id.}
  event: {key: "${{ item.id }}", at: "${{ item.at }}", data: {id: "${{ item.id }}"}}
  example: {color: red}
- slug: CALLED
  title: Called
  description: Somebody called.
  kind: webhook
  webhook:
    signature: {hmac: sha256, header: X-Sig, prefix: "v0=", signed: "v0:{timestamp}:{body}", timestamp: "${{ header['x-time'] }}", tolerance: 1m, delivery: X-Call}
    mine: ${{ body.team == input.hook.team }}
    about: {request: GET /me, result: {team: "${{ body.team }}"}}
  payload: {id*: Its id.}
  event: {key: "${{ body.id }}", data: {id: "${{ body.id }}"}}
`

func loadTriggers(t *testing.T, triggers string) (*Toolkit, []Problem) {
	t.Helper()
	return LoadToolkit(fstest.MapFS{
		"acme/toolkit.yaml": {Data: []byte(`slug: acme
name: Acme
description: Boxes of things, for tests of the loader.
version: 20261122_00
categories: [crm]
base_url: https://api.example.com
`)},
		"acme/things.yaml": {Data: []byte(`- slug: GET_THING
  title: Get a thing
  description: Gets a thing by its id, for the tests of the loader.
  hints: [read]
  important: true
  request: GET /thing
`)},
		"acme/triggers.yaml": {Data: []byte(triggers)},
	}, "acme")
}

func TestTriggersAreRead(t *testing.T) {
	t.Parallel()
	tk, problems := loadTriggers(t, goodTriggers)
	if len(problems) > 0 || len(tk.Triggers) != 2 {
		t.Fatalf("%v", problems)
	}
	poll, found := tk.TriggerType("acme_thing_added")
	if !found || poll.Slug != "ACME_NEW_THING" || poll.Poll.Pages != DefaultPages || poll.NeedsEndpoint() || !strings.Contains(string(poll.Config.JSON), `"interval"`) {
		t.Errorf("poll: %+v", poll)
	}
	hook, _ := tk.TriggerType("ACME_CALLED")
	if s := hook.Webhook.Signature; !hook.NeedsEndpoint() || s.Header != "x-sig" || s.Delivery != "x-call" || len(s.Signed) != 4 || !s.Signed[1].Timestamp || !s.Signed[3].Body {
		t.Errorf("webhook: %+v", hook.Webhook.Signature)
	}
	if generic, found := tk.TriggerType("ACME_WEBHOOK_RECEIVED"); !found || !generic.Generic || generic.NeedsEndpoint() {
		t.Errorf("generic: %+v", generic)
	}
	moved, err := tk.With(Override{BaseURL: "https://other.example"})
	if err != nil {
		t.Fatal(err)
	}
	again, _ := moved.TriggerType("ACME_NEW_THING")
	if again.Toolkit != moved || again.Poll.List.Toolkit != moved || poll.Poll.List.Toolkit != tk {
		t.Error("a trigger's requests go to another server than its toolkit's")
	}
	snapshot, err := NewSnapshot(tk)
	if err != nil {
		t.Fatal(err)
	}
	if _, found := snapshot.TriggerType("ACME_CALLED"); !found {
		t.Error("a snapshot does not know its triggers")
	}
}

func TestTriggerProblems(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ old, changed, problem string }{
		{"slug: CALLED", "slug: NEW_THING", "already used"},
		{"slug: CALLED", "slug: WEBHOOK_RECEIVED", "every toolkit has"},
		{"slug: CALLED", "slug: called", "upper case"},
		{"kind: poll", "kind: pull", "not one of poll, webhook"},
		{"kind: poll", "kind: webhook", "needs webhook"},
		{"    items: ${{ body.things }}\n", "", "needs items"},
		{"overlap: 10m", "overlap: long", "length of time"},
		{"input.color }}", "input.colour }}", "colour"},
		{"color: \"${{ input.color }}\", ", "", "has no effect"},
		{"example: {color: red}", "example: {colour: red}", "colour"},
		{"  example: {color: red}\n", "", "example"},
		{"    mine: ${{ body.team == input.hook.team }}\n", "", "needs mine"},
		{"signed: \"v0:{timestamp}:{body}\", timestamp: \"${{ header['x-time'] }}\"", "signed: \"v0:{timestamp}:{body}\"", "where it is"},
		{"hmac: sha256", "hmac: md5", "md5"},
		{"config: {color*: Which.}", "config: {color*: Which., hook: Which.}", "the server uses itself"},
		{"key: \"${{ body.id }}\", ", "", `needs "key"`},
		{"about: {request: GET /me, result", "about: {result", "needs a request"},
		{"kind: webhook", "kind: webhook\n  colour: red", "unknown key"},
	} {
		changed := strings.Replace(goodTriggers, test.old, test.changed, 1)
		if changed == goodTriggers {
			t.Fatalf("%q is not in the good triggers", test.old)
		}
		_, problems := loadTriggers(t, changed)
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.Message, test.problem) && p.File == "acme/triggers.yaml" && p.Line > 1
		}
		if !found {
			t.Errorf("%q for %q: %v; want %q", test.changed, test.old, problems, test.problem)
		}
	}
}
