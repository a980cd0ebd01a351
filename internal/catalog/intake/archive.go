package intake

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Bounds of what an archive may unpack to. They are there for archives that are made to exhaust a machine; whoever has a larger one
// that is honest unpacks it and imports the directory.
const (
	maxMembers   = 50_000
	maxUnpacked  = 4 << 30  // bytes of all members
	maxRatio     = 200      // unpacked to packed
	ratioFrom    = 64 << 20 // bytes unpacked below which the ratio is nobody's concern
	maxDirectory = 16 << 20 // bytes of a zip's list of its members
	maxName      = 1 << 10  // bytes of a member's name
)

// kindOfArchive says how an archive is read.
type kindOfArchive int

const (
	noArchive kindOfArchive = iota
	zipArchive
	gzipArchive
	tarArchive
)

// archiveKind tells archives by how they begin.
func archiveKind(head []byte) kindOfArchive {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return zipArchive
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipArchive
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return tarArchive
	}
	return noArchive
}

// archive unpacks the descriptions in an archive to a temporary directory, each into a file with a number for a name, so that no
// name in it leads anywhere.
func (o *Options) archive(ctx context.Context, c *Collection, place string, kind kindOfArchive, content io.Reader) error {
	dir, err := c.unpackTo()
	if err != nil {
		return err
	}
	u := &unpacking{ctx: ctx, place: Shown(place), dir: dir, names: map[string]bool{}}
	packed := &counting{reader: content, limit: maxArchive, over: u.tooMuch("is larger than %d MB", maxArchive>>20)}
	u.packed = &packed.count
	switch kind {
	case zipArchive:
		err = u.zip(packed)
	case gzipArchive:
		err = u.gzip(packed)
	default:
		err = u.tar(packed)
	}
	if err != nil {
		return u.explain(err)
	}
	c.LeftOut = append(c.LeftOut, u.leftOut...)
	u.strip()
	slices.SortFunc(u.found, func(a, b named) int { return strings.Compare(asWalked(a.name), asWalked(b.name)) })
	return o.take(ctx, c, u.found)
}

// asWalked makes names that compare in the order in which a directory would be walked.
func asWalked(name string) string { return strings.ReplaceAll(name, "/", "\x00") }

// unpacking is one archive on its way to the disk.
type unpacking struct {
	ctx      context.Context
	place    string
	dir      string
	names    map[string]bool
	members  int
	packed   *int64
	unpacked int64
	found    []named
	leftOut  []Outcome
}

// tooMuch says which bound an archive goes beyond, and what can be done.
func (u *unpacking) tooMuch(format string, args ...any) error {
	return refused("%s %s.", u.place, fmt.Sprintf(format, args...)).
		WithFix("If you trust it, unpack it yourself and import the directory: --directory DIR. That has none of these bounds.")
}

// explain makes a refusal of what went wrong.
func (u *unpacking) explain(err error) error {
	var f *fault.Error
	switch {
	case u.ctx.Err() != nil:
		return u.ctx.Err()
	case errors.As(err, &f):
		return f
	case givenUp(err):
		return refused("%s stopped in the middle: nothing more of it came.", u.place).Because(err)
	default:
		return refused("%s is an archive that cannot be read: %s.", u.place, firstLine(err.Error())).Because(err)
	}
}

// tar reads members one after the other.
func (u *unpacking) tar(content io.Reader) error {
	whole := &counting{reader: content, each: u.more}
	for r := tar.NewReader(whole); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader, tar.TypeXHeader: // git writes one
			continue
		case tar.TypeDir:
			err = u.count(h.Name)
		case tar.TypeReg:
			if sparse(h) {
				err = u.special(h.Name)
				break
			}
			err = u.member(h.Name, h.Size, func() (io.ReadCloser, error) { return io.NopCloser(r), nil })
		default:
			err = u.special(h.Name)
		}
		if err != nil {
			return err
		}
	}
}

