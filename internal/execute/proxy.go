package execute

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

var proxyMethods = []string{
	http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodHead,
}

// Proxy sends a raw request to a toolkit's API. Whatever the provider answers, with whatever status, is the result; only
// what kept the request from being sent or answered is an error. Nothing is repeated, except once after the credential was
// refused and could be renewed.
func (r *Runner) Proxy(ctx context.Context, c tenant.Caller, call ProxyCall) (ProxyResult, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.deadline, errDeadline)
	defer cancel()
	if call.Select.Toolkit == "" {
		call.Select.Toolkit = call.Toolkit.Slug
	}
	call.Select.Tool = connect.RawRequests
	x := r.newExecution(c, call.Toolkit, call.Select, call.Custom)
	x.entry.SessionID, x.entry.Origin = call.SessionID, or(call.Origin, "proxy")
	res, err := x.proxy(ctx, call)
	failed := ""
	if err == nil && res.Status >= http.StatusBadRequest {
		failed = x.service() + " answered " + statusText(res.Status) + "."
	}
	x.logOutcome(failed, err)
	res.LogID = x.entry.ID
	return res, err
}

func (x *execution) proxy(ctx context.Context, call ProxyCall) (ProxyResult, error) {
	if !slices.Contains(proxyMethods, call.Method) {
		return ProxyResult{}, fault.New(fault.Invalid, fault.SlugInvalid, "The method %s cannot be proxied.", quote(call.Method)).
			WithFix("Use one of %s.", join(proxyMethods, ", "))
	}
	if call.Custom == nil && call.Select.UserID == "" && call.Select.AccountID == "" && !call.Toolkit.NoAuth() {
		return ProxyResult{}, fault.New(fault.Invalid, fault.SlugMissingAuthContext, "Nothing says with whose credential to call %s.", x.service()).
			WithFix("Give connected_account_id or custom_connection_data.")
	}
	if err := x.authorize(ctx, false); err != nil {
		return ProxyResult{}, err
	}
	to, err := x.endpoint(call.Endpoint)
	if err != nil {
		return ProxyResult{}, err
	}
	body, contentType, err := x.proxyBody(ctx, call)
	if err != nil {
		return ProxyResult{}, err
	}
	for first := true; ; first = false {
		cred, turn := x.credential()
		res, err := x.proxyOnce(ctx, call, to, body, contentType, cred)
		if err == nil && first && res.Status == http.StatusUnauthorized && x.rejected(ctx, turn) {
			continue
		}
		return res, err
	}
}

func (x *execution) proxyOnce(ctx context.Context, call ProxyCall, to *url.URL, body []byte, contentType string, cred connect.Credential) (ProxyResult, error) {
	r, err := x.proxyRequest(ctx, call, to, body, contentType, cred)
	if err != nil {
		return ProxyResult{}, err
	}
	started := x.now()
	res, err := x.do(r, cred)
	var answered []byte
	if err == nil {
		x.status.Store(int32(res.StatusCode))
		answered, err = readAnswer(res, x.maxAnswer)
		if err != nil {
			err = x.readFailure(ctx, res.StatusCode, err)
		}
	} else {
		err = x.sendFailure(ctx, err)
	}
	x.waited.Add(int64(x.now().Sub(started)))
	if err != nil {
		return ProxyResult{}, proxyFault(err)
	}
	return x.proxyResult(answer{status: res.StatusCode, header: res.Header, body: x.redact(answered)})
}

