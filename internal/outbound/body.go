package outbound

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// ErrBodyTooLarge is the cause of the fault that ReadBody and AppendBody give for a body beyond the limit.
var ErrBodyTooLarge = errors.New("body beyond the limit")

// ReadBody reads a whole body of at most limit bytes. A longer one is a fault of kind Upstream whose cause is
// ErrBodyTooLarge, and no more than limit bytes are kept in memory.
func ReadBody(body io.Reader, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	if err := AppendBody(&buf, body, limit); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// AppendBody is ReadBody into a buffer of the caller, for hot paths that keep buffers. The buffer holds what was read
// before an error, too.
func AppendBody(buf *bytes.Buffer, body io.Reader, limit int64) error {
	n, err := buf.ReadFrom(io.LimitReader(body, limit+1))
	if err != nil {
		return err
	}
	if n > limit {
		buf.Truncate(buf.Len() - 1)
		return fault.New(fault.Upstream, fault.SlugUpstream, "The answer is larger than %s, the most this server takes.", size(limit)).
			Because(ErrBodyTooLarge)
	}
	return nil
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20 && bytes%(1<<20) == 0:
		return strconv.FormatInt(bytes>>20, 10) + " MiB"
	case bytes >= 1<<10 && bytes%(1<<10) == 0:
		return strconv.FormatInt(bytes>>10, 10) + " KiB"
	default:
		return strconv.FormatInt(bytes, 10) + " bytes"
	}
}
