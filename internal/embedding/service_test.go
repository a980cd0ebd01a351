package embedding

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/inference"
	"github.com/patchbay-dev/patchbay/internal/inference/inferencetest"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// someTools are tools with so many different texts.
func someTools(n int) []*catalog.Tool {
	kit := &catalog.Toolkit{Slug: "shop", Name: "Shop"}
	tools := make([]*catalog.Tool, n)
	for i := range tools {
		tools[i] = &catalog.Tool{Slug: fmt.Sprintf("SHOP_%d", i), Name: "item " + word(i), Description: "About " + word(i+1) + ".", Toolkit: kit}
	}
	return tools
}

// word writes a number in letters.
func word(n int) string {
	text := []byte("thing")
	for ; n > 0; n /= 26 {
		text = append(text, 'a'+byte(n%26))
	}
	return string(text)
}

// started is a service whose work is going on, in a synctest bubble.
func started(t *testing.T, server *inferencetest.Server, directory string, log *bytes.Buffer) *Service {
	t.Helper()
	o := Options{
		Endpoint: inference.Endpoint{URL: "https://models.example/v1", Model: "words", APIKey: secret.Hide("sk-hush"), HTTP: server}, Directory: directory,
	}
	if log != nil {
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	return s
}

func stop(t *testing.T, s *Service) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// nearest gives the slug of the tool that comes nearest; empty when the table does not answer or nothing is near.
func nearest(s *Service, table *Table, text string) string {
	vector := s.Requests(context.Background(), []string{text})[0]
	if vector == nil {
		return ""
	}
	best, slug := float32(0), ""
	table.Nearest(vector, 10, func(int) bool { return true }, func(d int, near float32) {
		if near > best {
			best, slug = near, table.tools[d].Slug
		}
	})
	return slug
}

func TestToolsAreFoundByTheirVectors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &inferencetest.Server{Same: map[string]string{"wibble": word(7)}}
		s := started(t, server, t.TempDir(), nil)
		defer stop(t, s)
		table := s.Table(someTools(150))
		if table.Nearest(make([]float32, 64), 1, nil, nil) {
			t.Error("the table answers before it has vectors")
		}
		time.Sleep(time.Minute)
		if got := nearest(s, table, "wibble"); got != "SHOP_7" && got != "SHOP_6" {
			t.Errorf("nearest is %q", got)
		}
		for _, r := range server.Requests() {
			if r.Authorization != "Bearer sk-hush" || r.Model != "words" || r.Path != "/v1/embeddings" || len(r.Input) > batch {
				t.Errorf("request %+v", r)
			}
		}
		asked := len(server.Requests())
		s.Requests(t.Context(), []string{"wibble", "wibble"})
		if len(server.Requests()) != asked {
			t.Error("the vector of a request was not remembered")
		}
		s.Requests(t.Context(), []string{"one", "wibble", "two"})
		if last := server.Requests()[asked]; len(server.Requests()) != asked+1 || strings.Join(last.Input, " ") != "one two" {
			t.Errorf("several requests were asked for by %+v", last)
		}
	})
}

// What was embedded once is not embedded again: not by a restart, and by a change only what changed.
func TestVectorsAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		directory, tools := t.TempDir(), someTools(100)
		server := &inferencetest.Server{}
		s := started(t, server, directory, nil)
		first := s.Table(tools)
		time.Sleep(time.Minute)
		vector := s.Requests(t.Context(), []string{"thing"})[0]
		stop(t, s)

		server = &inferencetest.Server{}
		s = started(t, server, directory, nil)
		defer stop(t, s)
		again := s.Table(tools)
		time.Sleep(time.Minute)
		if !again.Ready() || len(server.Requests()) != 0 {
			t.Errorf("a restart asked for %q", server.Texts())
		}
		same := map[int]float32{}
		first.filled.Load().compare(t, vector, first, func(d int, near float32) { same[d] = near })
		changed := append(tools[:0:0], tools...)
		changed[3] = &catalog.Tool{Slug: "SHOP_3", Name: "renamed", Toolkit: tools[3].Toolkit}
		table := s.Table(changed)
		time.Sleep(time.Minute)
		if texts := server.Texts(); !table.Ready() || len(texts) != 1 || texts[0] != "Shop: renamed" {
			t.Errorf("a change asked for %q", texts)
		}
	})
}

// compare is only there to see that a table of a stopped service answers false and does not fall.
func (f *filled) compare(t *testing.T, vector []float32, table *Table, found func(int, float32)) {
	t.Helper()
	if table.Nearest(vector, 5, func(int) bool { return true }, found) {
		t.Error("a table of a stopped service answers")
	}
}

func TestAnInterruptedRunGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		directory, tools := t.TempDir(), someTools(5*batch)
		server := &inferencetest.Server{}
		s := started(t, server, directory, nil)
		s.Table(tools)
		time.Sleep(3*defaultPace - time.Millisecond) // the texts by which the model is known, and two batches
		stop(t, s)
		before := len(server.Texts())
		if before == 0 || before >= 5*batch {
			t.Fatalf("%d texts were asked for", before)
		}
		s = started(t, server, directory, nil)
		defer stop(t, s)
		table := s.Table(tools)
		time.Sleep(time.Minute)
		if after := len(server.Texts()); !table.Ready() || after != len(pairTexts())+5*batch {
			t.Errorf("%d texts were asked for in the end", after)
		}
	})
}

func answerWith(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	}
}

// Whatever the endpoint does, a search goes on at once, the log says it once, and it is used again when it answers again.
func TestOutages(t *testing.T) {
	t.Parallel()
	for name, instead := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"down":              answerWith(http.StatusServiceUnavailable, `{"error":{"message":"overloaded sk-hush"}}`),
		"busy":              answerWith(http.StatusTooManyRequests, `{"error":"slow down"}`),
		"not JSON":          answerWith(http.StatusOK, `<html>`),
		"too few vectors":   answerWith(http.StatusOK, `{"data":[]}`),
		"wrong dimensions":  answerWith(http.StatusOK, `{"data":[{"index":0,"embedding":[1,2,3]}]}`),
		"no direction":      answerWith(http.StatusOK, `{"data":[{"index":0,"embedding":[0,0,0]}]}`),
		"not a number":      answerWith(http.StatusOK, `{"data":[{"index":0,"embedding":[1e39,"NaN"]}]}`),
		"wrong numbering":   answerWith(http.StatusOK, `{"data":[{"index":7,"embedding":[1]}]}`),
		"slow":              func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true },
		"wrong key":         answerWith(http.StatusUnauthorized, `{"error":{"message":"no"}}`),
		"without an answer": answerWith(http.StatusOK, ``),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				server := &inferencetest.Server{}
				s := started(t, server, t.TempDir(), &log)
				defer stop(t, s)
				s.Table(someTools(3))
				time.Sleep(time.Minute)

				server.Switch(instead)
				began := time.Now()
				for i := range 50 {
					if v := s.Requests(t.Context(), []string{word(i)})[0]; v != nil {
						t.Fatal("a vector came out of it")
					}
				}
				if took := time.Since(began); took > DefaultPatience {
					t.Errorf("50 searches waited %v", took)
				}
				time.Sleep(2 * time.Minute)
				if s.Status().Outage == nil {
					t.Error("the status says nothing")
				}
				synctest.Wait()
				if n := strings.Count(log.String(), "\n"); n != 1 || strings.Contains(log.String(), "sk-hush") {
					t.Errorf("%d lines in the log:\n%s", n, log.String())
				}
				server.Switch(nil)
				time.Sleep(2 * time.Minute)
				if v := s.Requests(t.Context(), []string{"again"})[0]; v == nil || s.Status().Outage != nil {
					t.Errorf("it is not used again: %v", s.Status().Outage)
				}
			})
		})
	}
}

// A caller who goes away says nothing about the endpoint.
func TestACallerWhoLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &inferencetest.Server{}
		s := started(t, server, t.TempDir(), nil)
		defer stop(t, s)
		s.Table(someTools(1))
		time.Sleep(time.Minute)
		server.Switch(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		s.Requests(ctx, []string{"thing"})
		if s.Status().Outage != nil {
			t.Error("the endpoint is blamed")
		}
	})
}

// The endpoint fails while the tools are embedded: nothing is lost, and it is not hammered.
func TestToolsAreMadeAfterAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &inferencetest.Server{Instead: answerWith(http.StatusServiceUnavailable, "")}
		s := started(t, server, t.TempDir(), nil)
		defer stop(t, s)
		table := s.Table(someTools(5))
		time.Sleep(10 * time.Minute)
		if n := len(server.Requests()); n < 8 || n > 20 {
			t.Errorf("%d tries in ten minutes", n)
		}
		server.Switch(nil)
		time.Sleep(2 * time.Minute)
		if !table.Ready() {
			t.Error("the vectors were not made")
		}
	})
}

// Retry-After is kept to.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &inferencetest.Server{Instead: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}}
		s := started(t, server, t.TempDir(), nil)
		defer stop(t, s)
		s.Table(someTools(5))
		time.Sleep(119 * time.Second)
		if n := len(server.Requests()); n != 1 {
			t.Errorf("%d requests in the time that the endpoint asked for", n)
		}
	})
}

