package intake

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog/registry"
	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
)

// File is one description of a collection: of an API, or of an MCP server in the registry's format.
type File struct {
	Path   string // of the file, or its address
	Source string // where it is from, for people
	Slug   string
	Size   int64 // 0 when it is not known

	alien  bool // its address is of another origin than the index that names it: it gets no credential
	server *registry.Server
}

// Collection is what a directory, an archive or an index holds.
type Collection struct {
	Files   []File
	LeftOut []Outcome // what in it cannot be read, or is not wanted, and why

	temporary string
}

// Close removes what was unpacked.
func (c *Collection) Close() error {
	if c.temporary == "" {
		return nil
	}
	return os.RemoveAll(c.temporary)
}

// APIs reports whether some of it describes APIs, and not MCP servers.
func (c *Collection) APIs() bool {
	return slices.ContainsFunc(c.Files, func(f File) bool { return f.server == nil })
}

// Open finds the descriptions in a directory; in an archive of one (zip, tar, tar.gz); or in an index of them, which is a list.json
// as of APIs.guru or the list of an MCP registry. Archives and indexes are files or addresses, told apart by what is in them. Close
// the collection at the end.
func (o *Options) Open(ctx context.Context, place string) (*Collection, error) {
	c := &Collection{}
	var err error
	if info, failed := os.Stat(place); !IsAddress(place) && failed == nil && info.IsDir() {
		err = o.directory(ctx, c, place)
	} else {
		err = o.single(ctx, c, place)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// named is a description with the place in its collection, from which its slug comes: so that is the same the next time, whatever
// else is there.
type named struct {
	File
	name string
}

// directory finds the descriptions below a directory, in order.
func (o *Options) directory(ctx context.Context, c *Collection, dir string) error {
	var found []named
	err := filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		if e.IsDir() {
			if at != dir && passedOver(e.Name()) {
				return fs.SkipDir
			}
			return ctx.Err()
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && mayDescribe(e.Name()) {
			found = append(found, named{File{Path: at, Source: at, Size: info.Size()}, filepath.ToSlash(relative)})
		}
		return nil
	})
	if err != nil {
		return refused("%s cannot be read: %s.", dir, plainError(err))
	}
	return o.take(ctx, c, found)
}

// passedOver are directories in which nobody keeps descriptions.
func passedOver(name string) bool { return strings.HasPrefix(name, ".") || name == "node_modules" }

// mayDescribe reports whether a file is called as descriptions are.
func mayDescribe(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".json", ".yaml", ".yml":
		return !strings.HasPrefix(name, ".") && name != "package.json" && name != "package-lock.json"
	}
	return false
}

// take gives each description its slug. Those of MCP servers are told from the others by what is in them.
func (o *Options) take(ctx context.Context, c *Collection, found []named) error {
	var servers []registry.Entry
	sources := map[*registry.Server]string{}
	taken := map[string]bool{}
	for _, f := range found {
		entries, ok := serversIn(f.File)
		if !ok {
			f.Slug = freeSlug(nameOf(f.name), f.name, taken, o.Reserved)
			c.Files = append(c.Files, f.File)
			continue
		}
		for _, e := range entries {
			if e.Server != nil {
				sources[e.Server] = f.Source
			}
			if e.Broken {
				e.Name = strings.Trim(f.Source+" "+e.Name, " ")
			}
			servers = append(servers, e)
		}
	}
	return o.takeServers(ctx, c, servers, sources, taken)
}

// serversIn reads a file that may be of the MCP registry's format.
func serversIn(f File) ([]registry.Entry, bool) {
	if f.Size > maxRegistryFile || path.Ext(f.Path) != ".json" {
		return nil, false
	}
	text, err := os.ReadFile(f.Path)
	if err != nil || !bytes.Contains(text, []byte(`"remotes"`)) && !bytes.Contains(text, []byte(`"packages"`)) {
		return nil, false
	}
	page, err := registry.ParsePage(text)
	return page.Entries, err == nil
}

// maxRegistryFile is how large a file may be to be taken for one of the MCP registry's format, beside descriptions of APIs.
const maxRegistryFile = 1 << 20

// freeSlug makes a slug that no other description has.
func freeSlug(name, key string, taken map[string]bool, reserved func(string) bool) string {
	slug := wording.ToolkitSlug(name)
	if reserved != nil && reserved(slug) {
		slug = wording.Clip(slug, wording.MaxToolkitSlug-len("_api")) + "_api"
	}
	if taken[slug] || reserved != nil && reserved(slug) {
		slug = wording.WithDigest(slug, wording.MaxToolkitSlug, key)
	}
	taken[slug] = true
	return slug
}
