package catalog

import "sync/atomic"

// Catalog holds the current snapshot.
type Catalog struct {
	current atomic.Pointer[Snapshot]
}

// New makes a catalog that starts with a snapshot.
func New(s *Snapshot) *Catalog {
	c := &Catalog{}
	c.current.Store(s)
	return c
}

// Snapshot gives the current catalog of a project: the server's toolkits and the project's own over them. Take it once per
// request, so that one request sees one catalog.
func (c *Catalog) Snapshot(projectID string) *Snapshot {
	_ = projectID // all projects share the server's toolkits
	return c.current.Load()
}

// Replace puts another snapshot in place of the current one. Requests that hold the old one finish with it.
func (c *Catalog) Replace(s *Snapshot) { c.current.Store(s) }