// One text that the endpoint does not take costs that one its vector, and no other.
func TestARefusedText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &inferencetest.Server{}
		tools := someTools(200)
		bad := textOf(tools[77])
		server.Instead = func(w http.ResponseWriter, _ *http.Request) bool {
			last := server.Last()
			for _, text := range last.Input {
				if text == bad {
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprint(w, `{"error":{"message":"too long"}}`)
					return true
				}
			}
			return false
		}
		s := started(t, server, t.TempDir(), nil)
		defer stop(t, s)
		table := s.Table(tools)
		time.Sleep(time.Minute)
		f := table.filled.Load()
		if f == nil {
			t.Fatal("the table does not answer")
		}
		for d, row := range f.rows {
			if (row == none) != (d == 77) {
				t.Errorf("tool %d has row %d", d, row)
			}
		}
		if s.Status().Outage != nil {
			t.Error("the endpoint counts as failing")
		}
	})
}

// A model that has understood nothing is not used.
func TestAPoorModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		server := &inferencetest.Server{Instead: func(w http.ResponseWriter, _ *http.Request) bool {
			var data []string
			for i := range pairTexts() {
				data = append(data, fmt.Sprintf(`{"index":%d,"embedding":[1,%d]}`, i, i%2))
			}
			fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(data, ","))
			return true
		}}
		s := started(t, server, t.TempDir(), &log)
		defer stop(t, s)
		table := s.Table(someTools(3))
		time.Sleep(time.Minute)
		if table.Ready() || !s.Status().Poor || s.Requests(t.Context(), []string{"thing"})[0] != nil {
			t.Error("it is used")
		}
		if !strings.Contains(log.String(), "does not tell what belongs together") {
			t.Errorf("log %q", log.String())
		}
		if look, err := Look(t.Context(), s.asker.endpoint, 0); err == nil || look.Poor { // it gives 32 vectors for one text
			t.Errorf("%+v, %v", look, err)
		}
	})
}

func TestLook(t *testing.T) {
	t.Parallel()
	e := inference.Endpoint{URL: "http://x/v1", Model: "words", HTTP: &inferencetest.Server{}}
	if found, err := Look(t.Context(), e, 0); err != nil || found.Dimensions != 64 || found.Poor {
		t.Errorf("%+v, %v", found, err)
	}
	if found, err := Look(t.Context(), e, 32); err != nil || found.Dimensions != 32 {
		t.Errorf("%+v, %v", found, err)
	}
	e.HTTP = &inferencetest.Server{Instead: answerWith(http.StatusNotFound, `{"error":{"message":"model not found"}}`)}
	var refused *inference.RefusedError
	if _, err := Look(t.Context(), e, 0); !errors.As(err, &refused) || refused.Status != http.StatusNotFound || refused.Text != "model not found" {
		t.Errorf("%v", err)
	}
}

func TestAModelThatChangesItsDimensions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		directory := t.TempDir()
		s := started(t, &inferencetest.Server{}, directory, nil)
		s.Table(someTools(3))
		time.Sleep(time.Minute)
		stop(t, s)
		s = started(t, &inferencetest.Server{Dimensions: 32}, directory, nil)
		defer stop(t, s)
		s.Table(someTools(5))
		time.Sleep(time.Minute)
		if err := s.Status().Outage; err == nil || !strings.Contains(err.Error(), "32 dimensions, and gave some of 64 before") {
			t.Errorf("status says %v", err)
		}
		files, err := filepath.Glob(filepath.Join(directory, "*.vectors"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if state, err := os.Stat(files[0]); err != nil || state.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", state.Mode(), err)
		}
	})
}

// A damaged vector among those by which the model is known is made anew, whichever it is.
func TestADamagedVectorOfTheScale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		directory := t.TempDir()
		server := &inferencetest.Server{}
		s := started(t, server, directory, nil)
		s.Table(someTools(3))
		time.Sleep(time.Minute)
		stop(t, s)
		at, size := s.file.offset(5), s.file.size()
		files, err := filepath.Glob(filepath.Join(directory, "*.vectors"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		content, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		content[at+int64(size)] ^= 1
		if err := os.WriteFile(files[0], content, 0o600); err != nil {
			t.Fatal(err)
		}
		before := len(server.Texts())
		s = started(t, server, directory, nil)
		defer stop(t, s)
		table := s.Table(someTools(3))
		time.Sleep(time.Minute)
		if asked := len(server.Texts()) - before; !table.Ready() || asked != len(pairTexts()) {
			t.Errorf("ready: %t, asked for %d texts", table.Ready(), asked)
		}
	})
}
