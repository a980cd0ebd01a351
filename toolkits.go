package patchbay

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// Toolkits finds the apps that the server knows. Get it from a Client.
type Toolkits struct{ t *transport }

// Toolkit is an app with tools.
type Toolkit struct {
	Slug           string       `json:"slug"`
	Name           string       `json:"name"`
	NoAuth         bool         `json:"no_auth"`                       // its tools need no account
	AuthSchemes    []string     `json:"auth_schemes"`                  // how accounts can be connected; in lists only
	ManagedSchemes []string     `json:"composio_managed_auth_schemes"` // those that need no auth config, because the operator registered an app
	Meta           ToolkitMeta  `json:"meta"`
	AuthDetails    []AuthDetail `json:"auth_config_details"` // only from Get
	BaseURL        string       `json:"base_url"`            // only from Get
}

// ToolkitMeta describes a toolkit.
type ToolkitMeta struct {
	Description string `json:"description"`
	Logo        string `json:"logo"`
	AppURL      string `json:"app_url"`
	Version     string `json:"version"`
	Tools       int    `json:"tools_count"`
	Triggers    int    `json:"triggers_count"`

	Versions []string `json:"available_versions"` // newest first; only from Get
	Pinned   string   `json:"pinned_version"`     // the one that the project is kept at; only from Get, empty when it follows the newest
}

// AuthDetail says what one way of connecting needs.
type AuthDetail struct {
	Mode   string `json:"mode"` // "OAUTH2", "API_KEY", …
	Name   string `json:"name"`
	Fields struct {
		Config  AuthFields `json:"auth_config_creation"`         // of an auth config
		Account AuthFields `json:"connected_account_initiation"` // of each account
	} `json:"fields"`
}

// AuthFields are the values that something needs or takes.
type AuthFields struct {
	Required []AuthField `json:"required"`
	Optional []AuthField `json:"optional"`
}

// AuthField is one of them.
type AuthField struct {
	Name        string `json:"name"`
	Title       string `json:"displayName"`
	Description string `json:"description"`
	Secret      bool   `json:"is_secret"`
}

// ToolkitFilter narrows a list of toolkits; zero values do not filter.
type ToolkitFilter struct {
	Category string
	Search   string
	Limit    int
	Cursor   string
}

func (f ToolkitFilter) query() url.Values {
	return queryOf("category", f.Category, "search", f.Search, "limit", number(f.Limit), "cursor", f.Cursor)
}

// List gives one page of toolkits, the most used first.
func (s Toolkits) List(ctx context.Context, f ToolkitFilter) (Page[Toolkit], error) {
	return list[Toolkit](ctx, s.t, "/toolkits", f.query())
}

// All goes through all toolkits that match.
func (s Toolkits) All(ctx context.Context, f ToolkitFilter) iter.Seq2[Toolkit, error] {
	return all[Toolkit](ctx, s.t, "/toolkits", f.query())
}

// Get gives a toolkit with what its ways of connecting need.
func (s Toolkits) Get(ctx context.Context, slug string) (Toolkit, error) {
	var toolkit Toolkit
	escaped, err := segment("the toolkit's slug", slug)
	if err != nil {
		return toolkit, err
	}
	err = s.t.get(ctx, "/toolkits/"+escaped, nil, &toolkit)
	return toolkit, err
}

// Pin keeps the project at one version of a toolkit; "latest" lets it follow the newest again. It gives the version in force.
func (s Toolkits) Pin(ctx context.Context, slug, version string) (string, error) {
	escaped, err := segment("the toolkit's slug", slug)
	if err != nil {
		return "", err
	}
	var answer struct {
		Version string `json:"version"`
	}
	err = s.t.do(ctx, request{method: http.MethodPut, path: "/toolkits/" + escaped + "/pin", body: map[string]string{"version": version}}, &answer)
	return answer.Version, err
}
