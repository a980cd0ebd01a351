package app

import (
	"sync"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/search"
)

// indexes builds the search index of a snapshot once and shares it. It keeps the newest: a snapshot is replaced seldom, and
// requests that still hold an old one are over in a minute.
type indexes struct {
	mu    sync.Mutex
	of    string // id of the snapshot
	index *search.Index
}

func (x *indexes) get(s *catalog.Snapshot) *search.Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.index == nil || x.of != s.ID {
		x.of, x.index = s.ID, search.Build(s)
	}
	return x.index
}
