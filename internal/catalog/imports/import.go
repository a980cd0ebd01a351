package imports

import (
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/openapi"
)

// Import is a description that becomes a toolkit of a project.
type Import struct {
	ID        string
	ProjectID string
	Request   Request
	Status    Status
	Done      int // operations that were looked at
	Total     int // of them; 0 until it is known
	Attempts  int // how often it was begun
	Result    *Result
	Failure   *Failure

	CreatedAt  time.Time
	StartedAt  time.Time // zero until it is begun
	FinishedAt time.Time // zero until it has ended
	DueAt      time.Time // when it may be begun; zero when it has ended
}

// Status says how far an Import is.
type Status string

// The states.
const (
	Queued    Status = "queued"
	Running   Status = "running"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
)

// Ended reports whether nothing more will come of it.
func (i *Import) Ended() bool { return i.Status == Succeeded || i.Status == Failed }

// Request is what was asked for. It may hold secrets, in the query of the address and in headers, and is stored sealed.
type Request struct {
	Kind    Kind              `json:"kind"`
	URL     string            `json:"url,omitempty"` // of the description, or of a GraphQL endpoint; empty where the description came along
	Header  map[string]string `json:"header,omitempty"`
	Slug    string            `json:"slug,omitempty"`
	Name    string            `json:"name,omitempty"`
	BaseURL string            `json:"base_url,omitempty"`
	Auth    string            `json:"auth,omitempty"` // as intake.ParseAuth reads it
	Filter  []string          `json:"filter,omitempty"`
	DryRun  bool              `json:"dry_run,omitempty"`
}

// Kind says what a description is written in.
type Kind string

// The kinds.
const (
	OpenAPI Kind = "openapi"
	GraphQL Kind = "graphql"
)

// Result says what became of a description.
type Result struct {
	Slug      string          `json:"slug"`
	Name      string          `json:"name"`
	Version   string          `json:"version,omitempty"` // none after a dry run
	BaseURL   string          `json:"base_url"`
	Modes     []string        `json:"auth_modes"` // how accounts are connected
	New       bool            `json:"new"`        // there was no toolkit of this slug before
	Unchanged bool            `json:"unchanged"`  // it is what was there: no version was made
	Changes   catalog.Changes `json:"changes"`
	Report    openapi.Report  `json:"report"`   // with the first of what was left out
	LeftOut   int             `json:"left_out"` // how many operations were left out
}

// Failure says why nothing became of it.
type Failure struct {
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}
