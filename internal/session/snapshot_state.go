package session

import (
	"encoding/json"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// snapshotState is what is derived from one catalog snapshot and shared by all sessions over it.
type snapshotState struct {
	index func() Index
	facts sync.Map // *catalog.Tool to toolFacts
}

func (s *Service) stateOf(c *catalog.Snapshot) *snapshotState {
	return s.snapshots.load(c.ID, func() *snapshotState {
		return &snapshotState{index: sync.OnceValue(func() Index { return s.index(c) })}
	})
}

// Warm builds the search index of a project's catalog, so that the first search need not.
func (s *Service) Warm(projectID string) {
	s.stateOf(s.catalog.Snapshot(projectID)).index()
}

// toolFacts are what plans need to know of a tool's arguments.
type toolFacts struct {
	required  []string
	arguments int // how many there are
}

func (st *snapshotState) factsOf(t *catalog.Tool) toolFacts {
	if known, ok := st.facts.Load(t); ok {
		return known.(toolFacts)
	}
	var schema struct {
		Required   []string
		Properties map[string]json.RawMessage
	}
	_ = json.Unmarshal(t.Detail().Input.JSON, &schema) // a schema that says nothing requires nothing
	facts := toolFacts{required: schema.Required, arguments: len(schema.Properties)}
	st.facts.Store(t, facts)
	return facts
}
