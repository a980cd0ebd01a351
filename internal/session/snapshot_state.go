package session

import (
	"encoding/json"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// snapshotState is what is derived from one catalog snapshot and shared by all sessions over it.
type snapshotState struct {
	facts sync.Map // *catalog.Tool to toolFacts; of tools that are held in memory anyway
}

func (s *Service) stateOf(c *catalog.Snapshot) *snapshotState {
	return s.snapshots.Intern(c.ID, func() *snapshotState { return &snapshotState{} })
}

// Warm builds the search index of a project's catalog, so that the first search need not.
func (s *Service) Warm(projectID string) { s.index(s.catalog.Snapshot(projectID)) }

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
	if t.Held != nil {
		st.facts.Store(t, facts)
	}
	return facts
}
