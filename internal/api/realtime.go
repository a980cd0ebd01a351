package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type realtimeCredentialsRequest struct {
	Origin string `from:"origin" json:"-"`
}

type realtimeCredentialsResponse struct {
	Key       string `json:"pusher_key"`
	ProjectID string `json:"project_id"`
	Cluster   string `json:"pusher_cluster"`
}

// realtimeCredentials tells SDKs where to connect for triggers.subscribe (API contract section 13).
func (a *api) realtimeCredentials(_ context.Context, caller tenant.Caller, in realtimeCredentialsRequest) (realtimeCredentialsResponse, error) {
	c, err := a.realtime.Credentials(caller, in.Origin)
	return realtimeCredentialsResponse{c.Key, c.ProjectID, c.Cluster}, err
}

type authorizeRealtimeRequest struct {
	SocketID string `json:"socket_id"`
	Channel  string `json:"channel_name"`
}

type authorizeRealtimeResponse struct {
	Auth string `json:"auth"`
}

func (a *api) authorizeRealtime(_ context.Context, caller tenant.Caller, in authorizeRealtimeRequest) (authorizeRealtimeResponse, error) {
	auth, err := a.realtime.Authorize(caller, in.SocketID, in.Channel)
	return authorizeRealtimeResponse{auth}, err
}

// formAsJSON turns a form's body into the JSON that says the same; other bodies stay as they are.
func formAsJSON(r *http.Request, body []byte) ([]byte, error) {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "The form in the request body is not well formed.").Because(err)
	}
	members := make(map[string]string, len(form))
	for name := range form {
		members[name] = form.Get(name)
	}
	return json.Marshal(members)
}
