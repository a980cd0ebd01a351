// Package id makes the identifiers of the API: a prefix that says what the thing is, and random characters.
//
// It owns prefixes and their shapes (contract section 3.3) and nothing else: it does not know who owns an id or
// whether the thing exists.
package id

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// Prefixes of the identifiers.
const (
	Project          = "pr"
	Organisation     = "ok"
	ProjectKey       = "ak" // the key itself
	PersonalKey      = "ck" // the key of one person: opens the personal endpoint and signs in on pages
	KeyRecord        = "key"
	Session          = "trs"
	SessionToken     = "pst" // the bearer that opens one session's MCP endpoint
	AuthConfig       = "ac"
	ConnectedAccount = "ca"
	LinkToken        = "lt"
	Log              = "log"
	Request          = "req"
	Event            = "msg" // the webhook-id of its deliveries
	Subscription     = "ws"
	TriggerInstance  = "ti"
	WebhookEndpoint  = "we"  // in the address that a provider calls
	OAuthClient      = "oc"  // a program that registered to be let in by people
	OAuthGrant       = "og"  // what a person let a program do
	OAuthCode        = "oco" // the credentials below are told apart by what they begin with
	AccessToken      = "oat"
	RefreshToken     = "ort"
	ClientSecret     = "ocs"
	Login            = "osi" // who is signed in, in a browser's cookie
	Workflow         = "wf"  // handed out by COMPOSIO_SEARCH_TOOLS, passed along by later meta calls
)

const (
	nanoAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-" // 64: one byte masks to one character
	nanoLength   = 12
)

// New makes an identifier such as "trs_PTncEoK-r2ZE": 72 random bits, enough to never meet its like, not enough
// to be a secret.
func New(prefix string) string {
	var raw [nanoLength]byte
	rand.Read(raw[:]) // never fails since Go 1.24
	out := make([]byte, 0, len(prefix)+1+nanoLength)
	out = append(out, prefix...)
	out = append(out, '_')
	for _, b := range raw {
		out = append(out, nanoAlphabet[b&63])
	}
	return string(out)
}

// NewSecret makes an identifier that is itself a credential (an API key, a link token): 256 random bits.
func NewSecret(prefix string) string {
	var raw [32]byte
	rand.Read(raw[:])
	return prefix + "_" + base64.RawURLEncoding.EncodeToString(raw[:])
}

// Has reports whether text has the form of an identifier with this prefix. It says nothing about existence.
func Has(prefix, text string) bool {
	rest, ok := strings.CutPrefix(text, prefix+"_")
	return ok && rest != ""
}
