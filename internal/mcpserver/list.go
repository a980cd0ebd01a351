package mcpserver

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/session"
)

const (
	pageSize   = 1000
	listTTL    = 60_000 // ms a client may keep a list: a session's rules and the catalog change seldom, and nobody is told when they do
	listScope  = "private"
	listsBytes = 32 << 20 // of rendered lists that are kept
)

// describe gives a tool in MCP's form.
//
// The schema of its answers is left out on purpose: clients refuse a whole answer that strays from a declared schema, and
// what an app answers is not ours to promise. REST lists it for whoever wants it.
func describe(t session.ToolSpec) *mcp.Tool {
	destructive, openWorld := t.Hints.Destructive, !t.Hints.ClosedWorld
	return &mcp.Tool{
		Name:        t.Slug,
		Title:       t.Name,
		Description: t.Description,
		InputSchema: t.Input,
		Annotations: &mcp.ToolAnnotations{
			Title:           t.Name,
			ReadOnlyHint:    t.Hints.Read && !t.Hints.Create && !t.Hints.Update && !destructive,
			DestructiveHint: &destructive,
			IdempotentHint:  t.Hints.Idempotent,
			OpenWorldHint:   &openWorld,
		},
	}
}

// pageOf gives the tools of a page and the cursor of the next, empty after the last. A cursor holds the name of the tool
// that it follows. It is not valid any more when that tool is gone.
func pageOf(tools []session.ToolSpec, cursor string) (page []session.ToolSpec, next string, ok bool) {
	from := 0
	if cursor != "" {
		after, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil {
			return nil, "", false
		}
		at := slices.IndexFunc(tools, func(t session.ToolSpec) bool { return t.Slug == string(after) })
		if at < 0 {
			return nil, "", false
		}
		from = at + 1
	}
	page = tools[from:]
	if len(page) > pageSize {
		page = page[:pageSize]
		next = base64.RawURLEncoding.EncodeToString([]byte(page[pageSize-1].Slug))
	}
	return page, next, true
}

// renderPage gives the members of a tools/list result as JSON, but for those that depend on the era.
func renderPage(tools []session.ToolSpec, next string) ([]byte, error) {
	described := make([]*mcp.Tool, len(tools))
	for i, t := range tools {
		described[i] = describe(t)
	}
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(struct {
		TTL    int         `json:"ttlMs"`
		Scope  string      `json:"cacheScope"`
		Cursor string      `json:"nextCursor,omitempty"`
		Tools  []*mcp.Tool `json:"tools"`
	}{listTTL, listScope, next, described})
	if err != nil {
		return nil, err
	}
	return bytes.Trim(buf.Bytes(), "{}\n"), nil
}

// listCache keeps rendered pages. Sessions with the same rules share them. When the young generation is full it becomes the
// old one, and what was old and has not been asked for since is dropped. The zero value is ready.
type listCache struct {
	mu         sync.Mutex
	young, old map[listKey][]byte
	bytes      int // of the young generation
}

type listKey struct{ tools, cursor string }

// page gives the rendered page of a view, rendering it at most once in a while.
func (c *listCache) page(view View, cursor string) ([]byte, bool) {
	key := listKey{view.ToolsKey(), cursor}
	if page, ok := c.get(key); ok {
		return page, true
	}
	tools, next, ok := pageOf(view.Tools(), cursor)
	if !ok {
		return nil, false
	}
	page, err := renderPage(tools, next)
	if err != nil {
		return nil, false // the SDK's way will fail as well and say why
	}
	c.put(key, page)
	return page, true
}

func (c *listCache) get(key listKey) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	page, ok := c.young[key]
	if !ok {
		if page, ok = c.old[key]; ok {
			delete(c.old, key)
			c.keep(key, page)
		}
	}
	return page, ok
}

func (c *listCache) put(key listKey, page []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes+len(page) > listsBytes/2 {
		c.old, c.young, c.bytes = c.young, nil, 0
	}
	if len(page) <= listsBytes/2 {
		c.keep(key, page)
	}
}

func (c *listCache) keep(key listKey, page []byte) {
	if c.young == nil {
		c.young = make(map[listKey][]byte)
	}
	if _, again := c.young[key]; !again {
		c.bytes += len(page)
	}
	c.young[key] = page
}
