package intake

import (
	"cmp"
	"context"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/catalog/registry"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// Limits of a registry's list.
const (
	maxPages   = 2_000
	maxServers = 50_000
)

// registryList reads the list of an MCP registry to its end, page by page. What was read before a page that fails is not lost.
func (o *Options) registryList(ctx context.Context, c *Collection, place string, page registry.Page) error {
	entries, seen := page.Entries, map[string]bool{}
	for pages := 1; page.Next != ""; pages++ {
		problem := ""
		switch {
		case !IsAddress(place):
			problem = "It is one page of a list that goes on; give the address of the list to have all of it."
		case seen[page.Next]:
			problem = "The list goes round in a circle; it was read up to there."
		case pages >= maxPages || len(entries) >= maxServers:
			problem = "The list has no end: it was read up to here."
		}
		if problem == "" {
			seen[page.Next] = true
			text, err := o.Reader.Read(ctx, pageAddress(listAddress(place), page.Next), maxIndex)
			if err == nil {
				page, err = registry.ParsePage(text)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				problem = "A page of the list could not be read, and what comes after it neither: " + message(err)
			}
		}
		if problem != "" {
			c.LeftOut = append(c.LeftOut, Outcome{Source: Shown(place), Error: problem})
			break
		}
		entries = append(entries, page.Entries...)
	}
	return o.takeServers(ctx, c, entries, nil, map[string]bool{})
}

// pageAddress is where the list goes on.
func pageAddress(place, cursor string) string {
	u, err := url.Parse(place)
	if err != nil {
		return place
	}
	q := u.Query()
	q.Set("cursor", cursor)
	u.RawQuery = q.Encode()
	return u.String()
}

// listAddress asks a registry for the newest versions only, in large pages, unless the address says otherwise.
func listAddress(place string) string {
	u, err := url.Parse(place)
	if err != nil || !IsAddress(place) || path.Base(u.Path) != "servers" {
		return place
	}
	q := u.Query()
	for name, value := range map[string]string{"limit": "100", "version": "latest"} {
		if !q.Has(name) {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// takeServers gives each server its slug, and says which are left out.
func (o *Options) takeServers(ctx context.Context, c *Collection, entries []registry.Entry, sources map[*registry.Server]string, taken map[string]bool) error {
	var servers []*registry.Server
	for _, e := range registry.Newest(entries) {
		switch {
		case e.Broken:
			c.LeftOut = append(c.LeftOut, Outcome{Source: cmp.Or(e.Name, "a server without a name"), Error: strings.ToUpper(e.Left[:1]) + e.Left[1:] + "."})
		case e.Left != "":
			c.LeftOut = append(c.LeftOut, Outcome{Source: e.Name, Skipped: e.Left})
		default:
			servers = append(servers, e.Server)
		}
	}
	slices.SortStableFunc(servers, func(a, b *registry.Server) int { // whoever owns a domain has the first choice of slugs
		if x, y := registry.OwnDomain(a.Name), registry.OwnDomain(b.Name); x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	slugs, err := o.serverSlugs(ctx, servers, taken)
	if err != nil {
		return err
	}
	for i, s := range servers {
		c.Files = append(c.Files, File{Path: s.Name, Source: cmp.Or(sources[s], s.Name), Slug: slugs[i], server: s})
	}
	return nil
}

// serverSlugs chooses slugs: the one under which a server is kept already, or else the most readable that is free.
func (o *Options) serverSlugs(ctx context.Context, servers []*registry.Server, taken map[string]bool) ([]string, error) {
	slugs := make([]string, len(servers))
	foreign := map[string]bool{}
	for i, s := range servers {
		for _, slug := range o.candidates(s) {
			known, err := o.Sink.Known(ctx, slug)
			if err != nil {
				return nil, err
			}
			switch {
			case known == nil:
			case known.Source.Kind == catalog.SourceMCP && known.Source.Server == s.Name && slugs[i] == "":
				slugs[i], taken[slug] = slug, true
			default:
				foreign[slug] = true
			}
		}
	}
	for i, s := range servers {
		for _, slug := range o.candidates(s) {
			if slugs[i] == "" && !taken[slug] && !foreign[slug] {
				slugs[i], taken[slug] = slug, true
			}
		}
		if slugs[i] == "" {
			slugs[i] = o.candidates(s)[0] // and is refused there, with a reason
		}
	}
	return slugs, nil
}

// candidates are slugs that are no other toolkit's of those that came with the program.
func (o *Options) candidates(s *registry.Server) []string {
	slugs := registry.Slugs(s.Name)
	if o.Reserved == nil {
		return slugs
	}
	for i, slug := range slugs {
		if o.Reserved(slug) {
			slugs[i] = wording.Clip(slug, wording.MaxToolkitSlug-len("_mcp")) + "_mcp"
		}
	}
	return slugs
}