// sparse reports whether a member is written with holes, which are no bytes of the archive and any number on the disk.
func sparse(h *tar.Header) bool {
	for name := range h.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// gzip reads what is within, which has to be a tar.
func (u *unpacking) gzip(content io.Reader) error {
	plain, err := gzip.NewReader(content)
	if err != nil {
		return err
	}
	head := make([]byte, headLength)
	n, err := io.ReadFull(plain, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	if archiveKind(head[:n]) != tarArchive {
		return refused("%s is packed with gzip, and no tar is in it.", u.place)
	}
	return u.tar(io.MultiReader(bytes.NewReader(head[:n]), plain))
}

// zip needs the whole archive, since its list of members stands at its end.
func (u *unpacking) zip(content io.Reader) error {
	file, err := os.Create(filepath.Join(u.dir, "archive"))
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := io.Copy(file, content)
	if err != nil {
		return err
	}
	list := &metered{ReaderAt: file, left: maxDirectory, over: u.tooMuch("lists its members on more than %d MB", maxDirectory>>20)}
	r, err := zip.NewReader(list, size)
	if err != nil {
		return err
	}
	list.left = -1 // what is read from here on is members
	for _, f := range r.File {
		mode := f.Mode()
		switch {
		case mode.IsDir():
			err = u.count(f.Name)
		case !mode.IsRegular():
			err = u.special(f.Name)
		case f.Flags&1 != 0:
			if err = u.count(f.Name); err == nil {
				u.leave(f.Name, "It is encrypted.")
			}
		default:
			err = u.member(f.Name, int64(min(f.UncompressedSize64, 1<<62)), func() (io.ReadCloser, error) { //nolint:gosec // bounded on the left
				content, err := f.Open()
				if err != nil {
					return nil, err
				}
				return &counting{reader: content, each: u.more}, nil
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// more counts what was unpacked.
func (u *unpacking) more(n int) error {
	u.unpacked += int64(n)
	switch {
	case u.unpacked > maxUnpacked:
		return u.tooMuch("unpacks to more than %d MB", maxUnpacked>>20)
	case u.unpacked > ratioFrom && u.unpacked > maxRatio**u.packed:
		return u.tooMuch("unpacks to more than %d times its size", maxRatio)
	}
	return u.ctx.Err()
}

// count counts a member and looks at its name.
func (u *unpacking) count(name string) error {
	if u.members++; u.members > maxMembers {
		return u.tooMuch("has more than %d members", maxMembers)
	}
	clean := strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "./")
	if strings.HasPrefix(clean, "/") || strings.Contains(name, "\x00") || len(clean) > 1 && clean[1] == ':' || slices.Contains(strings.Split(clean, "/"), "..") {
		return refused("%s holds %q, which leads out of it. Nothing of it was imported.", u.place, shortPlace(name))
	}
	return nil
}

// special counts a member that is no file.
func (u *unpacking) special(name string) error {
	if mayDescribe(path.Base(name)) {
		u.leave(name, "It is a link, a device or a file with holes, and no plain file.")
	}
	return u.count(name)
}

func (u *unpacking) leave(name, why string) {
	u.leftOut = append(u.leftOut, Outcome{Source: u.source(name), Error: why})
}

// source is a member for people. It is no address: relative ones in a description say nothing about the archive's.
func (u *unpacking) source(name string) string { return path.Base(u.place) + "!/" + shortPlace(name) }

// member writes one file, if it may be a description.
func (u *unpacking) member(name string, size int64, open func() (io.ReadCloser, error)) error {
	if err := u.count(name); err != nil {
		return err
	}
	clean := path.Clean(strings.ReplaceAll(name, `\`, "/"))
	if !mayDescribe(path.Base(clean)) || slices.ContainsFunc(strings.Split(path.Dir(clean), "/"), func(d string) bool { return d != "." && passedOver(d) }) {
		return nil
	}
	switch {
	case size > maxDescription:
		u.leave(name, fmt.Sprintf("It has %d MB; at most %d MB are read.", size>>20, int64(maxDescription)>>20))
		return nil
	case len(clean) > maxName:
		u.leave(name, fmt.Sprintf("Its name has %d characters.", len(clean)))
		return nil
	case u.names[clean]:
		u.leave(name, "Another member has the same name.")
		return nil
	}
	u.names[clean] = true
	at := filepath.Join(u.dir, fmt.Sprintf("%06d%s", u.members, strings.ToLower(path.Ext(clean))))
	content, err := open()
	if err == nil {
		err = u.write(at, content)
	}
	var f *fault.Error
	var corrupt flate.CorruptInputError
	switch {
	case err == nil:
		u.found = append(u.found, named{File{Path: at, Source: u.source(clean), Size: size}, clean})
		return nil
	case errors.As(err, &corrupt), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, zip.ErrFormat):
		u.leave(name, "It is damaged: "+firstLine(err.Error())+".")
		return nil
	case errors.As(err, &f):
		return f
	}
	return err
}

func (u *unpacking) write(at string, content io.ReadCloser) error {
	defer content.Close()
	file, err := os.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, io.LimitReader(content, maxDescription+1)) // what is longer than it says is refused when it is read
	return errors.Join(err, file.Close())
}

// strip takes the one directory away that all names begin with: archives of repositories are called by their commit there, which
// would make other slugs of every edition.
func (u *unpacking) strip() {
	for i, f := range u.found {
		top, _, below := strings.Cut(f.name, "/")
		if first, _, _ := strings.Cut(u.found[0].name, "/"); !below || top != first {
			return
		}
		if i == len(u.found)-1 {
			for j := range u.found {
				_, u.found[j].name, _ = strings.Cut(u.found[j].name, "/")
			}
		}
	}
}

// counting tells of what is read, and ends at a limit.
type counting struct {
	reader io.Reader
	count  int64
	limit  int64 // 0: none
	over   error
	each   func(n int) error // nil: nobody is told
}

// Read reads on.
func (r *counting) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	r.count += int64(n)
	if r.limit > 0 && r.count > r.limit {
		return 0, r.over
	}
	if r.each != nil && n > 0 {
		if stop := r.each(n); stop != nil {
			return 0, stop
		}
	}
	return n, err
}

// Close closes what is read, where it can be.
func (r *counting) Close() error {
	if c, ok := r.reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// metered bounds how much is read of a file, as long as left is not negative.
type metered struct {
	io.ReaderAt
	left int64
	over error
}

// ReadAt reads a part.
func (m *metered) ReadAt(p []byte, at int64) (int, error) {
	n, err := m.ReaderAt.ReadAt(p, at)
	if m.left >= 0 {
		if m.left -= int64(n); m.left < 0 {
			return 0, m.over
		}
	}
	return n, err
}
