package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay"
)

// ordeal is how hard TestNothingIsLost is. PATCHBAY_TEST_ORDEAL sets another, for example "10000 20 10m": events, kills, and for how
// long the receiver is down ("make soak").
type ordeal struct {
	events, kills int
	down          time.Duration
}

func readOrdeal(t *testing.T) ordeal {
	t.Helper()
	text := os.Getenv("PATCHBAY_TEST_ORDEAL")
	if text == "" {
		return ordeal{events: 200, kills: 4, down: 500 * time.Millisecond}
	}
	var o ordeal
	var down string
	_, err := fmt.Sscanf(text, "%d %d %s", &o.events, &o.kills, &down)
	must(t, err)
	o.down, err = time.ParseDuration(down)
	must(t, err)
	return o
}

// TestNothingIsLost: GitHub's calls come in while "patchbay serve" is killed again and again, and their receiver refuses every other
// delivery and is down for a while. Every event arrives, signed, and one that arrives again has the same id.
//
// Half of the kills come while calls come in, the others while what is left is delivered.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	o := readOrdeal(t)
	began := time.Now()
	w := newOrdealWorld(t, o.events)
	w.start()
	w.subscribe()
	w.watch()
	var calls sync.WaitGroup
	calls.Go(w.github.sendAll)
	for kill := range o.kills {
		if kill == o.kills/4 {
			w.receiver.downFor(o.down)
		}
		if kill < o.kills/2 {
			w.until(func(p progress) bool { return p.taken >= o.events*(kill+1)/(o.kills/2+1) })
		} else {
			calls.Wait()
			before, left := w.now(), o.kills-kill
			w.until(func(p progress) bool { return p.arrived >= before.arrived+(o.events-before.arrived)/(left+1) })
		}
		w.kill()
		w.start()
	}
	w.until(func(p progress) bool { return p.arrived == o.events })
	w.report(o, began)
}

// ordealWorld is a server in a process of its own, GitHub in front of it and a receiver behind it.
type ordealWorld struct {
	t                      *testing.T
	address, directory     string
	process                *exec.Cmd
	github                 *ordealGitHub
	receiver               *ordealReceiver
	mu                     sync.Mutex
	changed                *sync.Cond
	up                     bool // the server
	calls, repeated, taken int  // requests of GitHub; those that were acknowledged before; calls that are acknowledged
	events                 int
}

// progress is how far the world has come.
type progress struct{ taken, arrived int }

const ordealKey = "ak_the_ordeals_own_key_0123456789"

func newOrdealWorld(t *testing.T, events int) *ordealWorld {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0") // GitHub calls the same address whichever process is there
	must(t, err)
	w := &ordealWorld{t: t, directory: t.TempDir(), address: free.Addr().String(), events: events}
	must(t, free.Close())
	w.changed = sync.NewCond(&w.mu)
	w.github, w.receiver = newOrdealGitHub(w), newOrdealReceiver(w)
	t.Cleanup(func() {
		if w.process != nil && w.process.ProcessState == nil {
			w.process.Process.Kill()
			w.process.Wait()
		}
	})
	return w
}

// start starts the server and waits until it is there.
func (w *ordealWorld) start() {
	w.t.Helper()
	var log strings.Builder
	w.process = exec.Command("patchbay", "serve", "--json", "--listen", w.address, "--outbound-allow", "127.0.0.1/32",
		"--webhooks-first-retry", "100ms", "--webhooks-longest-retry", "1s", "--log-level", "error",
		"--set", "toolkits.github.base_url="+w.github.URL)
	w.process.Dir, w.process.Stderr = w.directory, &log
	w.process.Env = append(os.Environ(), "PATCHBAY_API_KEY="+ordealKey)
	stdout, err := w.process.StdoutPipe()
	must(w.t, err)
	must(w.t, w.process.Start())
	var g greeting
	if err := json.NewDecoder(stdout).Decode(&g); err != nil {
		w.process.Wait()
		w.t.Fatalf("the server did not start: %v\n%s", err, log.String())
	}
	w.change(func() { w.up = true })
}

