package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type sessionHistoryRequest struct {
	SessionID string `path:"session_id" json:"-"`
	Limit     limit  `query:"limit" json:"-"`
	Cursor    string `query:"cursor" json:"-"`
}

// revisionResponse is one stored version of a session's configuration.
type revisionResponse struct {
	Version   int           `json:"version"`
	CreatedAt string        `json:"created_at"`
	Config    sessionConfig `json:"config"`
	IsCurrent bool          `json:"is_current"`
}

func (a *api) sessionHistory(ctx context.Context, caller tenant.Caller, in sessionHistoryRequest) (pageResponse[revisionResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[revisionResponse]{}, err
	}
	view, err := a.sessions.Open(ctx, caller, in.SessionID)
	if err != nil {
		return pageResponse[revisionResponse]{}, err
	}
	size := in.Limit.clamp(20, 100)
	revisions, page, err := a.sessions.History(ctx, caller, in.SessionID, size, at.from)
	if err != nil {
		return pageResponse[revisionResponse]{}, err
	}
	return pageResponse[revisionResponse]{
		Items: mapped(revisions, func(r session.Revision) revisionResponse {
			return revisionResponse{
				Version: r.Version, CreatedAt: timestamp(r.CreatedAt),
				Config:    sessionConfigOf(view.Session.UserID, r.Config),
				IsCurrent: r.Version == view.Session.Version,
			}
		}),
		pageInfo: infoOf(at, size, page),
	}, nil
}
