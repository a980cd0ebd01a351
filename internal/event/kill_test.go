package event_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store"
)

// victimVariable holds the data directory in the child process of TestNothingIsLost.
const victimVariable = "PATCHBAY_TEST_EVENT_VICTIM"

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
		return ordeal{events: 200, kills: 3, down: 500 * time.Millisecond}
	}
	var o ordeal
	var down string
	_, err := fmt.Sscanf(text, "%d %d %s", &o.events, &o.kills, &down)
	must(t, err)
	o.down, err = time.ParseDuration(down)
	must(t, err)
	return o
}

// TestNothingIsLost: events come in while the process is killed again and again, and their receiver refuses every other delivery and is
// down for a while. Every event arrives, and one that arrives again has the same id.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	o := readOrdeal(t)
	receiver := newUnreliable(t)
	began := time.Now()
	source := &source{directory: t.TempDir(), url: receiver.URL}
	for i := range o.events {
		source.left = append(source.left, strconv.Itoa(i))
	}
	for kill := range o.kills {
		if kill == o.kills/2 {
			receiver.downFor(o.down)
		}
		source.feedAndKill(t, len(source.left)/(o.kills-kill+1))
	}
	end := source.feed(t)
	defer end()
	receiver.wait(t, o.events)
	receiver.report(t, o, began)
}

// unreliable is a receiver that refuses half of what it is sent, and all while it is down.
type unreliable struct {
	*httptest.Server
	mu       sync.Mutex
	up       time.Time
	ids      map[string]map[string]int // by key: how often each id was taken
	attempts int
	all      chan struct{} // has a token whenever something was taken
}

func newUnreliable(t *testing.T) *unreliable {
	u := &unreliable{ids: make(map[string]map[string]int), all: make(chan struct{}, 1)}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // its sender was killed
		}
		w.WriteHeader(u.take(r.Header.Get("webhook-id"), body))
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *unreliable) take(id string, body []byte) (status int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.attempts++
	if time.Now().Before(u.up) {
		return http.StatusServiceUnavailable
	}
	if rand.N(2) == 0 {
		return http.StatusInternalServerError
	}
	var message struct {
		Data struct{ Key string }
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return http.StatusBadRequest
	}
	if u.ids[message.Data.Key] == nil {
		u.ids[message.Data.Key] = make(map[string]int)
	}
	u.ids[message.Data.Key][id]++
	select {
	case u.all <- struct{}{}:
	default:
	}
	return http.StatusOK
}

func (u *unreliable) downFor(d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.up = time.Now().Add(d)
}

// wait returns when so many different events were taken.
func (u *unreliable) wait(t *testing.T, events int) {
	t.Helper()
	for {
		u.mu.Lock()
		n := len(u.ids)
		u.mu.Unlock()
		if n >= events {
			return
		}
		select {
		case <-u.all:
		case <-t.Context().Done():
			t.Fatalf("%d of %d events arrived", n, events)
		}
	}
}

func (u *unreliable) report(t *testing.T, o ordeal, began time.Time) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	again := 0
	for key, ids := range u.ids {
		if len(ids) != 1 {
			t.Errorf("event %s came under %d ids", key, len(ids))
		}
		for _, n := range ids {
			again += n - 1
		}
	}
	if len(u.ids) != o.events {
		t.Errorf("%d events arrived, %d were sent", len(u.ids), o.events)
	}
	t.Logf("%d events, %d kills, down for %s: all arrived within %s, in %d attempts; %d came more than once, under the same id",
		o.events, o.kills, o.down, time.Since(began).Round(time.Second), u.attempts, again)
}

// source is where the events come from. Like a provider it sends an event again until it is acknowledged, under the same key.
type source struct {
	directory, url string
	left           []string // keys that were not acknowledged
}

// feedAndKill starts a process, feeds it until it has acknowledged so many events, and kills it in the midst of its work.
func (s *source) feedAndKill(t *testing.T, acknowledged int) {
	t.Helper()
	process, input, output := s.start(t)
	go func() {
		for _, key := range s.left {
			if _, err := fmt.Fprintln(input, key); err != nil {
				return // it was killed
			}
		}
	}()
	done := make(map[string]bool)
	for output.Scan() { // what is in the pipe after the kill was acknowledged too
		if key, ok := strings.CutPrefix(output.Text(), "logged "); ok {
			done[key] = true
		}
		if len(done) == acknowledged {
			must(t, process.Process.Kill()) // SIGKILL
		}
	}
	if err := process.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process ended by itself: %v", err)
	}
	var left []string
	for _, key := range s.left {
		if !done[key] {
			left = append(left, key)
		}
	}
	s.left = left
}

// feed starts a process that lives until end is called, and feeds it the rest.
func (s *source) feed(t *testing.T) (end func()) {
	t.Helper()
	process, input, output := s.start(t)
	go func() {
		for _, key := range s.left {
			if _, err := fmt.Fprintln(input, key); err != nil {
				return
			}
		}
	}()
	go func() {
		for output.Scan() {
		}
	}()
	return func() {
		process.Process.Kill()
		process.Wait()
	}
}

func (s *source) start(t *testing.T) (*exec.Cmd, io.Writer, *bufio.Scanner) {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	process := exec.Command(program, "-test.run=^TestVictim$", "-test.timeout=0")
	process.Env = append(os.Environ(), victimVariable+"="+s.directory, victimVariable+"_URL="+s.url)
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	must(t, err)
	output, err := process.StdoutPipe()
	must(t, err)
	must(t, process.Start())
	return process, input, bufio.NewScanner(output)
}

// TestVictim is the child of TestNothingIsLost: a store and a service, as a server has them, that logs the events it reads.
func TestVictim(t *testing.T) {
	directory := os.Getenv(victimVariable)
	if directory == "" {
		t.Skip("runs only as the child of TestNothingIsLost")
	}
	bus := new(notify.Bus)
	s, err := store.Open(t.Context(), store.Options{
		Database: filepath.Join(directory, "patchbay.db"), MasterKey: secret.KeyFile(filepath.Join(directory, "master.key")), Bus: bus,
	})
	must(t, err)
	service, err := event.New(event.Options{
		Store: s, HTTP: httpDoer{http.DefaultClient}, Bus: bus, FirstPause: 20 * time.Millisecond, LongestPause: time.Second, Recovery: time.Second,
	})
	must(t, err)
	subscribeOnce(t, service, os.Getenv(victimVariable+"_URL"))
	service.Start()
	var all sync.WaitGroup
	places := make(chan struct{}, 16)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		key := lines.Text()
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			e := message(key)
			e.Data = json.RawMessage(`{"key":"` + key + `"}`)
			if _, err := service.Append(context.Background(), []event.Event{e}); err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintln(os.Stdout, "logged "+key)
		})
	}
	all.Wait()
	<-t.Context().Done() // until it is killed
}

// subscribeOnce subscribes the receiver, unless a process before did.
func subscribeOnce(t *testing.T, service *event.Service, url string) {
	t.Helper()
	_, page, err := service.ListSubscriptions(t.Context(), caller, event.SubscriptionFilter{Limit: 1})
	must(t, err)
	if page.Total > 0 {
		return
	}
	_, err = service.CreateSubscription(t.Context(), caller, event.SubscriptionChange{URL: &url, Filter: &event.Filter{Types: []event.Type{event.TriggerMessage}}})
	must(t, err)
}

type httpDoer struct{ *http.Client }
