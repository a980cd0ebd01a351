package api

import (
	"context"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func TestPosition(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body         string
		offset       int64
		line, column int
	}{
		{"x", 1, 1, 1},
		{"{\n x", 4, 2, 2},
		{"{\"ü\":x", 7, 1, 6}, // columns are characters, offsets are bytes
		{"", 0, 1, 1},
		{"ab", 99, 1, 3},
	}
	for _, test := range tests {
		if line, column := position([]byte(test.body), test.offset); line != test.line || column != test.column {
			t.Errorf("position(%q, %d) is %d:%d, want %d:%d", test.body, test.offset, line, column, test.line, test.column)
		}
	}
}

// TestNumbersSurvive: an id of twenty digits must reach the tool as it was written.
func TestNumbersSurvive(t *testing.T) {
	t.Parallel()
	var in executeToolRequest
	must(t, decodeBody([]byte(`{"arguments":{"id":12345678901234567890,"n":1e400,"deep":[{"x":0.1}]}}`), &in))
	if got := in.Arguments["id"]; got != json.Number("12345678901234567890") {
		t.Errorf("id became %v", got)
	}
	if got := in.Arguments["deep"].([]any)[0].(map[string]any)["x"]; got != json.Number("0.1") {
		t.Errorf("x became %v", got)
	}
	if _, ok := new(big.Float).SetString(string(in.Arguments["n"].(json.Number))); !ok {
		t.Errorf("n became %v", in.Arguments["n"])
	}
}

// TestSixCharactersAreNotANull: "\\u0000" in JSON is a backslash and letters.
func TestSixCharactersAreNotANull(t *testing.T) {
	t.Parallel()
	var in executeToolRequest
	must(t, decodeBody([]byte(`{"user_id":"\\u0000"}`), &in))
	if in.UserID != `\u0000` {
		t.Errorf("got %q", in.UserID)
	}
}

func TestFindNull(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`"\u0000"`:       "body",
		`{"a":"\u0000"}`: "a",
		`{"a":{"b":["x",{"c":1,"d":"x\u0000"}]}}`: "a.b[1].d",
		`{"a":[[],[1,[true,null,"\u0000"]]]}`:     "a[1][1][2]",
		`{"a":{},"b":[],"c":"x","d":"\u0000"}`:    "d",
		`{"a":1,"b\u0000":2}`:                     `"b\x00"`,
		`[{"a":"b"},"\u0000"]`:                    "[1]",
		`{"a":"\\u0000"}`:                         "",
		`{"a":"x"`:                                "",
		strings.Repeat("[", 1000) + `"\u0000"` + strings.Repeat("]", 1000): strings.Repeat("[0]", 67) + "…",
	}
	for body, want := range tests {
		if got, found := findNull([]byte(body)); got != want || found != (want != "") {
			t.Errorf("%s: %q, %v, want %q", short(body), got, found, want)
		}
	}
}

// TestDeepBodiesAreReadOnce: nesting must not make the search for a null character quadratic.
func TestDeepBodiesAreReadOnce(t *testing.T) { //nolint:paralleltest // it counts allocations
	body := strings.Repeat(`{"a":[`, 4000) + `"` + strings.Repeat("x", 1<<20) + `\\u0000"` + strings.Repeat(`]}`, 4000)
	allocations := testing.AllocsPerRun(1, func() {
		if _, found := findNull([]byte(body)); found {
			t.Error("six characters were taken for a null")
		}
	})
	if allocations > 100_000 {
		t.Errorf("%v allocations", allocations)
	}
}

func TestABodyCannotSetWhatComesFromElsewhere(t *testing.T) {
	t.Parallel()
	var in executeToolRequest
	must(t, decodeBody([]byte(`{"Slug":"OTHER","Origin":"https://evil.test","IdempotencyKey":"k","slug":"x"}`), &in))
	if in.Slug != "" || in.Origin != "" || in.IdempotencyKey != "" {
		t.Errorf("got %+v", in)
	}
}

func TestLenientForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		want []string
	}{
		{`"repo"`, []string{"repo"}},
		{`"repo, read:user gist"`, []string{"repo", "read:user", "gist"}},
		{`["repo","a b"]`, []string{"repo", "a", "b"}},
		{`""`, []string{}},
		{`[]`, []string{}},
	}
	for _, test := range tests {
		var got scopeList
		must(t, json.Unmarshal([]byte(test.body), &got))
		if diff := cmp.Diff(test.want, []string(got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.body, diff)
		}
	}
	if diff := cmp.Diff(values{"a", "b", "c", "d"}, splitValues([]string{"a, b,,", "c", "d"})); diff != "" {
		t.Errorf("values (-want +got)\n%s", diff)
	}
	var text map[string]looseValue
	must(t, json.Unmarshal([]byte(`{"status":"ACTIVE","port":8080,"on":true,"none":null,"deep":{"a":1},"s":"x"}`), &text))
	if diff := cmp.Diff(map[string]string{"port": "8080", "on": "true", "s": "x"}, texts(text)); diff != "" {
		t.Errorf("texts (-want +got)\n%s", diff)
	}
}

func TestBindingRefusesMistakesOfOurs(t *testing.T) {
	t.Parallel()
	tests := map[string]func(){
		"a body could set it": func() {
			serve(func(_ context.Context, _ tenant.Caller, _ struct {
				ID string `path:"id"`
			}) (struct{}, error) {
				return struct{}{}, nil
			})
		},
		"cannot be bound": func() {
			serve(func(_ context.Context, _ tenant.Caller, _ struct {
				N float64 `query:"n" json:"-"`
			}) (struct{}, error) {
				return struct{}{}, nil
			})
		},
	}
	for name, make := range tests {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: not refused", name)
				}
			}()
			make()
		}()
	}
}

func TestCursors(t *testing.T) {
	t.Parallel()
	for _, c := range []cursor{{2, "20"}, {17, "2026-01-02|trs_x:y"}} {
		got, err := parseCursor(c.String())
		must(t, err)
		if got != c {
			t.Errorf("%+v came back as %+v", c, got)
		}
	}
	if got, err := parseCursor(""); err != nil || got != (cursor{page: 1}) {
		t.Errorf("no cursor is %+v, %v", got, err)
	}
	for _, bad := range []string{"%", "x", "MQ", cursor{1, "5"}.String(), cursor{2, ""}.String(), cursor{-3, "5"}.String(), cursor{2, "\x00"}.String()} {
		if got, err := parseCursor(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, got)
		}
	}
}

func TestUUIDsAreStable(t *testing.T) {
	t.Parallel()
	one, two := uuidOf("ac_1"), uuidOf("ac_2")
	if one == two || one != uuidOf("ac_1") || !uuid.MatchString(one) || len(one) != 36 || one[14] != '8' || !strings.Contains("89ab", one[19:20]) {
		t.Errorf("%s and %s", one, two)
	}
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "",
		"https://patchbay.example.com":    "https://patchbay.example.com",
		"https://patchbay.example.com/":   "https://patchbay.example.com",
		"http://10.0.0.1:8484/behind/it/": "http://10.0.0.1:8484/behind/it",
	} {
		if got, err := checkPublicURL(text); err != nil || got != want {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
	for _, bad := range []string{"patchbay.example.com", "ftp://x", "https://", "https://x?y", "https://x#y", "https://u:p@x", `https://x"y`, "https://x y"} {
		if got, err := checkPublicURL(bad); err == nil {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestHostsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"patchbay.test", "localhost:8484", "[::1]:8484", "10.0.0.1", "a_b.test"} {
		if !plainHost(host) {
			t.Errorf("%q was refused", host)
		}
	}
	for _, host := range []string{"", "a b", `x"y`, "x/y", "x?y", "x@y", "[::1", "ü.test"} {
		if plainHost(host) {
			t.Errorf("%q was taken", host)
		}
	}
}
