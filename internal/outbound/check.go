package outbound

import (
	"context"
	"net/url"
	"regexp"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// field is a part of an address that whoever connects an account says.
var field = regexp.MustCompile(`\{[^{}]*\}`)

// Check says whether an address could be one that requests go to, before any does: a fault with slug
// Outbound_DestinationRefused names what is private. A host that is partly said by a connection field, or cannot be resolved now,
// passes: every request is guarded again.
func (c *Client) Check(ctx context.Context, address string) error {
	u, err := url.Parse(field.ReplaceAllString(address, "1"))
	if err != nil || u.Hostname() == "" {
		return fault.New(fault.Invalid, fault.SlugDestinationRefused, "It is not an address that requests can go to.").
			WithFix("Give a URL that begins with https://.")
	}
	if field.MatchString(address) {
		return nil
	}
	return c.guard.permitBehindProxy(ctx, u)
}

// CheckCredential refuses an address to which a credential would go unencrypted. Plain http is for hosts that the operator named in
// Options.Allow: those are on the machine, or in a network of the operator's own. A host that is partly said by a connection field
// passes only with https.
func (c *Client) CheckCredential(ctx context.Context, address string) error {
	u, err := url.Parse(field.ReplaceAllString(address, "1"))
	if err == nil && u.Scheme == "https" || err == nil && c.guard.named(ctx, u) {
		return nil
	}
	return fault.New(fault.Invalid, fault.SlugDestinationRefused, "A credential would go to this address unencrypted, since it does not begin with https://.").
		WithFix("Give an https address. For a server on a network of your own, the operator can name its host in the setting outbound.allow.")
}
