package connect

import "github.com/patchbay-dev/patchbay/internal/catalog"

// noAuthScheme is NO_AUTH: nothing is proven. An account may still hold connection fields, such as a region.
type noAuthScheme struct{}

func (noAuthScheme) ConfigFields(declared []catalog.Field) []catalog.Field  { return declared }
func (noAuthScheme) AccountFields(declared []catalog.Field) []catalog.Field { return declared }
func (noAuthScheme) Place(Grant, *Credential) error                         { return nil }
