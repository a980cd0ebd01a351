package inference

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Doer sends requests; an outbound.Client is one.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Endpoint is one server that speaks OpenAI's API.
type Endpoint struct {
	URL    string       // what stands in front of /embeddings and /chat/completions: "https://api.openai.com/v1"
	Model  string       // as the server calls it
	APIKey secret.Value // empty: none is sent
	HTTP   Doer
}

// Host is the host and port of a URL, as outbound.Options.Allow takes them; empty when it has none. A destination that the
// operator wrote into the settings for this alone may be private.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	if u.Port() != "" {
		return u.Host
	}
	port := "443"
	if u.Scheme == "http" {
		port = "80"
	}
	return u.Host + ":" + port
}

// maxErrorText bounds what is repeated of an answer that is an error.
const maxErrorText = 200

// RefusedError is an answer that is not a success.
type RefusedError struct {
	Status int
	Text   string        // what the endpoint says, one line
	After  time.Duration // Retry-After; 0 when there is none
}

func (r *RefusedError) Error() string {
	if r.Text == "" {
		return fmt.Sprintf("it answers %d", r.Status)
	}
	return fmt.Sprintf("it answers %d: %s", r.Status, r.Text)
}

// Post sends a JSON document to a path below the endpoint's URL and decodes the answer, which may have so many bytes. An answer
// that is not a success is a *RefusedError. Errors never hold the key.
func (e Endpoint) Post(ctx context.Context, path string, in, out any, limit int64) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(e.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if !e.APIKey.Empty() {
		request.Header.Set("Authorization", "Bearer "+e.APIKey.Reveal())
	}
	response, err := e.HTTP.Do(request)
	if err != nil {
		return plain(err)
	}
	defer response.Body.Close()
	answer, err := outbound.ReadBody(response.Body, limit)
	if err != nil {
		return plain(err)
	}
	if response.StatusCode != http.StatusOK {
		return &RefusedError{Status: response.StatusCode, Text: e.complaint(answer), After: retryAfter(response.Header)}
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("its answer is not what the API of OpenAI says: %w", err)
	}
	return nil
}

// plain takes the URL out of a transport's error, which the reader of the message knows.
func plain(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("it does not answer in time")
	}
	return err
}

// complaint finds what an error answer says, without the key, should the endpoint repeat it.
func (e Endpoint) complaint(answer []byte) string {
	var said struct {
		Error json.RawMessage `json:"error"`
	}
	var inner struct {
		Message string `json:"message"`
	}
	text := ""
	if json.Unmarshal(answer, &said) == nil {
		if json.Unmarshal(said.Error, &inner) == nil {
			text = inner.Message
		} else {
			_ = json.Unmarshal(said.Error, &text) // some servers give a text; anything else is not repeated
		}
	}
	if key := e.APIKey.Reveal(); key != "" {
		text = strings.ReplaceAll(text, key, "[redacted]")
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxErrorText {
		text = string(runes[:maxErrorText]) + "…"
	}
	return text
}

// retryAfter reads the seconds of a Retry-After header (RFC 9110, section 10.2.3); the date form is not used by these servers.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
