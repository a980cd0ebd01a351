package catalog

import "context"

// Definition gives what was added under a slug for a project, or with the empty id for the server, as it was made: the current
// version, for whoever makes the next. Nil when there is none, or it is in our own format.
func (c *Catalog) Definition(ctx context.Context, projectID, slug string) (*Definition, error) {
	if c.store == nil {
		return nil, nil
	}
	known, err := c.storedVersions(ctx, projectID, slug)
	if err != nil || len(known) == 0 || known[0].Form != FormDefinition {
		return nil, err
	}
	data, err := c.store.ToolkitDocument(ctx, projectID, slug, known[0].Version)
	if err != nil {
		return nil, err
	}
	d, err := decodeDocument(known[0].Form, data)
	return d.Definition, err
}
