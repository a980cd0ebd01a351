package execute_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// newToy is newWorld with another toolkit.
func newToy(t *testing.T, toolkit string, upstream http.HandlerFunc) *world {
	t.Helper()
	w := newWorld(t, upstream)
	w.toolkit = loadToolkit(t, toolkit, w.upstream.URL)
	return w
}

// Some services answer 200 whatever happens: the toolkit's rules say what it means.
func TestToolkitRules(t *testing.T) {
	t.Parallel()
	w := newToy(t, "chatty", status(200, `{"ok": true, "ts": 1}`))
	if res := w.run("LISTEN", `{}`); string(res.Data) != `{"ok": true, "ts": 1}` || res.Error != "" {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}

	w = newToy(t, "chatty", status(200, `{"ok": false, "error": "channel_not_found"}`))
	wantFailure(t, w.run("SAY", `{"text": "hi"}`), "Chatty refused the call: channel_not_found.")
	w.wantRequests(1)

	w = newToy(t, "chatty", status(200, `not JSON`))
	wantFailure(t, w.run("SAY", `{"text": "hi"}`), "broken JSON", "The call was accepted")
}

func TestToolkitSaysReconnect(t *testing.T) {
	t.Parallel()
	w := newToy(t, "chatty", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer fresh-key-1" {
			answerJSON(w, 200, `{"ok":true}`)
			return
		}
		answerJSON(w, 200, `{"ok":false,"error":"token_revoked"}`)
	})
	w.accounts.fresh = "fresh-key-1"
	if res := w.run("SAY", `{"text": "hi"}`); res.Error != "" {
		t.Error(res.Error)
	}
	w.wantRequests(2)
}

func TestToolkitSaysSlowDown(t *testing.T) {
	t.Parallel()
	first := true
	w := newToy(t, "chatty", func(w http.ResponseWriter, _ *http.Request) {
		if first {
			first = false
			answerJSON(w, 200, `{"ok":false,"error":"ratelimited","wait":0.01}`)
			return
		}
		answerJSON(w, 200, `{"ok":true}`)
	})
	if res := w.run("LISTEN", `{}`); res.Error != "" {
		t.Error(res.Error)
	}
	w.wantRequests(2)

	w = newToy(t, "chatty", status(200, `{"ok":false,"error":"ratelimited","wait":90}`))
	wantFailure(t, w.run("SAY", `{"text": "hi"}`), "ratelimited")
	w.wantRequests(1)
}

func TestGraphQL(t *testing.T) {
	t.Parallel()
	w := newToy(t, "graph", status(200, `{"data": {"issue": {"id": "1", "title": "An \"errors\" in the text"}}}`))
	res := w.run("ISSUE", `{"id": "1"}`)
	if res.Error != "" || string(res.Data) != `{"id":"1","title":"An \"errors\" in the text"}` {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}
	sent := w.seen()[0]
	if sent.Method != "POST" || sent.Body != `{"query":"query Issue($id: String!) { issue(id: $id) { id title } }","variables":{"id":"1"}}` {
		t.Errorf("sent %+v", sent)
	}

	w = newToy(t, "graph", status(200, `{"data": null, "errors": [{"message": "Entity not found", "path": ["issue"]}, {"message": "And more"}]}`))
	res = w.run("ISSUE", `{"id": "1"}`)
	wantFailure(t, res, `Graph answered with errors: Entity not found (at ["issue"]); And more.`)
	if string(res.Data) != `{}` {
		t.Errorf("data %s", res.Data)
	}

	// Part of it came: the caller gets both.
	w = newToy(t, "graph", status(200, `{"data": {"issue": {"id": "1", "title": null}}, "errors": [{"message": "title is hidden"}]}`))
	res = w.run("ISSUE", `{"id": "1"}`)
	wantFailure(t, res, "title is hidden")
	if string(res.Data) != `{"id":"1","title":null}` {
		t.Errorf("data %s", res.Data)
	}

	w = newToy(t, "graph", status(400, `{"errors": [{"message": "Syntax Error"}]}`))
	wantFailure(t, w.run("ISSUE", `{"id": "1"}`), "400 Bad Request: Syntax Error")
}

func TestSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; path {
		case "/v1/things":
			answerJSON(w, 200, `{"items": [{"id": "c"}, {"id": "a"}, {"id": "b"}, {"id": "d"}]}`)
		case "/v1/extra":
			answerJSON(w, 404, `{}`)
		default:
			answerJSON(w, 200, `{"is": "`+strings.TrimPrefix(path, "/v1/things/")+`"}`)
		}
	})
	res := w.run("READ_ALL", `{}`)
	if res.Error != "" || string(res.Data) != `{"things":[{"is":"c"},{"is":"a"},{"is":"b"}]}` && string(res.Data) != `{"extra":null,"things":[{"is":"c"},{"is":"a"},{"is":"b"}]}` {
		t.Errorf("got %s, %s", res.Data, res.Error)
	}
	if len(res.Notes) != 1 || res.Notes[0] != "Only the first 3 of 4 were handled (each)." {
		t.Errorf("notes %q", res.Notes)
	}
	w.wantRequests(5)
}

func TestStepsThatFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/find" {
			answerJSON(w, 404, `{"message":"nobody of that name"}`)
			return
		}
		answerJSON(w, 200, `{}`)
	})
	wantFailure(t, w.run("FIND_AND_CHANGE", `{"name": "A"}`), "404 Not Found: nobody of that name")
	w.wantRequests(1)

	// The main request of a write is sent once, also after a step that was repeated.
	first := true
	w = newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1/find" && first:
			first = false
			w.Header().Set("Retry-After", "0.01")
			answerJSON(w, 503, `{}`)
		case r.URL.Path == "/v1/find":
			answerJSON(w, 200, `{"id": 7}`)
		default:
			answerJSON(w, 503, `{}`)
		}
	})
	wantFailure(t, w.run("FIND_AND_CHANGE", `{"name": "A"}`), "503")
	w.wantRequests(3)
	if last := w.seen()[2]; last.URL != "/v1/things/7" || last.Body != `{"name":"A"}` {
		t.Errorf("sent %+v", last)
	}

	// What a step answered can make the main request impossible. The caller learns that something was already asked.
	w = newWorld(t, status(200, `{"id": ".."}`))
	wantFailure(t, w.run("FIND_AND_CHANGE", `{"name": "A"}`), `must not be "." or ".."`, "An earlier request of this call was already sent.")
}

// A refused credential is replaced once, however many requests of a call run side by side with it.
func TestStepsShareAFreshCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1/things":
			answerJSON(w, 200, `{"items": [{"id": "a"}, {"id": "b"}]}`)
		case r.Header.Get("Authorization") != "Bearer fresh-key-1":
			answerJSON(w, 401, `{}`)
		default:
			answerJSON(w, 200, `{}`)
		}
	})
	w.accounts.fresh = "fresh-key-1"
	if res := w.run("READ_ALL", `{}`); res.Error != "" {
		t.Error(res.Error)
	}
	if w.accounts.rejected != 1 {
		t.Errorf("reported %d times", w.accounts.rejected)
	}
}

func TestRepeatedSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			answerJSON(w, 200, `{"n": 1, "next": "p2"}`)
		case "p2":
			answerJSON(w, 200, `{"n": 2}`)
		}
	})
	if res := w.run("READ_PAGES", `{}`); string(res.Data) != `{"pages":[1,2]}` || res.Notes != nil {
		t.Errorf("got %s, %s, %q", res.Data, res.Error, res.Notes)
	}

	w = newWorld(t, status(200, `{"n": 1, "next": "again"}`))
	res := w.run("READ_PAGES", `{}`)
	if string(res.Data) != `{"pages":[1,1,1]}` || len(res.Notes) != 1 {
		t.Errorf("got %s, %s, %q", res.Data, res.Error, res.Notes)
	}
	w.wantRequests(3)
}

func TestDeadlineHoldsForAllSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/find" {
			answerJSON(w, 200, `{"id": 7}`)
			return
		}
		<-r.Context().Done()
	}, withDeadline(time.Second))
	wantFailure(t, w.run("FIND_AND_CHANGE", `{"name": "A"}`), "did not answer within 1s")
}
