package intake

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog/graphql"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// Reader reads descriptions from files and from addresses.
type Reader struct {
	Client   *outbound.Client // for addresses; nil: files only
	Header   http.Header      // sent to addresses, for descriptions that are not for everybody
	Patience time.Duration    // how long an address may take in all; 0: DefaultPatience
	Most     int64            // bytes of anything that is read; 0: as many as can be imported
	NoFiles  bool             // only addresses are read: who asks is not who owns the machine
}

// DefaultPatience is how long an address may take to give its description, from the first byte asked to the last one read.
const DefaultPatience = 90 * time.Second

// IsAddress tells an address from the name of a file.
func IsAddress(place string) bool {
	return strings.HasPrefix(place, "https://") || strings.HasPrefix(place, "http://")
}

// Read gives what is in a file or at an address, of at most limit bytes.
func (r *Reader) Read(ctx context.Context, place string, limit int64) ([]byte, error) {
	if IsAddress(place) {
		return r.ask(ctx, http.MethodGet, place, nil, limit)
	}
	if r.NoFiles {
		return nil, refused("Files are not read here; give an http or https address.")
	}
	info, err := os.Stat(place)
	switch {
	case err != nil:
		return nil, refused("%s cannot be read: %s.", place, plainError(err))
	case info.IsDir():
		return nil, refused("%s is a directory.", place).WithFix("Import all descriptions in it with --directory.")
	case info.Size() > limit:
		return nil, tooLarge(place, info.Size(), limit)
	}
	file, err := os.Open(place)
	if err != nil {
		return nil, refused("%s cannot be read: %s.", place, plainError(err))
	}
	defer file.Close()
	data, err := outbound.ReadBody(file, limit) // a pipe has no size
	switch {
	case errors.Is(err, outbound.ErrBodyTooLarge):
		return nil, tooLarge(place, 0, limit)
	case err != nil:
		return nil, refused("%s cannot be read: %s.", place, plainError(err))
	}
	return data, nil
}

// tooLarge refuses what has more than limit bytes; its size is 0 where it is not known.
func tooLarge(place string, size, limit int64) *fault.Error {
	has := fmt.Sprintf("has %d MB", size>>20)
	if size == 0 {
		has = "is larger than that"
	}
	return refused("At most %d MB of a description are read; %s %s.", limit>>20, place, has).
		WithFix("Import a smaller one: most providers have a description for each area of their API, and what is not needed can be cut out of a copy.")
}

// Introspect asks a GraphQL API for its schema.
func (r *Reader) Introspect(ctx context.Context, endpoint string) ([]byte, error) {
	body, err := json.Marshal(map[string]string{"query": graphql.IntrospectionQuery, "operationName": "IntrospectionQuery"})
	if err != nil {
		return nil, err
	}
	return r.ask(ctx, http.MethodPost, endpoint, body, graphql.MaxSize)
}

// ReadSince is Read, but asks an address only for what is other than it was when it gave this tag. It gives the newer tag.
func (r *Reader) ReadSince(ctx context.Context, place, tag string, limit int64) (text []byte, newer string, same bool, err error) {
	if !IsAddress(place) {
		text, err = r.Read(ctx, place, limit)
		return text, "", false, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience())
	defer cancel()
	request, err := r.request(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, "", false, err
	}
	if tag != "" {
		request.Header.Set("If-None-Match", tag)
	}
	response, err := r.send(request, place, http.StatusNotModified)
	if err != nil {
		return nil, "", false, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified {
		return nil, tag, true, nil
	}
	text, err = r.body(ctx, response, place, limit)
	if newer = response.Header.Get("ETag"); len(newer) > 200 {
		newer = ""
	}
	return text, newer, false, err
}

func (r *Reader) ask(ctx context.Context, method, address string, body []byte, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.patience())
	defer cancel()
	request, err := r.request(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	response, err := r.send(request, address, 0)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return r.body(ctx, response, address, limit)
}

func (r *Reader) patience() time.Duration { return cmp.Or(r.Patience, DefaultPatience) }

// request makes what an address is asked with.
func (r *Reader) request(ctx context.Context, method, address string, body []byte) (*http.Request, error) {
	if r.Client == nil {
		return nil, refused("Addresses are not read here; give a file.")
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil || request.URL.User != nil {
		return nil, refused("%s is not an address that can be read.", Shown(address))
	}
	request.Header = r.Header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("User-Agent", "patchbay (+https://github.com/patchbay-dev/patchbay)")
	request.Header.Set("Accept", "application/json, application/yaml;q=0.9, */*;q=0.5")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// send gives the answer of an address, if it has what is asked for; of its other statuses only the one that is allowed for.
func (r *Reader) send(request *http.Request, address string, also int) (*http.Response, error) {
	response, err := r.Client.DoFollowing(request)
	if err != nil {
		return nil, unreachable(request.Context(), address, err)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != also {
		response.Body.Close()
		return nil, refused("%s answered %d %s.", Shown(address), response.StatusCode, http.StatusText(response.StatusCode)).
			WithFix("If it wants a credential, give it as a header.")
	}
	return response, nil
}

// body reads an answer whole.
func (r *Reader) body(ctx context.Context, response *http.Response, address string, limit int64) ([]byte, error) {
	if r.Most > 0 {
		limit = min(limit, r.Most)
	}
	if media := response.Header.Get("Content-Type"); notText(media) {
		return nil, refused("%s answered with %.60s, which describes no API.", Shown(address), media).WithFix("Give the address of the description itself, in JSON or YAML.")
	}
	if response.ContentLength > limit {
		return nil, tooLarge(Shown(address), response.ContentLength, limit)
	}
	data, err := outbound.ReadBody(response.Body, limit)
	switch {
	case errors.Is(err, outbound.ErrBodyTooLarge):
		return nil, tooLarge(Shown(address), 0, limit)
	case err != nil:
		return nil, unreachable(ctx, address, err)
	}
	return data, nil
}

// notText recognises media types of which no description is, whatever servers call theirs.
func notText(media string) bool {
	for _, kind := range []string{"image/", "video/", "audio/", "font/", "application/pdf", "application/zip", "application/gzip"} {
		if strings.HasPrefix(strings.ToLower(media), kind) {
			return true
		}
	}
	return false
}

// unreachable says why an address was not read. What the guard refused says so itself.
func unreachable(ctx context.Context, address string, err error) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return refused("%s did not answer in time.", Shown(address)).Because(err)
	case errors.Is(err, context.Canceled):
		return err
	default:
		return refused("%s cannot be reached.", Shown(address)).Because(err)
	}
}

// Shown is an address for people: without its user and its query, which may be secrets. Empty for none.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func plainError(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

func refused(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, fault.SlugInvalid, format, args...)
}

// maxDescription is how much of one description is read.
const maxDescription = openapi.MaxSize
