package intake

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// File is one description of a directory.
type File struct {
	Path string // of the file, or its address
	Slug string
	Size int64 // 0 when it is not known
}

// maxAtOnce is how many bytes of descriptions are worked on at the same time; an import takes a few times its text.
const maxAtOnce = 48 << 20

// Files finds the descriptions below a directory, in order, and gives each its slug, which comes of its place: so it is the same
// the next time, whatever else is there.
func Files(dir string, reserved func(slug string) bool) ([]File, error) {
	var files []File
	err := filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(e.Name(), ".") && at != dir
		if e.IsDir() {
			if hidden || e.Name() == "node_modules" {
				return fs.SkipDir
			}
			return nil
		}
		switch strings.ToLower(filepath.Ext(at)) {
		case ".json", ".yaml", ".yml":
		default:
			return nil
		}
		if info, err := e.Info(); err == nil && !hidden && info.Mode().IsRegular() && e.Name() != "package.json" && e.Name() != "package-lock.json" {
			files = append(files, File{Path: at, Size: info.Size()})
		}
		return nil
	})
	if err != nil {
		return nil, refused("%s cannot be read: %s.", dir, plainError(err))
	}
	taken := map[string]bool{}
	for i := range files {
		relative, err := filepath.Rel(dir, files[i].Path)
		if err != nil {
			return nil, err
		}
		files[i].Slug = freeSlug(nameOf(relative), relative, taken, reserved)
	}
	return files, nil
}

// freeSlug makes a slug that no other description has.
func freeSlug(name, key string, taken map[string]bool, reserved func(string) bool) string {
	slug := wording.ToolkitSlug(name)
	if reserved != nil && reserved(slug) {
		slug = wording.Clip(slug, wording.MaxToolkitSlug-len("_api")) + "_api"
	}
	if taken[slug] || reserved != nil && reserved(slug) {
		slug = wording.WithDigest(slug, wording.MaxToolkitSlug, key)
	}
	taken[slug] = true
	return slug
}

// All brings in the descriptions that Files found: several at once, as far as their sizes allow. Done is told of each when it is
// through, one after the other. What cannot be imported is an Outcome with an error; only the end of the context stops the rest.
func (o *Options) All(ctx context.Context, files []File, done func(Outcome)) error {
	room := semaphore.NewWeighted(maxAtOnce)
	workers := make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))
	var telling sync.Mutex
	var all sync.WaitGroup
	defer all.Wait()
	for _, f := range bySize(files) {
		weight := min(max(f.Size, 1<<20), maxAtOnce)
		if err := room.Acquire(ctx, weight); err != nil {
			return err
		}
		workers <- struct{}{}
		all.Go(func() {
			defer func() { room.Release(weight); <-workers }()
			out := o.one(ctx, f)
			telling.Lock()
			defer telling.Unlock()
			done(out)
		})
	}
	all.Wait()
	return ctx.Err()
}

// bySize begins with the largest, so that the last to be done is not the longest.
func bySize(files []File) []File {
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(a, b File) int { return cmp.Compare(b.Size, a.Size) })
	return sorted
}

func (o *Options) one(ctx context.Context, f File) Outcome {
	text, err := o.Reader.Read(ctx, f.Path, maxDescription)
	out := Outcome{Source: f.Path, Slug: f.Slug}
	if err == nil {
		out, err = o.openAPI(ctx, text, f.Path, f.Slug)
	}
	if err != nil {
		out.Error = message(err)
	}
	out.Definition = nil // of thousands, nobody has room for all
	return out
}

func message(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}