// kill ends the server as a power cut would, wherever it stands.
func (w *ordealWorld) kill() {
	w.t.Helper()
	w.change(func() { w.up = false })
	must(w.t, w.process.Process.Kill()) // SIGKILL
	if err := w.process.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		w.t.Fatalf("the server ended by itself: %v", err)
	}
}

// ask sends a request to the API and reads the answer, which must be a success.
func (w *ordealWorld) ask(method, path, body string, answer any) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.address+"/api/v3.1"+path, strings.NewReader(body))
	must(w.t, err)
	r.Header.Set("X-Api-Key", ordealKey)
	response, err := http.DefaultClient.Do(r)
	must(w.t, err)
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	must(w.t, err)
	if response.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, said)
	}
	must(w.t, json.Unmarshal(said, answer))
}

// subscribe lets the server deliver to the receiver.
func (w *ordealWorld) subscribe() {
	w.t.Helper()
	var made struct{ Secret string }
	w.ask("POST", "/webhook_subscriptions", `{"webhook_url":"`+w.receiver.URL+`","enabled_events":["composio.trigger.message"],"version":"V3"}`, &made)
	w.receiver.secret = made.Secret
}

// watch connects an account and makes a trigger, for which the server makes a webhook at GitHub.
func (w *ordealWorld) watch() {
	w.t.Helper()
	var config struct {
		AuthConfig struct{ ID string } `json:"auth_config"`
	}
	w.ask("POST", "/auth_configs", `{"toolkit":{"slug":"github"},"auth_config":{"type":"use_custom_auth","authScheme":"BEARER_TOKEN","credentials":{}}}`, &config)
	var account struct{ ID string }
	w.ask("POST", "/connected_accounts", `{"auth_config":{"id":"`+config.AuthConfig.ID+`"},
		"connection":{"user_id":"ada","state":{"authScheme":"BEARER_TOKEN","val":{"status":"ACTIVE","token":"gho_ordeal"}}}}`, &account)
	var trigger struct {
		ID string `json:"trigger_id"`
	}
	w.ask("POST", "/trigger_instances/GITHUB_ISSUE_ADDED_EVENT/upsert",
		`{"connected_account_id":"`+account.ID+`","trigger_config":{"owner":"octocat","repo":"Hello-World"}}`, &trigger)
	if w.github.hook.URL == "" || w.github.hook.Secret == "" {
		w.t.Fatal("no webhook was made at GitHub")
	}
}

func (w *ordealWorld) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	w.changed.Broadcast()
}

// until waits for progress.
func (w *ordealWorld) until(enough func(progress) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !enough(w.progress()) {
		w.changed.Wait()
	}
}

func (w *ordealWorld) now() progress {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.progress()
}

// progress is called with the lock held.
func (w *ordealWorld) progress() progress { return progress{w.taken, len(w.receiver.ids)} }

func (w *ordealWorld) report(o ordeal, began time.Time) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	again := 0
	for number, ids := range w.receiver.ids {
		if len(ids) != 1 {
			w.t.Errorf("issue %d came under %d ids", number, len(ids))
		}
		for _, n := range ids {
			again += n - 1
		}
	}
	if len(w.receiver.ids) != o.events {
		w.t.Errorf("%d events arrived, %d were sent", len(w.receiver.ids), o.events)
	}
	w.t.Logf("%d events in %d calls (%d had been taken before), %d kills, receiver down for %s: all arrived within %s (%s after its return), in %d attempts; %d came more than once, under the same id",
		o.events, w.calls, w.repeated, o.kills, o.down, time.Since(began).Round(time.Second), time.Since(w.receiver.back).Round(time.Second), w.receiver.attempts, again)
}

// ordealGitHub makes webhooks and calls them. As a provider does, it calls again until the call is acknowledged.
type ordealGitHub struct {
	*httptest.Server
	w    *ordealWorld
	hook struct{ URL, Secret string }
}

