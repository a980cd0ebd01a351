package api

import (
	"context"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type getToolkitRequest struct {
	Origin  string `from:"origin" json:"-"`
	Slug    string `path:"slug" json:"-"`
	Version string `query:"version" json:"-"`
}

// toolkitDetail is one toolkit with all that is needed to connect an account of it.
type toolkitDetail struct {
	Slug                string                  `json:"slug"`
	Name                string                  `json:"name"`
	Type                string                  `json:"type"`
	Enabled             bool                    `json:"enabled"`
	ManagedSchemes      []string                `json:"composio_managed_auth_schemes"`
	ManagedAuth         []managedAuth           `json:"composio_managed_auth"`
	IsLocal             bool                    `json:"is_local_toolkit"`
	AuthConfigDetails   []schemeDetail          `json:"auth_config_details"`
	AuthGuideURL        *string                 `json:"auth_guide_url"`
	BaseURL             string                  `json:"base_url,omitempty"`
	Meta                toolkitDetailMeta       `json:"meta"`
	CurrentUserEndpoint string                  `json:"get_current_user_endpoint,omitempty"`
	CurrentUserMethod   string                  `json:"get_current_user_endpoint_method,omitempty"`
	Deprecated          deprecatedToolkitDetail `json:"deprecated"`
}

type managedAuth struct {
	Mode       string           `json:"mode"`
	Scopes     availableScopes  `json:"scopes"`
	UserScopes *availableScopes `json:"user_scopes,omitempty"`
}

type availableScopes struct {
	Available []string `json:"available"`
}

// schemeDetail is one way to connect: what an auth config needs, and what each account needs.
type schemeDetail struct {
	Mode        string       `json:"mode"`
	Name        string       `json:"name"`
	AuthHintURL *string      `json:"auth_hint_url"`
	Guide       string       `json:"guide,omitempty"` // how to get what the fields ask for, Markdown
	Proxy       *schemeProxy `json:"proxy,omitempty"`
	Fields      schemeFields `json:"fields"`
}

type schemeProxy struct {
	BaseURL string `json:"base_url"`
}

type schemeFields struct {
	AuthConfigCreation         fieldGroup `json:"auth_config_creation"`
	ConnectedAccountInitiation fieldGroup `json:"connected_account_initiation"`
}

type fieldGroup struct {
	Required []fieldResponse `json:"required"`
	Optional []fieldResponse `json:"optional"`
}

type fieldResponse struct {
	Name        string  `json:"name"`
	DisplayName string  `json:"displayName"`
	Description string  `json:"description"`
	Type        string  `json:"type"`
	Required    bool    `json:"required"`
	Default     *string `json:"default"`
	IsSecret    bool    `json:"is_secret"`
}

type toolkitDetailMeta struct {
	toolkitMetaFacts
	Categories        []categoryDetail `json:"categories"`
	AvailableVersions []string         `json:"available_versions"`
	PinnedVersion     *string          `json:"pinned_version"` // beyond the contract; null when the project follows the newest
}

type categoryDetail struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

type deprecatedToolkitDetail struct {
	ToolkitID    string     `json:"toolkitId"`
	RawProxyInfo []struct{} `json:"rawProxyInfoByAuthSchemes"`
}

func (a *api) getToolkit(_ context.Context, caller tenant.Caller, in getToolkitRequest) (toolkitDetail, error) {
	snapshot, err := a.at(caller, plainVersion, map[string]string{in.Slug: in.Version})
	if err != nil {
		return toolkitDetail{}, err
	}
	tk, ok := snapshot.Toolkit(in.Slug)
	if !ok {
		return toolkitDetail{}, toolkitNotFound(snapshot, in.Slug)
	}
	out := toolkitDetail{
		Slug: tk.Slug, Name: tk.Name, Type: toolkitType(tk), Enabled: true,
		ManagedSchemes:    list(a.connect.ManagedSchemes(tk.Slug)),
		ManagedAuth:       a.managedAuthOf(tk),
		AuthConfigDetails: mapped(a.connect.Schemes(tk), func(s catalog.AuthScheme) schemeDetail { return schemeDetailOf(tk, s) }),
		AuthGuideURL:      orNull(tk.Docs),
		BaseURL:           baseURLOf(tk),
		Meta: toolkitDetailMeta{
			toolkitMetaFacts:  toolkitMetaOf(tk, in.Origin),
			Categories:        mapped(tk.Categories, func(c catalog.Category) categoryDetail { return categoryDetail{c.ID, c.Name} }),
			AvailableVersions: versionsOf(tk),
			PinnedVersion:     orNull(a.catalog.Pins(caller.ProjectID)[tk.Slug]),
		},
		Deprecated: deprecatedToolkitDetail{ToolkitID: tk.Slug, RawProxyInfo: []struct{}{}},
	}
	if tk.Identity != nil {
		out.CurrentUserEndpoint, out.CurrentUserMethod = tk.Identity.Path, tk.Identity.Method
	}
	return out, nil
}

func (a *api) managedAuthOf(tk *catalog.Toolkit) []managedAuth {
	out := []managedAuth{}
	for _, mode := range a.connect.ManagedSchemes(tk.Slug) {
		managed := managedAuth{Mode: mode, Scopes: availableScopes{[]string{}}}
		if scheme, ok := tk.Scheme(mode); ok && scheme.OAuth2 != nil {
			managed.Scopes.Available = list(scheme.OAuth2.AvailableScopes)
			if scheme.OAuth2.UserScopeParam != "" {
				managed.UserScopes = &availableScopes{list(scheme.OAuth2.DefaultUser)}
			}
		}
		out = append(out, managed)
	}
	return out
}

func schemeDetailOf(tk *catalog.Toolkit, s catalog.AuthScheme) schemeDetail {
	out := schemeDetail{
		Mode: s.Mode, Name: tk.Slug + "_" + strings.ToLower(s.Mode), AuthHintURL: orNull(hintURL(s)), Guide: s.Guide,
		Fields: schemeFields{
			AuthConfigCreation:         fieldGroupOf(s.ConfigFields),
			ConnectedAccountInitiation: fieldGroupOf(s.AccountFields),
		},
	}
	if base := baseURLOf(tk); base != "" {
		out.Proxy = &schemeProxy{base}
	}
	return out
}

// hintURL is the first page that explains where to find a value.
func hintURL(s catalog.AuthScheme) string {
	for _, fields := range [][]catalog.Field{s.ConfigFields, s.AccountFields} {
		for _, f := range fields {
			if f.Help != "" {
				return f.Help
			}
		}
	}
	return ""
}

func fieldGroupOf(fields []catalog.Field) fieldGroup {
	group := fieldGroup{Required: []fieldResponse{}, Optional: []fieldResponse{}}
	for _, f := range fields {
		if f.Required {
			group.Required = append(group.Required, fieldOf(f))
		} else {
			group.Optional = append(group.Optional, fieldOf(f))
		}
	}
	return group
}

func fieldOf(f catalog.Field) fieldResponse {
	return fieldResponse{
		Name: f.Name, DisplayName: orText(f.Title, f.Name), Description: f.Description, Type: fieldType(f.Type),
		Required: f.Required, Default: orNull(f.Default), IsSecret: f.Secret,
	}
}

// fieldType gives the contract's type of a field: a URL is a string there.
func fieldType(t string) string {
	if t == "number" || t == "boolean" {
		return t
	}
	return "string"
}

func baseURLOf(tk *catalog.Toolkit) string {
	if tk.BaseURL == nil {
		return ""
	}
	return tk.BaseURL.String()
}
