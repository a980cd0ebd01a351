package connect

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// providerError is a failure at a provider's sign-in, token, revocation or identity endpoint. Its text is for a person and
// holds no secret.
type providerError struct {
	code      string // the provider's, for example "invalid_grant"
	text      string
	status    int  // HTTP; 0 when there was no answer
	permanent bool // asking again cannot help
	after     time.Duration
	cause     error
}

func (e *providerError) Error() string { return e.text }
func (e *providerError) Unwrap() error { return e.cause }

// refused is a permanent failure.
func refused(code, text string) *providerError {
	return &providerError{code: code, text: text, permanent: true}
}

// unusable is an answer that makes no sense; perhaps the next one does.
func unusable(text string) *providerError {
	return &providerError{code: "unusable_answer", text: text}
}

// noAnswer is the code of a request that a provider did not answer.
const noAnswer = "no_answer"

// unreachable is a request without an answer. A destination that this server refuses to reach stays refused, but an operator
// can allow it, so it is not held against the account.
func unreachable(target string, err error) *providerError {
	host := target
	if u, parseErr := url.Parse(target); parseErr == nil {
		host = u.Host
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return &providerError{code: "unreachable", text: fmt.Sprintf("%s cannot be reached: %s", host, f.Message), cause: err}
	}
	return &providerError{code: noAnswer, text: host + " did not answer.", cause: err}
}

// passing are OAuth error codes (and Slack's and others') that say nothing about the grant.
var passing = []string{
	"temporarily_unavailable", "server_error", "slow_down", "rate_limited", "ratelimited", "internal_error", "service_unavailable",
	"request_timeout", "fatal_error", "timeout", "too_many_requests",
}

// failureOf finds a failure in an answer, also in one of status 200 (GitHub, Slack); nil when there is none.
func failureOf(res *http.Response, a answer) error {
	code, description := errorOf(a)
	if res.StatusCode < 300 && code == "" {
		return nil
	}
	e := &providerError{code: code, status: res.StatusCode, after: retryAfter(res)}
	// Only a provider that speaks as an OAuth server, with a code, can declare a grant dead. A page of a firewall cannot, nor the
	// JSON with which a web server says that there is nothing at this address.
	e.permanent = code != "" && speaksOAuth(res.StatusCode) && !slices.Contains(passing, strings.ToLower(code))
	switch {
	case description != "" && code != "":
		e.text = code + ": " + description
	case code != "":
		e.text = code
	default:
		e.text = "The provider answered with status " + strconv.Itoa(res.StatusCode) + "."
	}
	return e // whole: a secret that is cut in two could no longer be found
}

// speaksOAuth reports whether a status is one with which a token endpoint refuses a request that reached it (RFC 6749 section
// 5.2, and what providers make of it).
func speaksOAuth(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity:
		return true
	}
	return status < 300
}

// clientFaults are the codes by which providers refuse the client, in the spellings of RFC 6749, GitHub, Slack and Google.
var clientFaults = []string{
	"invalid_client", "incorrect_client_credentials", "bad_client_secret", "invalid_client_id", "deleted_client", "disabled_client",
}

// notTheGrant keeps a grant alive where its client was refused: a mistyped secret must not end the connections of all users, who
// would each have to sign in again after it is mended.
func notTheGrant(err error) error {
	var e *providerError
	if errors.As(err, &e) && slices.Contains(clientFaults, strings.ToLower(e.code)) {
		e.permanent = false
		e.text = "it does not accept the client id and secret of the auth config (" + e.text + ")"
	}
	return err
}

// errorOf finds the error code and its description in the forms that providers use.
func errorOf(a answer) (code, description string) {
	if a == nil {
		return "", ""
	}
	description = firstText(a, "error_description", "error.message", "error_msg", "message", "errors.0.message", "error_summary", "oauth_problem_advice")
	code = firstText(a, "error", "error.code", "error.type", "error_code", "errorCode", "errors.0.code", "oauth_problem")
	if code == "" && a.at("ok") == false {
		code = "not_ok"
	}
	if code == "" && a.at("error") != nil && a.at("error") != false {
		code = "error"
	}
	return code, description
}

func firstText(a answer, paths ...string) string {
	for _, p := range paths {
		if v := a.text(p); v != "" && v != "false" && v != "0" {
			return v
		}
	}
	return ""
}

func retryAfter(res *http.Response) time.Duration {
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// forPeople makes one short line of what a provider says.
func forPeople(text string) string {
	const longest = 300
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest-1]) + "…"
	}
	return text
}

// scrubbed takes whatever was sent in secret out of the text of a provider's error, as some quote the request, and makes one short
// line of it.
func scrubbed(err error, g Grant, sent map[string]string) error {
	var e *providerError
	if !errors.As(err, &e) {
		return err
	}
	hide := func(v string) {
		if len(v) < 6 {
			return
		}
		for _, written := range []string{v, url.QueryEscape(v), url.PathEscape(v), strings.ReplaceAll(v, "/", `\/`)} {
			e.text = strings.ReplaceAll(e.text, written, "[redacted]")
		}
	}
	for name, v := range sent {
		if name != "grant_type" && name != "redirect_uri" && name != "token_type_hint" {
			hide(v)
		}
	}
	for name, v := range over(g.Client, g.Values) {
		if name != "client_id" && name != "consumer_key" && !instanceFields[name] {
			hide(v.Reveal())
		}
	}
	id, key := g.Client["client_id"].Reveal(), g.Client["client_secret"].Reveal()
	hide(base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(key)))) // of HTTP Basic
	_, proof, _ := strings.Cut(g.Proxy.Auth().Reveal(), " ")
	hide(proof)
	if pair, err := base64.StdEncoding.DecodeString(proof); err == nil {
		_, password, _ := strings.Cut(string(pair), ":")
		hide(password)
	}
	e.text = forPeople(e.text)
	return err
}
