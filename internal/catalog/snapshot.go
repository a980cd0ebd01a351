package catalog

// Snapshot is the whole catalog at one moment: immutable, shared by all requests, replaced in one step.
type Snapshot struct {
	ID       string // changes with the content: caches of anything derived from a snapshot are keyed by it
	toolkits map[string]*Toolkit
	tools    map[string]*Tool // by slug and by alias, upper case
	order    []*Toolkit       // most used first, then by name
}

// Toolkit finds a toolkit by slug, in any case.
func (s *Snapshot) Toolkit(slug string) (*Toolkit, bool) { panic("catalog: being written") }

// Tool finds a tool by slug or older name, in any case.
func (s *Snapshot) Tool(slug string) (*Tool, bool) { panic("catalog: being written") }

// Toolkits gives all toolkits, most used first.
func (s *Snapshot) Toolkits() []*Toolkit { return s.order }

// NearestTools gives up to n slugs that look like the given one, best first, for "did you mean".
func (s *Snapshot) NearestTools(slug string, n int) []string { panic("catalog: being written") }

// NearestToolkits gives up to n toolkit slugs that look like the given one, best first.
func (s *Snapshot) NearestToolkits(slug string, n int) []string { panic("catalog: being written") }

// Catalog holds the current snapshot.
type Catalog struct{}

// Snapshot gives the current catalog of a project: the server's toolkits and the project's own over them. Take it once per
// request, so that one request sees one catalog.
func (c *Catalog) Snapshot(projectID string) *Snapshot { panic("catalog: being written") }
