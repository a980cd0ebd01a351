package inference_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/inference"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func answer(status int, header http.Header, body string) doer {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   doer
		want string // of the error; empty: none
	}{
		"an answer":                 {answer(200, nil, `{"n":1}`), ""},
		"a refusal":                 {answer(429, http.Header{"Retry-After": {"7"}}, `{"error":{"message":"too\nmany of sk-hush"}}`), "it answers 429: too many of [redacted]"},
		"a refusal in a text":       {answer(404, nil, `{"error":"no model"}`), "it answers 404: no model"},
		"a page":                    {answer(502, nil, `<html>secret of somebody</html>`), "it answers 502"},
		"a long complaint":          {answer(400, nil, `{"error":"`+strings.Repeat("ü", 400)+`"}`), "it answers 400: " + strings.Repeat("ü", 200) + "…"},
		"not JSON":                  {answer(200, nil, `hello`), "its answer is not what the API of OpenAI says"},
		"larger than may be":        {answer(200, nil, `"`+strings.Repeat("x", 2000)+`"`), "larger than 1000 bytes"},
		"a redirect is no answer":   {answer(307, http.Header{"Location": {"https://elsewhere"}}, ``), "it answers 307"},
		"a deadline that is passed": {func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }, "it does not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := inference.Endpoint{URL: "https://models.example/v1/", Model: "m", APIKey: secret.Hide("sk-hush"), HTTP: doer(func(r *http.Request) (*http.Response, error) {
				if r.URL.String() != "https://models.example/v1/embeddings" || r.Header.Get("Authorization") != "Bearer sk-hush" {
					t.Errorf("%s with %v", r.URL, r.Header)
				}
				return c.do(r)
			})}
			var out struct{ N int }
			err := e.Post(t.Context(), "/embeddings", struct{}{}, &out, 1000)
			if c.want == "" && (err != nil || out.N != 1) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, %+v", err, out)
			}
			if err != nil && strings.Contains(err.Error(), "sk-hush") {
				t.Error("the key is in the error")
			}
			if refused, ok := errors.AsType[*inference.RefusedError](err); name == "a refusal" && (!ok || refused.After != 7*time.Second) {
				t.Errorf("%+v", refused)
			}
		})
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://api.openai.com/v1": "api.openai.com:443", "http://127.0.0.1:11434/v1": "127.0.0.1:11434", "http://models/v1": "models:80",
		"http://[::1]/v1": "[::1]:80", "": "", "nonsense": "",
	} {
		if got := inference.Host(address); got != want {
			t.Errorf("Host(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []bool
		o := &inference.Outage{Now: time.Now, Changed: func(down bool, _ error) { told = append(told, down) }}
		if !o.Allows() || o.Wait() != 0 || o.Reason() != nil {
			t.Error("it begins with an outage")
		}
		broken := errors.New("broken")
		o.Note(broken)
		if o.Allows() || o.Wait() != time.Second || !errors.Is(o.Reason(), broken) {
			t.Errorf("after a failure: wait %v, %v", o.Wait(), o.Reason())
		}
		time.Sleep(time.Second)
		if !o.Allows() || o.Allows() {
			t.Error("not one request is let through when the pause is over")
		}
		for range 20 {
			o.Note(broken)
		}
		if o.Wait() != time.Minute {
			t.Errorf("the longest pause is %v", o.Wait())
		}
		o.Note(&inference.RefusedError{Status: 429, After: time.Hour})
		if o.Wait() != 10*time.Minute {
			t.Errorf("an hour was asked for, and %v are waited", o.Wait())
		}
		o.Note(nil)
		o.Note(nil)
		if !o.Allows() || o.Reason() != nil {
			t.Error("it is not over")
		}
		o.Note(broken)
		if o.Wait() != time.Second || len(told) != 3 || !told[0] || told[1] || !told[2] {
			t.Errorf("wait %v, told %v", o.Wait(), told)
		}
	})
}
