package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/tenant"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

// endpointResponse is a webhook endpoint (API contract section 12.3). Secrets in data are masked.
type endpointResponse struct {
	ID        string            `json:"id"`
	Toolkit   string            `json:"toolkit_slug"`
	ClientID  *string           `json:"client_id"`
	URL       string            `json:"webhook_url"`
	Data      map[string]string `json:"data"`
	CreatedAt string            `json:"created_at"`
}

func endpointOf(e trigger.Endpoint, origin string) endpointResponse {
	return endpointResponse{
		ID: e.ID, Toolkit: e.Toolkit, ClientID: orNull(e.ClientID), URL: origin + e.Path(), Data: e.Shown(), CreatedAt: timestamp(e.CreatedAt),
	}
}

type createEndpointRequest struct {
	Origin   string `from:"origin" json:"-"`
	Toolkit  string `json:"toolkit_slug"`
	ClientID string `json:"client_id"`
}

func (a *api) createEndpoint(ctx context.Context, caller tenant.Caller, in createEndpointRequest) (endpointResponse, error) {
	e, err := a.triggers.CreateEndpoint(ctx, caller, in.Toolkit, in.ClientID)
	if err != nil {
		return endpointResponse{}, err
	}
	return endpointOf(e, in.Origin), nil
}

type listEndpointsRequest struct {
	Toolkit string `query:"toolkit_slug" json:"-"`
}

type listEndpointsResponse struct {
	Items []endpointRow `json:"items"`
}

type endpointRow struct {
	ID       string  `json:"id"`
	Toolkit  string  `json:"toolkit_slug"`
	ClientID *string `json:"client_id"`
}

func (a *api) listEndpoints(ctx context.Context, caller tenant.Caller, in listEndpointsRequest) (listEndpointsResponse, error) {
	endpoints, err := a.triggers.ListEndpoints(ctx, caller, in.Toolkit)
	if err != nil {
		return listEndpointsResponse{}, err
	}
	return listEndpointsResponse{mapped(endpoints, func(e trigger.Endpoint) endpointRow {
		return endpointRow{e.ID, e.Toolkit, orNull(e.ClientID)}
	})}, nil
}

type getEndpointRequest struct {
	Origin string `from:"origin" json:"-"`
	ID     string `path:"nano_id" json:"-"`
}

func (a *api) getEndpoint(ctx context.Context, caller tenant.Caller, in getEndpointRequest) (endpointResponse, error) {
	e, err := a.triggers.Endpoint(ctx, caller, in.ID)
	if err != nil {
		return endpointResponse{}, err
	}
	return endpointOf(e, in.Origin), nil
}

type setEndpointRequest struct {
	Origin string            `from:"origin" json:"-"`
	ID     string            `path:"nano_id" json:"-"`
	Data   map[string]string `json:"data"`
}

func (a *api) mergeEndpointData(ctx context.Context, caller tenant.Caller, in setEndpointRequest) (endpointResponse, error) {
	return a.setEndpointData(ctx, caller, in, false)
}

func (a *api) replaceEndpointData(ctx context.Context, caller tenant.Caller, in setEndpointRequest) (endpointResponse, error) {
	return a.setEndpointData(ctx, caller, in, true)
}

func (a *api) setEndpointData(ctx context.Context, caller tenant.Caller, in setEndpointRequest, replace bool) (endpointResponse, error) {
	if in.Data == nil {
		return endpointResponse{}, invalidRequest("data: is missing")
	}
	e, err := a.triggers.SetEndpointData(ctx, caller, in.ID, in.Data, replace)
	if err != nil {
		return endpointResponse{}, err
	}
	return endpointOf(e, in.Origin), nil
}

type endpointSchemaRequest struct {
	Toolkit string `query:"toolkit_slug" json:"-"`
}

type endpointSchemaResponse struct {
	Toolkit string                `json:"toolkit_slug"`
	Fields  map[string]setupField `json:"setup_fields"`
}

type setupField struct {
	Title       string `json:"display_name"`
	Description string `json:"description"`
	Required    bool   `json:"is_required"`
	Secret      bool   `json:"is_secret"`
}

func (a *api) endpointSchema(_ context.Context, caller tenant.Caller, in endpointSchemaRequest) (endpointSchemaResponse, error) {
	fields, err := a.triggers.SetupFields(caller, in.Toolkit)
	if err != nil {
		return endpointSchemaResponse{}, err
	}
	out := endpointSchemaResponse{Toolkit: in.Toolkit, Fields: map[string]setupField{}}
	for _, f := range fields {
		out.Fields[f.Name] = setupField{f.Title, f.Description, f.Required, f.Secret}
	}
	return out, nil
}
