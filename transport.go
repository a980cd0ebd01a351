package patchbay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	apiPrefix   = "/api/v3.1"
	maxAttempts = 3                // of a read
	maxPause    = 30 * time.Second // longest wait between attempts, whatever the server asks
	maxAnswer   = 64 << 20         // bytes
)

// transport sends requests: the one place that knows HTTP.
type transport struct {
	base      string // no slash at the end
	key       string
	http      *http.Client
	userAgent string
}

// request is one call of the API, before it is sent.
type request struct {
	method string
	path   string // below apiPrefix, escaped
	query  url.Values
	body   any // encoded as JSON; nil for none
	header http.Header
}

func (t *transport) get(ctx context.Context, path string, query url.Values, answer any) error {
	return t.do(ctx, request{method: http.MethodGet, path: path, query: query}, answer)
}

func (t *transport) post(ctx context.Context, path string, body, answer any) error {
	return t.do(ctx, request{method: http.MethodPost, path: path, body: body}, answer)
}

func (t *transport) patch(ctx context.Context, path string, body, answer any) error {
	return t.do(ctx, request{method: http.MethodPatch, path: path, body: body}, answer)
}

func (t *transport) delete(ctx context.Context, path string, query url.Values) error {
	return t.do(ctx, request{method: http.MethodDelete, path: path, query: query}, nil)
}

// do sends a request and decodes the answer into the value that answer points to, unless it is nil. Only reads are tried
// again.
func (t *transport) do(ctx context.Context, r request, answer any) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return fmt.Errorf("patchbay: encode the request: %w", err)
		}
	}
	for attempt := 1; ; attempt++ {
		content, after, err := t.once(ctx, r, body)
		if err == nil {
			return decode(content, answer)
		}
		if r.method != http.MethodGet || attempt == maxAttempts || after < 0 || ctx.Err() != nil {
			return err
		}
		if pause(ctx, max(after, time.Duration(attempt)*500*time.Millisecond)) != nil {
			return err
		}
	}
}

// once sends a request one time. After says how long to wait before another attempt makes sense; it is negative when it
// makes none.
func (t *transport) once(ctx context.Context, r request, body []byte) (content []byte, after time.Duration, err error) {
	target := t.base + apiPrefix + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, -1, fmt.Errorf("patchbay: %w", err)
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("X-Api-Key", t.key)
	req.Header.Set("User-Agent", t.userAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := t.http.Do(req)
	if err != nil {
		return nil, 0, fmt.Errorf("patchbay: %w", err)
	}
	defer resp.Body.Close()
	content, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("patchbay: read the answer of %s %s: %w", r.method, r.path, err)
	case len(content) > maxAnswer:
		return nil, -1, fmt.Errorf("patchbay: the answer of %s %s is larger than %d MB", r.method, r.path, maxAnswer>>20)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, retryAfter(resp), errorFrom(resp, content)
	}
	return content, 0, nil
}

// retryAfter gives how long the server asks to wait, or a negative time when the status does not get better by waiting.
func retryAfter(resp *http.Response) time.Duration {
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return -1
	}
	if resp.Header.Get("X-Should-Retry") == "false" {
		return -1
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxPause)
}

func decode(content []byte, answer any) error {
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("patchbay: the answer is not what this client understands; is BaseURL a Patchbay server? %w", err)
	}
	return nil
}

// pause waits, or gives up when the context ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// segment escapes one part of a path. An empty one would silently name another resource.
func segment(what, value string) (string, error) {
	if value == "" || value == "." || value == ".." {
		return "", fmt.Errorf("patchbay: %s is %q", what, value)
	}
	return url.PathEscape(value), nil
}
