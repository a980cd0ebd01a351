package web

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"strconv"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// The cards of the pages and the edges on them, as in pages.css. Of black and white one has a contrast of at least 4.58 with
// whatever colour.
var (
	lightCard, darkCard = rgb{0xff, 0xff, 0xff}, rgb{0x19, 0x1c, 0x23}
	lightEdge, darkEdge = "#7a8290", "#858e9e"
	white, black        = rgb{0xff, 0xff, 0xff}, rgb{}
)

// Contrasts that text and marks need to have with what is behind them (WCAG 2.2, 1.4.3 and 1.4.11, level AA).
const (
	textContrast = 4.5
	markContrast = 3
)

// brandStyle sets the colours of a project over those of pages.css; empty when it chose none. Buttons have the colour as it is,
// with black or white on it, whichever can be read; links and outlines a shade of it that can be read on the card. It is made of
// numbers alone, so nothing that anybody typed gets into it.
func brandStyle(accent string) template.CSS {
	chosen, ok := parseColor(accent)
	if !ok {
		return ""
	}
	return template.CSS(":root{" + colors(chosen, lightCard, black, lightEdge) + "}" +
		"@media (prefers-color-scheme:dark){:root{" + colors(chosen, darkCard, white, darkEdge) + "}}")
}

// colors gives the variables for one card. Toward is where colours go that cannot be told from it: away from the card.
func colors(chosen, card, toward rgb, edge string) string {
	link := chosen.until(card, toward, textContrast)
	ink := white
	if contrast(black, chosen) > contrast(white, chosen) {
		ink = black
	}
	if contrast(chosen, card) >= markContrast {
		edge = chosen.String()
	}
	return fmt.Sprintf("--accent:%s;--accent-ink:%s;--accent-deep:%s;--button:%s;--button-ink:%s;--button-deep:%s;--button-edge:%s",
		link, card, link.mixed(toward, .2), chosen, ink, chosen.until(ink, opposite(ink), contrast(chosen, ink)+.6), edge)
}

func opposite(c rgb) rgb {
	if c == white {
		return black
	}
	return white
}

// rgb is a colour in sRGB.
type rgb struct{ r, g, b uint8 }

func parseColor(hex string) (rgb, bool) {
	if len(hex) != 7 || hex[0] != '#' {
		return rgb{}, false
	}
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	return rgb{uint8(n >> 16), uint8(n >> 8), uint8(n)}, err == nil
}

func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// mixed gives the colour with a share of another in it.
func (c rgb) mixed(other rgb, share float64) rgb {
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
	return rgb{mix(c.r, other.r), mix(c.g, other.g), mix(c.b, other.b)}
}

// until goes from the colour toward another until the contrast with a background is as wanted, or there is nothing left to go.
func (c rgb) until(background, toward rgb, wanted float64) rgb {
	const steps = 50
	for i := range steps {
		if shade := c.mixed(toward, float64(i)/steps); contrast(shade, background) >= wanted {
			return shade
		}
	}
	return toward
}

// contrast is that of WCAG: 1 for the same colour to 21 for black on white.
func contrast(a, b rgb) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

func (c rgb) luminance() float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= .04045 {
			return s / 12.92
		}
		return math.Pow((s+.055)/1.055, 2.4)
	}
	return .2126*linear(c.r) + .7152*linear(c.g) + .0722*linear(c.b)
}

// sourceOf is a style as the content security policy names it.
func sourceOf(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pictureSource lets the policy take a picture from one host; empty where it should not.
func pictureSource(picture string) string {
	u, err := tenant.ParseURL(picture)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	return " " + tenant.Origin(u)
}

// picture gives an address of a picture if the policy lets the page show it.
func picture(address string) string {
	if pictureSource(address) == "" {
		return ""
	}
	return address
}
