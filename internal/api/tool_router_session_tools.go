package api

import (
	"bytes"
	"context"

	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type sessionToolsRequest struct {
	Origin    string `from:"origin" json:"-"`
	SessionID string `path:"session_id" json:"-"`
	Limit     limit  `query:"limit" json:"-"`
	Cursor    string `query:"cursor" json:"-"`
}

// sessionTools lists what the session shows to an agent: its meta tools and the preloaded tools of apps. SDKs always ask for
// 500 and follow the cursor to the end.
func (a *api) sessionTools(ctx context.Context, caller tenant.Caller, in sessionToolsRequest) (encodedPage, error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	view, err := a.sessions.Open(ctx, caller, in.SessionID)
	if err != nil {
		return nil, err
	}
	size := in.Limit.clamp(500, 500)
	key := pageKey{tools: view.ToolsKey(), origin: in.Origin, from: at.from, page: at.page, size: size}
	if ready, ok := a.prepared.pages.get(key); ok {
		return ready, nil
	}
	specs, info, err := slice(view.Tools(), at, size)
	if err != nil {
		return nil, err
	}
	page := toolsPage(specs, info, in.Origin, func(spec session.ToolSpec) preparedTool {
		return a.prepared.listed(view.Catalog.ID, spec)
	})
	a.prepared.pages.put(key, page, len(page), preparedPageBytes)
	return page, nil
}

// toolsPage writes a page of tools.
func toolsPage[T any](items []T, info pageInfo, origin string, prepare func(T) preparedTool) encodedPage {
	tools, size := make([]preparedTool, len(items)), 200
	for i, item := range items {
		tools[i] = prepare(item)
		size += tools[i].size() + 2*len(origin) + 1
	}
	var buf bytes.Buffer
	buf.Grow(size)
	buf.WriteString(`{"items":[`)
	for i, tool := range tools {
		if i > 0 {
			buf.WriteByte(',')
		}
		tool.appendTo(&buf, origin)
	}
	buf.WriteString("],")
	buf.WriteString(mustEncode(info)[1:])
	return buf.Bytes()
}