// proxyRequest puts the caller's headers and parameters on a request, and the credential over them.
func (x *execution) proxyRequest(ctx context.Context, call ProxyCall, to *url.URL, body []byte, contentType string, cred connect.Credential) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	address := *to
	if len(call.Query) > 0 {
		q := address.Query()
		for name, values := range call.Query {
			q[name] = values
		}
		address.RawQuery = q.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, call.Method, address.String(), content)
	if err != nil {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The endpoint is not a valid URL.").Because(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent)
	for name, text := range x.toolkit.Headers {
		v, err := text.Expand(&x.env)
		if err != nil {
			return nil, err
		}
		r.Header.Set(name, v)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if err := addHeaders(r, call.Header); err != nil {
		return nil, err
	}
	if err := cred.Apply(r); err != nil {
		return nil, err
	}
	x.custom.apply(r)
	return r, nil
}

func addHeaders(r *http.Request, given map[string][]string) error {
	for name, values := range given {
		name = http.CanonicalHeaderKey(name)
		if concernsConnection[name] || name == "Host" || name == "Content-Length" {
			continue
		}
		for _, v := range values {
			if err := checkHeader(name, v); err != nil {
				return err
			}
		}
		r.Header[name] = values
	}
	return nil
}

// checkHeader refuses what cannot stand in a request's head.
func checkHeader(name, value string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return fault.New(fault.Invalid, fault.SlugInvalid, "%s is not the name of a header.", quote(name)).
			WithFix("Names consist of letters, digits and hyphens.")
	case !httpguts.ValidHeaderFieldValue(value):
		return fault.New(fault.Invalid, fault.SlugInvalid, "The value of the header %s contains a line break or another control character.", quote(name))
	}
	return nil
}

// concernsConnection are the headers that are about one connection and not about the request (RFC 9110, section 7.6.1).
var concernsConnection = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true, "Proxy-Connection": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// proxyBody gives the body and its content type; the type may be overridden by a header of the caller.
func (x *execution) proxyBody(ctx context.Context, call ProxyCall) ([]byte, string, error) {
	switch {
	case call.BinaryURL != "":
		f, err := x.download(ctx, call.BinaryURL)
		return f.Data, or(call.Type, f.MIMEType), err
	case call.Binary != nil:
		return call.Binary, or(call.Type, "application/octet-stream"), nil
	case call.Body == nil:
		return nil, "", nil
	}
	media := http.Header(call.Header).Get("Content-Type")
	for name, values := range call.Header { // the caller's spelling need not be canonical
		if strings.EqualFold(name, "Content-Type") && len(values) > 0 {
			media = values[0]
		}
	}
	if text, ok := call.Body.(string); ok && media != "" && !strings.Contains(media, "json") {
		return []byte(text), media, nil
	}
	if object, ok := call.Body.(map[string]any); ok && strings.HasPrefix(media, "application/x-www-form-urlencoded") {
		form := url.Values{}
		for name, v := range object {
			form.Set(name, mapping.AsText(v))
		}
		return []byte(form.Encode()), media, nil
	}
	body, err := mapping.EncodeJSON(call.Body)
	return body, "application/json", err
}

func (x *execution) proxyResult(a answer) (ProxyResult, error) {
	res := ProxyResult{Status: a.status, Header: map[string]string{}, Data: json.RawMessage("null")}
	for name, values := range a.header {
		if !concernsConnection[name] && !private[name] {
			res.Header[strings.ToLower(name)] = string(x.redact([]byte(strings.Join(values, ", "))))
		}
	}
	body := bytes.TrimSpace(a.body)
	switch kind := a.kind(); {
	case len(body) == 0:
	case kind == isJSON && json.Valid(body):
		res.Data = body
	case kind == isBinary:
		res.Binary, res.Type = a.body, a.header.Get("Content-Type")
	default:
		text, err := mapping.EncodeJSON(strings.ToValidUTF8(string(a.body), "\uFFFD"))
		if err != nil {
			return ProxyResult{}, err
		}
		res.Data = text
	}
	return res, nil
}

// private are answer headers that are the service's affair with its client, which here is this server.
var private = map[string]bool{
	"Set-Cookie": true, "Set-Cookie2": true, "Authorization": true, "Www-Authenticate": true, "Authentication-Info": true,
	"Alt-Svc": true, "Strict-Transport-Security": true, "Content-Security-Policy": true, "Content-Encoding": true, "Content-Length": true,
	"Report-To": true, "Nel": true, "Server-Timing": true, "Via": true,
}

// proxyFault makes a fault of a request that got no answer: a proxied request has no other way to say so.
func proxyFault(err error) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	return fault.New(fault.Upstream, fault.SlugUpstream, "%s", f.message).WithFix("%s", f.fix).Because(f.cause)
}
