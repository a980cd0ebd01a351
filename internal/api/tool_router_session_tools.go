package api

import (
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
	page := encodedPage(newToolList(specs, info, in.Origin, func(spec session.ToolSpec) preparedTool {
		return a.prepared.listed(view.Catalog.ID, spec)
	}).bytes())
	a.prepared.pages.put(key, page, len(page), preparedPageBytes)
	return page, nil
}
