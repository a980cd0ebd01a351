package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type proxyInSessionRequest struct {
	SessionID string `path:"session_id" json:"-"`
	Toolkit   string `json:"toolkit_slug"`
	proxyBody
}

// proxyInSession sends a raw request to a toolkit's API with the account that the session would use.
func (a *api) proxyInSession(ctx context.Context, caller tenant.Caller, in proxyInSessionRequest) (proxyResponse, error) {
	if in.Toolkit == "" {
		return proxyResponse{}, invalidRequest("toolkit_slug: is required, the toolkit whose API is called")
	}
	call, err := in.call()
	if err != nil {
		return proxyResponse{}, err
	}
	result, err := a.sessions.Proxy(ctx, caller, in.SessionID, in.Toolkit, call)
	if err != nil {
		return proxyResponse{}, err
	}
	return proxyResponseOf(result), nil
}
