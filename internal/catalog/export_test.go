package catalog

import "context"

// CatchUp does at once what a started catalog does in the background.
func (c *Catalog) CatchUp(ctx context.Context) {
	c.keepShipped(ctx)
	c.catchUp(ctx)
}
