package intake

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Limits of what is done at the same time.
const (
	maxAtOnce    = 48 << 20 // bytes of descriptions that are worked on; an import takes a few times its text
	maxAsked     = 8        // addresses and servers, most of whose time is waiting
	maxFetched   = 32 << 20 // bytes of a description that an index names
	leastWeighed = 1 << 20
)

// All brings in the descriptions of a collection: several at once, as far as their sizes allow. Done is told of each when it is
// through, one after the other. What cannot be imported is an Outcome with an error; only the end of the context stops the rest.
func (o *Options) All(ctx context.Context, files []File, done func(Outcome)) error {
	own := *o
	own.starting = make(chan struct{}, programsAtOnce)
	w := &work{
		options: &own, room: semaphore.NewWeighted(maxAtOnce), workers: make(chan struct{}, max(1, runtime.GOMAXPROCS(0))), done: done,
	}
	asked := make(chan struct{}, maxAsked)
	var all sync.WaitGroup
	defer all.Wait()
	for _, f := range bySize(files) {
		if f.server == nil && !IsAddress(f.Path) {
			release, err := w.begin(ctx, f.Size)
			if err != nil {
				return err
			}
			all.Go(func() {
				defer release()
				w.tell(o.fromFile(ctx, f))
			})
			continue
		}
		select {
		case asked <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		all.Go(func() {
			defer func() { <-asked }()
			if f.server != nil {
				w.tell(own.fromRegistry(ctx, f))
				return
			}
			w.tell(w.fromAddress(ctx, f))
		})
	}
	all.Wait()
	return ctx.Err()
}

// work is the import of one collection.
type work struct {
	options *Options
	room    *semaphore.Weighted
	workers chan struct{}

	telling sync.Mutex
	done    func(Outcome)
}

// begin waits until there is room for a description of a size.
func (w *work) begin(ctx context.Context, size int64) (release func(), err error) {
	weight := min(max(size, leastWeighed), maxAtOnce)
	if err := w.room.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	w.workers <- struct{}{}
	return func() { w.room.Release(weight); <-w.workers }, nil
}

func (w *work) tell(out Outcome, err error) {
	if err != nil {
		out.Error = message(err)
	}
	out.Definition = nil // of thousands, nobody has room for all
	w.telling.Lock()
	defer w.telling.Unlock()
	w.done(out)
}

// bySize begins with the largest, so that the last to be done is not the longest.
func bySize(files []File) []File {
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(a, b File) int { return cmp.Compare(b.Size, a.Size) })
	return sorted
}

func (o *Options) fromFile(ctx context.Context, f File) (Outcome, error) {
	text, err := o.Reader.Read(ctx, f.Path, maxDescription)
	if err != nil {
		return Outcome{Source: f.Source, Slug: f.Slug}, err
	}
	return o.openAPI(ctx, text, f.Source, f.Slug)
}

// fromAddress fetches a description that an index names, unless it is the one that was fetched before.
func (w *work) fromAddress(ctx context.Context, f File) (Outcome, error) {
	o := *w.options
	if f.alien {
		o.Reader.Header = nil // the credential for the index is not for whatever the index names
	}
	out := Outcome{Source: f.Source, Slug: f.Slug}
	known, err := o.known(ctx, f.Slug)
	if err != nil {
		return out, err
	}
	tag := ""
	if known != nil && known.Source.URL == Shown(f.Path) && !o.Again {
		tag = known.Source.ETag
	}
	text, tag, same, err := o.Reader.ReadSince(ctx, f.Path, tag, maxFetched)
	if err != nil || same {
		out.Unchanged = same
		return out, err
	}
	release, err := w.begin(ctx, int64(len(text)))
	if err != nil {
		return out, err
	}
	defer release()
	o.tag = tag
	return o.openAPI(ctx, text, f.Path, f.Slug)
}

func message(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}
