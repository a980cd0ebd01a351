package search

import (
	"log/slog"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Indexes makes the index of each snapshot once and shares it. It keeps those of the newest snapshots: a snapshot is replaced
// seldom, and requests that still hold an old one are over in a minute.
type Indexes struct {
	files   *files    // nil: nothing is saved
	vectors VectorsOf // nil: none

	mu     sync.Mutex
	shared []*madeIndex // of snapshots without a base, newest first
	own    []*madeIndex // of snapshots over a base, the most recently used first
}

// How many are kept.
const (
	keptShared = 2
	keptOwn    = 64
)

// IndexesOptions of an Indexes.
type IndexesOptions struct {
	Directory string       // where big indexes are saved for the next start; empty: nowhere
	Program   string       // which build of the program this is: another one ranks in another way, and makes its own
	Log       *slog.Logger // nil: discard
	Vectors   VectorsOf    // of a model outside; nil: there is none
}

// NewIndexes makes one.
func NewIndexes(o IndexesOptions) *Indexes {
	x := &Indexes{vectors: o.Vectors}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Directory != "" {
		x.files = &files{o.Directory, o.Program, o.Log}
	}
	return x
}

// madeIndex is the index of a snapshot; whoever asks first makes it, and others wait.
type madeIndex struct {
	of    string // id of the snapshot
	index func() *Index
}

// Of gives the index of a snapshot.
func (x *Indexes) Of(s *catalog.Snapshot) *Index {
	base, _ := s.Base()
	if base == nil {
		return x.entry(&x.shared, keptShared, s.ID, func() *Index { return x.make(s).WithVectors(x.vectors) })()
	}
	return x.entry(&x.own, keptOwn, s.ID, func() *Index { return Build(s, x.Of(base)).WithVectors(x.vectors) })()
}

func (x *Indexes) make(s *catalog.Snapshot) *Index {
	if x.files == nil {
		return Build(s, nil)
	}
	if index := x.files.load(s); index != nil {
		return index
	}
	index := Build(s, nil)
	x.files.save(s, index)
	return index
}

// entry finds the entry of a snapshot in a list, or puts one at its front.
func (x *Indexes) entry(list *[]*madeIndex, most int, id string, fresh func() *Index) func() *Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, made := range *list {
		if made.of == id {
			copy((*list)[1:i+1], (*list)[:i])
			(*list)[0] = made
			return made.index
		}
	}
	made := &madeIndex{id, sync.OnceValue(fresh)}
	*list = append([]*madeIndex{made}, (*list)[:min(len(*list), most-1)]...)
	return made.index
}
