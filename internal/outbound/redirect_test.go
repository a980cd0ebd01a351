package outbound

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDoFollowing(t *testing.T) {
	t.Parallel()
	type seen struct{ Method, Path, Authorization, Key, Accept string }
	note := func(r *http.Request) seen {
		return seen{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.Header.Get("Accept")}
	}
	var atOther []seen
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { atOther = append(atOther, note(r)) }))
	t.Cleanup(other.Close)
	var atHome []seen
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		atHome = append(atHome, note(r))
		switch {
		case r.URL.Path == "/renamed":
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		case r.URL.Path == "/download":
			http.Redirect(w, r, other.URL+"/file", http.StatusFound)
		case r.URL.Path == "/private":
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/round/"):
			n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/round/"))
			http.Redirect(w, r, "/round/"+strconv.Itoa(n+1), http.StatusFound)
		}
	}))
	t.Cleanup(home.Close)
	c := newClient(t, Options{Allow: []string{"127.0.0.1/32"}})
	ask := func(method, path string) (*http.Response, error) {
		atHome, atOther = nil, nil
		r := request(t, method, home.URL+path)
		r.Header.Set("Authorization", "Bearer s3cret")
		r.Header.Set("X-Api-Key", "s3cret")
		r.Header.Set("Accept", "application/json")
		res, err := c.DoFollowing(r)
		if err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		return res, err
	}

	// The same origin gets the whole request again.
	if res, err := ask(http.MethodGet, "/renamed"); err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	full := func(path string) seen { return seen{"GET", path, "Bearer s3cret", "s3cret", "application/json"} }
	if d := cmp.Diff([]seen{full("/renamed"), full("/new")}, atHome); d != "" {
		t.Error(d)
	}
	// Another origin gets no credential, under whatever header it travelled.
	if res, err := ask(http.MethodGet, "/download"); err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	if d := cmp.Diff([]seen{{Method: "GET", Path: "/file", Accept: "application/json"}}, atOther); d != "" {
		t.Error(d)
	}
	// The guard stands behind a redirect too.
	_, err := ask(http.MethodGet, "/private")
	wantRefused(t, err)
	// Writes are not repeated elsewhere.
	if res, err := ask(http.MethodPost, "/renamed"); err != nil || res.StatusCode != http.StatusMovedPermanently || len(atHome) != 1 {
		t.Error(res, err, atHome)
	}
	// Circles end.
	if res, err := ask(http.MethodGet, "/round/0"); err != nil || res.StatusCode != http.StatusFound || len(atHome) != maxRedirects+1 {
		t.Error(res, err, len(atHome))
	}
}

func TestRedirectsToOtherSchemes(t *testing.T) {
	t.Parallel()
	for from, cases := range map[string]map[string]bool{
		"https://example.com/a": {"http://example.com/a": false, "https://example.com/b": true, "": false, "/b": true, "ftp://x/": false},
		"http://example.com/a":  {"http://example.com/b": true, "https://example.com/a": true, "ftp://x/": false, "file:///etc/passwd": false},
	} {
		for location, want := range cases {
			res := &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {location}}}
			if got := redirectOf(request(t, http.MethodGet, from), res) != nil; got != want {
				t.Errorf("from %s to %q: followed %v, want %v", from, location, got, want)
			}
		}
	}
}
