package web_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/patchbay-dev/patchbay/web"
)

func TestLogoSVG(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"GitHub": ">G<", "Google Calendar": ">GC<", "monday.com": ">MC<", "Übersicht": ">Ü<", "日本": ">日<", `<script>"`: ">S<", "": ">S<", "4chan": ">4<",
	} {
		svg := web.LogoSVG("slug", name)
		if !strings.Contains(svg, want) {
			t.Errorf("%q: %s", name, svg)
		}
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%q is not well-formed: %v", name, err)
				break
			}
		}
		if strings.Contains(svg, "<script") {
			t.Errorf("%q came through unescaped", name)
		}
	}
	if first := web.LogoSVG("a", "X"); first != web.LogoSVG("a", "X") {
		t.Error("a slug's tile changes")
	}
}

// White letters need a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3).
func TestLogoContrast(t *testing.T) {
	t.Parallel()
	fill := regexp.MustCompile(`fill="#([0-9a-f]{6})"`)
	seen := map[string]bool{}
	for i := range 500 {
		m := fill.FindStringSubmatch(web.LogoSVG("toolkit"+strconv.Itoa(i), "T"))
		seen[m[1]] = true
	}
	if len(seen) < 8 {
		t.Errorf("only %d colours", len(seen))
	}
	for colour := range seen {
		if c := 1.05 / (luminance(t, colour) + 0.05); c < 4.5 {
			t.Errorf("#%s has a contrast of %.2f", colour, c)
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	linear := func(s string) float64 {
		n, err := strconv.ParseUint(s, 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(hex[:2]) + 0.7152*linear(hex[2:4]) + 0.0722*linear(hex[4:])
}

func TestLogoRoute(t *testing.T) {
	t.Parallel()
	known := func(o *web.Options) {
		o.ToolkitName = func(slug string) (string, bool) { return "Google Calendar", slug == "googlecalendar" }
	}
	res := serve(t, &links{}, get("/logos/googlecalendar.svg"), known)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(text(t, res), ">GC<") {
		t.Error(res.Status)
	}
	for _, path := range []string{"/logos/unknown.svg", "/logos/googlecalendar.png", "/logos/..svg", "/logos/A.svg"} {
		if res := serve(t, &links{}, get(path), known); res.StatusCode != 404 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}
