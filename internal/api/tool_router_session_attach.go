package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type attachSessionRequest struct {
	Origin       string                    `from:"origin" json:"-"`
	SessionID    string                    `path:"session_id" json:"-"`
	Experimental optional[customToolsBody] `json:"experimental"`
}

// attachSession answers the session with the echo of custom tools. Nothing is stored: SDKs send the tools again with each
// search and execute.
func (a *api) attachSession(ctx context.Context, caller tenant.Caller, in attachSessionRequest) (sessionResponse, error) {
	created, err := a.sessions.Attach(ctx, caller, in.SessionID, in.Experimental.Value.custom())
	if err != nil {
		return sessionResponse{}, err
	}
	return createdSession(in.Origin, created), nil
}