func newOrdealGitHub(w *ordealWorld) *ordealGitHub {
	g := &ordealGitHub{w: w}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /user", func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, `{"id":7,"login":"ada"}`)
	})
	mux.HandleFunc("GET /repos/octocat/Hello-World", func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, `{"id":1296269}`)
	})
	mux.HandleFunc("POST /repos/octocat/Hello-World/hooks", func(rw http.ResponseWriter, r *http.Request) {
		var asked struct{ Config struct{ URL, Secret string } }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			w.t.Error(err)
		}
		g.hook = asked.Config
		rw.WriteHeader(http.StatusCreated)
		fmt.Fprint(rw, `{"id":12345678}`)
	})
	g.Server = httptest.NewServer(mux)
	w.t.Cleanup(g.Close)
	return g
}

// sendAll opens all issues, several at a time, and returns when all calls are acknowledged.
func (g *ordealGitHub) sendAll() {
	numbers := make(chan int)
	var senders sync.WaitGroup
	for range 16 {
		senders.Go(func() {
			for number := range numbers {
				g.send(number)
			}
		})
	}
	for number := range g.w.events {
		numbers <- number
	}
	close(numbers)
	senders.Wait()
}

// send calls until the call is acknowledged.
func (g *ordealGitHub) send(number int) {
	for {
		g.w.mu.Lock()
		for !g.w.up {
			g.w.changed.Wait()
		}
		g.w.calls++
		g.w.mu.Unlock()
		again, err := g.call(number)
		if err == nil {
			g.w.change(func() {
				g.w.taken++
				if again {
					g.w.repeated++
				}
			})
			return
		}
		if errors.Is(err, errRefused) {
			g.w.t.Error(err)
			return
		}
	}
}

var errRefused = errors.New("the server refuses the call")

// call makes one call, and reports whether the server had it before.
func (g *ordealGitHub) call(number int) (again bool, err error) {
	body := fmt.Appendf(nil, `{"action":"opened","issue":{"id":%d,"number":%[1]d,"title":"Issue %[1]d","body":"It is broken.","created_at":"2026-07-28T12:00:00Z",`+
		`"user":{"login":"ada"},"html_url":"https://github.com/octocat/Hello-World/issues/%[1]d"},"repository":{"id":1296269,"full_name":"octocat/Hello-World"}}`, number+1)
	r, err := http.NewRequestWithContext(g.w.t.Context(), http.MethodPost, g.hook.URL, bytes.NewReader(body))
	if err != nil {
		return false, errors.Join(errRefused, err)
	}
	mac := hmac.New(sha256.New, []byte(g.hook.Secret))
	mac.Write(body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "issues")
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return false, err // it was killed
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return false, err
	case response.StatusCode >= 500:
		return false, fmt.Errorf("%d %s", response.StatusCode, said)
	case response.StatusCode >= 300:
		return false, fmt.Errorf("%w: %d %s", errRefused, response.StatusCode, said)
	}
	return bytes.Contains(said, []byte("repeated")), nil
}

// ordealReceiver refuses half of what it is sent, and all while it is down.
type ordealReceiver struct {
	*httptest.Server
	w      *ordealWorld
	secret string

	back     time.Time              // when it is up again
	ids      map[int]map[string]int // by the number of the issue: how often each id was taken
	attempts int
}

func newOrdealReceiver(w *ordealWorld) *ordealReceiver {
	v := &ordealReceiver{w: w, ids: make(map[int]map[string]int)}
	v.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // its sender was killed
		}
		e, err := patchbay.VerifyWebhook(r.Header, body, v.secret)
		if err != nil {
			w.t.Error(err)
		}
		var issue struct{ Number int }
		if err := json.Unmarshal(e.Data, &issue); err != nil || issue.Number == 0 {
			w.t.Errorf("%s: %v", body, err)
		}
		w.change(func() { rw.WriteHeader(v.take(e.ID, issue.Number)) })
	}))
	w.t.Cleanup(v.Close)
	return v
}

// take is called with the world's lock held.
func (v *ordealReceiver) take(id string, number int) (status int) {
	v.attempts++
	switch {
	case time.Now().Before(v.back):
		return http.StatusServiceUnavailable
	case rand.N(2) == 0:
		return http.StatusInternalServerError
	}
	if v.ids[number] == nil {
		v.ids[number] = make(map[string]int)
	}
	v.ids[number][id]++
	return http.StatusOK
}

func (v *ordealReceiver) downFor(d time.Duration) {
	v.w.change(func() { v.back = time.Now().Add(d) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
