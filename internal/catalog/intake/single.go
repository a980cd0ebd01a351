package intake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog/registry"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// Limits of what stands for a whole directory.
const (
	maxArchive = 1 << 30  // bytes of an archive, as it comes
	maxIndex   = 64 << 20 // bytes of an index, or of one page of it
	headLength = 512      // bytes by which an archive is known
)

// single reads an archive or an index: a file, or the answer of an address.
func (o *Options) single(ctx context.Context, c *Collection, place string) error {
	body, err := o.stream(ctx, listAddress(place))
	if err != nil {
		return err
	}
	defer body.Close()
	head := make([]byte, headLength)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return cutOff(ctx, place, err)
	}
	whole := io.MultiReader(bytes.NewReader(head[:n]), body)
	if kind := archiveKind(head[:n]); kind != noArchive {
		return o.archive(ctx, c, place, kind, whole)
	}
	if text := bytes.TrimSpace(head[:n]); len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return refused("%s is neither an archive (zip, tar, tar.gz) nor an index in JSON.", Shown(place)).
			WithFix("One description is given with --openapi, the address of an MCP server with --mcp.")
	}
	text, err := outbound.ReadBody(whole, maxIndex)
	if err != nil {
		return cutOff(ctx, place, err)
	}
	return o.index(ctx, c, place, text)
}

// stream opens a file or an address. An address may take its time as long as something of it comes.
func (o *Options) stream(ctx context.Context, place string) (io.ReadCloser, error) {
	if !IsAddress(place) {
		f, err := os.Open(place)
		if err != nil {
			return nil, refused("%s cannot be read: %s.", place, plainError(err))
		}
		return f, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := o.Reader.request(ctx, "GET", place, nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	patience := o.Reader.patience()
	s := &stalling{cancel: cancel, patience: patience, timer: time.AfterFunc(patience, func() { cancel(context.DeadlineExceeded) })}
	response, err := o.Reader.send(request, place, 0) //nolint:bodyclose // Close does
	if err != nil {
		stalled := errors.Is(context.Cause(ctx), context.DeadlineExceeded)
		s.stop()
		if stalled {
			return nil, refused("%s did not answer in time.", Shown(place)).Because(err)
		}
		return nil, err
	}
	s.body = response.Body
	return s, nil
}

// stalling is an answer that is given up when nothing of it comes for a while.
type stalling struct {
	body     io.ReadCloser
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	patience time.Duration
}

// Read reads on.
func (s *stalling) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		s.timer.Reset(s.patience)
	}
	return n, err
}

// Close gives it up.
func (s *stalling) Close() error {
	s.stop()
	return s.body.Close()
}

func (s *stalling) stop() {
	s.timer.Stop()
	s.cancel(nil)
}

// cutOff says why something was not read to its end.
func cutOff(ctx context.Context, place string, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case givenUp(err):
		return refused("%s stopped in the middle: nothing more of it came.", Shown(place)).Because(err)
	default:
		return unreachable(ctx, place, err)
	}
}

// givenUp reports whether an answer was given up because nothing more of it came.
func givenUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// index reads a list of descriptions.
func (o *Options) index(ctx context.Context, c *Collection, place string, text []byte) error {
	page, err := registry.ParsePage(text)
	if err == nil {
		return o.registryList(ctx, c, place, page)
	}
	if !errors.Is(err, registry.ErrOther) {
		return refused("%s: %s.", Shown(place), err)
	}
	return o.apiList(c, place, text)
}

// within gives the place of something that an index names, whole.
func within(index, place string) (address string, alien bool, ok bool) {
	to, err := url.Parse(place)
	if err != nil {
		return "", false, false
	}
	from := &url.URL{}
	if IsAddress(index) {
		if from, err = url.Parse(index); err != nil {
			return "", false, false
		}
		to = from.ResolveReference(to)
	}
	to.Fragment = ""
	return to.String(), to.Scheme != from.Scheme || to.Host != from.Host, IsAddress(to.String()) && to.Host != "" && to.User == nil
}

// unpackTo makes the directory in which the members of an archive lie until the collection is closed.
func (c *Collection) unpackTo() (string, error) {
	dir, err := os.MkdirTemp("", "patchbay-import-")
	if err != nil {
		return "", refused("No temporary directory can be made: %s.", plainError(err))
	}
	c.temporary = dir
	return filepath.Clean(dir), nil
}
