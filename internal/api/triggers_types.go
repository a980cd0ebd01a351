package api

import (
	"context"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// triggerTypeResponse is a trigger type (API contract section 11).
type triggerTypeResponse struct {
	Slug          string             `json:"slug"`
	Name          string             `json:"name"`
	Description   string             `json:"description"`
	Instructions  string             `json:"instructions"`
	Type          string             `json:"type"`
	Toolkit       triggerTypeToolkit `json:"toolkit"`
	Config        json.RawMessage    `json:"config"`
	Payload       json.RawMessage    `json:"payload"`
	Version       string             `json:"version"`
	NeedsEndpoint bool               `json:"requires_webhook_endpoint_setup"`
}

type triggerTypeToolkit struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
	Logo string `json:"logo"`
}

func triggerTypeOf(t *catalog.TriggerType, origin string) triggerTypeResponse {
	return triggerTypeResponse{
		Slug: t.Slug, Name: t.Name, Description: t.Description, Instructions: t.Instructions, Type: t.Kind,
		Toolkit: triggerTypeToolkit{t.Toolkit.Slug, t.Toolkit.Name, logoURL(origin, t.Toolkit.Slug)},
		Config:  t.Config.JSON, Payload: t.Payload.JSON, Version: t.Version, NeedsEndpoint: t.NeedsEndpoint(),
	}
}

type listTriggerTypesRequest struct {
	Origin   string            `from:"origin" json:"-"`
	Toolkits values            `query:"toolkit_slugs" json:"-"`
	Versions versionsByToolkit `query:"toolkit_versions" json:"-"`
	Limit    limit             `query:"limit" json:"-"`
	Cursor   string            `query:"cursor" json:"-"`
}

func (a *api) listTriggerTypes(_ context.Context, caller tenant.Caller, in listTriggerTypesRequest) (pageResponse[triggerTypeResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[triggerTypeResponse]{}, err
	}
	types, info, err := slice(a.triggers.Types(caller, lowered(in.Toolkits)), at, in.Limit.clamp(20, 1000))
	if err != nil {
		return pageResponse[triggerTypeResponse]{}, err
	}
	return pageResponse[triggerTypeResponse]{
		Items:    mapped(types, func(t *catalog.TriggerType) triggerTypeResponse { return triggerTypeOf(t, in.Origin) }),
		pageInfo: info,
	}, nil
}

type listTriggerSlugsRequest struct{}

func (a *api) listTriggerSlugs(_ context.Context, caller tenant.Caller, _ listTriggerSlugsRequest) ([]string, error) {
	return mapped(a.triggers.Types(caller, nil), func(t *catalog.TriggerType) string { return t.Slug }), nil
}

type getTriggerTypeRequest struct {
	Origin   string            `from:"origin" json:"-"`
	Slug     string            `path:"slug" json:"-"`
	Versions versionsByToolkit `query:"toolkit_versions" json:"-"`
}

func (a *api) getTriggerType(_ context.Context, caller tenant.Caller, in getTriggerTypeRequest) (triggerTypeResponse, error) {
	t, err := a.triggers.Type(caller, in.Slug)
	if err != nil {
		return triggerTypeResponse{}, err
	}
	if err := checkVersion(t.Toolkit, "toolkit_versions", in.Versions.of(t.Toolkit.Slug)); err != nil {
		return triggerTypeResponse{}, err
	}
	return triggerTypeOf(t, in.Origin), nil
}
