package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/internal/connect"
)

// branded is a link of a project that chose a look.
func branded(accent string) connect.LinkView {
	v := oauthLink
	v.Brand = connect.Brand{Logo: "https://cdn.example/logo.png?v=1;2", Accent: accent, Own: true}
	v.Identity = connect.Identity{ID: "p1", Name: "Ann Lee", Email: "ann@example.com", Avatar: "https://avatars.example/ann.png"}
	return v
}

func TestBrandedPage(t *testing.T) {
	t.Parallel()
	res := serve(t, &links{view: branded("#ff5500")}, get("/link/lt_1"))
	page := text(t, res)
	wantText(t, page, `<img src="https://cdn.example/logo.png?v=1;2" alt="Harbour &lt;b&gt;"`, `<img src="https://avatars.example/ann.png" alt=""`, "--button:#ff5500;", "Ann Lee")
	if strings.Contains(page, "Patchbay") {
		t.Error("our name stands on a page with the project's own look")
	}
	csp := res.Header.Get("Content-Security-Policy")
	for _, directive := range []string{"img-src data: https://cdn.example https://avatars.example;", "default-src 'none';"} {
		if !strings.Contains(csp, directive) {
			t.Errorf("the policy lacks %q: %s", directive, csp)
		}
	}
	styles := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(page, -1)
	if len(styles) != 2 {
		t.Fatalf("%d styles", len(styles))
	}
	for _, s := range styles {
		sum := sha256.Sum256([]byte(s[1]))
		if !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("the policy refuses a style of the page:\n%.200s", s[1])
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is open: %s", csp)
	}
	plain := text(t, serve(t, &links{view: oauthLink}, get("/link/lt_1")))
	if strings.Count(plain, "<style>") != 1 || !strings.Contains(plain, "Patchbay") {
		t.Error("a page without a look of its own is not ours")
	}
}

// TestLookIsHarmless gives the pages looks that the settings would refuse.
func TestLookIsHarmless(t *testing.T) {
	t.Parallel()
	for _, accent := range []string{"red;}body{display:none", "</style><script>", "#12", "#zzzzzz", "url(x)"} {
		page := text(t, serve(t, &links{view: branded(accent)}, get("/link/lt_1")))
		if strings.Count(page, "<style>") != 1 || strings.Contains(page, "display:none") || strings.Contains(page, "<script") {
			t.Errorf("%q is in the page", accent)
		}
	}
	for _, picture := range []string{"http://cdn.example/a.png", "javascript:alert(1)", "https://evil.example;script-src *", "https://user@cdn.example/", "data:text/html,x", "https://ev il/"} {
		v := branded("")
		v.Brand.Logo, v.Identity.Avatar = picture, picture
		res := serve(t, &links{view: v}, get("/link/lt_1"))
		if page := text(t, res); strings.Contains(page, "<img") || !strings.Contains(res.Header.Get("Content-Security-Policy"), "img-src data:;") {
			t.Errorf("%q is in the page, or the policy: %s", picture, res.Header.Get("Content-Security-Policy"))
		}
	}
}

// TestEveryColourCanBeRead goes over colours of all kinds, for both cards.
func TestEveryColourCanBeRead(t *testing.T) {
	t.Parallel()
	colours := []string{"#000000", "#ffffff", "#777777", "#ffff00", "#0000ff", "#ff0000", "#00ff00", "#191c23", "#fefefe", "#808080", "#767676"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		colours = append(colours, fmt.Sprintf("#%06x", random.IntN(1<<24)))
	}
	variable := regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]{6})`)
	for _, colour := range colours {
		page := text(t, serve(t, &links{view: branded(colour)}, get("/link/lt_1")))
		light, dark, ok := strings.Cut(page[strings.LastIndex(page, "<style>"):], "@media")
		if !ok {
			t.Fatalf("%s has no colours for the dark", colour)
		}
		for card, css := range map[string]string{"ffffff": light, "191c23": dark} {
			c := make(map[string]string)
			for _, m := range variable.FindAllStringSubmatch(css, -1) {
				c[m[1]] = m[2][1:]
			}
			for what, pair := range map[string][2]string{
				"a link": {c["accent"], card}, "a link under the pointer": {c["accent-deep"], card}, "the avatar": {c["accent-ink"], c["accent"]},
				"the button": {c["button-ink"], c["button"]}, "the button under the pointer": {c["button-ink"], c["button-deep"]},
			} {
				if got := contrastOf(t, pair[0], pair[1]); got < 4.5 {
					t.Errorf("%s: %s has a contrast of %.2f on %s", colour, what, got, card)
				}
			}
			if got := contrastOf(t, c["button-edge"], card); got < 3 {
				t.Errorf("%s: the button's edge has a contrast of %.2f on %s", colour, got, card)
			}
			if c["button"] != colour[1:] {
				t.Errorf("%s: the button is %s", colour, c["button"])
			}
		}
	}
}

func contrastOf(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

func TestWaitingPage(t *testing.T) {
	t.Parallel()
	v := branded("")
	v.Waiting = true
	for _, r := range []*http.Request{get("/link/lt_1"), get("/api/v3.1/toolkits/auth/callback?state=s&code=c", "Cookie: "+cookie)} {
		res := serve(t, &links{view: v, step: connect.LinkStep{View: v}}, r)
		page := text(t, res)
		wantText(t, page, "Almost done", "You have signed in to Acme", "cdn.example")
		if res.StatusCode != 200 || strings.Contains(page, "<form") || strings.Contains(page, "avatars.example") {
			t.Errorf("%s: %s", r.URL.Path, res.Status)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	v := keyLink
	v.Fields = []connect.LinkField{
		{Name: "credentials_json", Title: "Key file", Required: true, Secret: true, Description: "The whole file."},
		{Name: "subject", Title: "Act as"},
	}
	page := text(t, serve(t, &links{view: v}, get("/link/lt_1")))
	wantText(t, page, `enctype="multipart/form-data"`, `<textarea id="f-credentials_json" name="credentials_json"`,
		`<input id="file-credentials_json" name="credentials_json-file" type="file" accept=".json,application/json">`, `<label class="file" for="file-credentials_json">`)

	for name, c := range map[string]struct{ typed, file, want string }{
		"the file":            {"", "{\n\"type\": 1\n}\n", "{\n\"type\": 1\n}\n"},
		"what was typed wins": {"{\"typed\": 1}", "{}", "{\"typed\": 1}"},
		"neither":             {"", "", ""},
	} {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		w.WriteField("credentials_json", c.typed)
		if c.file != "" {
			f, _ := w.CreateFormFile("credentials_json-file", "key.json")
			io.WriteString(f, c.file)
		}
		w.Close()
		l := &formLinks{links: links{step: connect.LinkStep{Redirect: "https://app.example"}}}
		res := serveLinks(t, l, request("POST", "/link/lt_1", &body, "Cookie: "+cookie, "Content-Type: "+w.FormDataContentType()))
		if res.StatusCode != http.StatusSeeOther || l.form["credentials_json"] != c.want {
			t.Errorf("%s: %s, %q", name, res.Status, l.form["credentials_json"])
		}
	}
	var endless bytes.Buffer
	w := multipart.NewWriter(&endless)
	f, _ := w.CreateFormFile("credentials_json-file", "key.json")
	f.Write(bytes.Repeat([]byte("x"), 300<<10))
	w.Close()
	if res := serve(t, &links{}, request("POST", "/link/lt_1", &endless, "Cookie: "+cookie, "Content-Type: "+w.FormDataContentType())); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a file without end: %s", res.Status)
	}
}
