package patchbay

import (
	"context"
	"iter"
	"net/url"
	"time"
)

// AuthConfigs says how the project's users connect their accounts, one toolkit at a time. Get it from a Client.
type AuthConfigs struct{ t *transport }

// AuthConfig is the project's way into one toolkit: its OAuth app, or simply that users bring keys.
type AuthConfig struct {
	ID          string     `json:"id"` // "ac_…"
	Name        string     `json:"name"`
	Toolkit     ToolkitRef `json:"toolkit"`
	Scheme      string     `json:"auth_scheme"`
	Managed     bool       `json:"is_composio_managed"` // the operator's OAuth app; no credentials of the project's own
	Status      string     `json:"status"`              // "ENABLED" or "DISABLED"
	Connections int        `json:"no_of_connections"`
	CreatedAt   time.Time  `json:"created_at"`
}

// NewAuthConfig describes an auth config to make. With no Scheme it is a managed one: the operator's OAuth app.
type NewAuthConfig struct {
	Toolkit     string
	Scheme      string // "OAUTH2", "API_KEY", …; empty: managed
	Name        string
	Credentials map[string]any // client_id, client_secret, scopes, …: what Toolkits.Get says
}

// Create makes an auth config. Of the answer only ID, Toolkit, Scheme and Managed are set.
func (s AuthConfigs) Create(ctx context.Context, n NewAuthConfig) (AuthConfig, error) {
	type config struct {
		Type        string         `json:"type"`
		Name        string         `json:"name,omitempty"`
		Scheme      string         `json:"authScheme,omitempty"`
		Credentials map[string]any `json:"credentials,omitempty"`
	}
	body := struct {
		Toolkit ToolkitRef `json:"toolkit"`
		Config  config     `json:"auth_config"`
	}{ToolkitRef{Slug: n.Toolkit}, config{"use_custom_auth", n.Name, n.Scheme, n.Credentials}}
	if n.Scheme == "" {
		body.Config.Type = "use_composio_managed_auth"
	}
	var answer struct {
		Toolkit ToolkitRef `json:"toolkit"`
		Config  AuthConfig `json:"auth_config"`
	}
	err := s.t.post(ctx, "/auth_configs", body, &answer)
	answer.Config.Toolkit = answer.Toolkit
	return answer.Config, err
}

// Get gives an auth config. Its credentials stay on the server.
func (s AuthConfigs) Get(ctx context.Context, id string) (AuthConfig, error) {
	var config AuthConfig
	escaped, err := segment("the auth config's id", id)
	if err != nil {
		return config, err
	}
	err = s.t.get(ctx, "/auth_configs/"+escaped, nil, &config)
	return config, err
}

// AuthConfigFilter narrows a list of auth configs; zero values do not filter.
type AuthConfigFilter struct {
	Toolkits     []string
	Search       string
	ShowDisabled bool
	Limit        int
	Cursor       string
}

func (f AuthConfigFilter) query() url.Values {
	query := queryOf("toolkit_slug", comma(f.Toolkits), "search", f.Search, "limit", number(f.Limit), "cursor", f.Cursor)
	if f.ShowDisabled {
		query.Set("show_disabled", "true")
	}
	return query
}

// List gives one page of auth configs, newest first.
func (s AuthConfigs) List(ctx context.Context, f AuthConfigFilter) (Page[AuthConfig], error) {
	return list[AuthConfig](ctx, s.t, "/auth_configs", f.query())
}

// All goes through all auth configs that match.
func (s AuthConfigs) All(ctx context.Context, f AuthConfigFilter) iter.Seq2[AuthConfig, error] {
	return all[AuthConfig](ctx, s.t, "/auth_configs", f.query())
}

// SetEnabled switches an auth config on or off. While it is off its accounts cannot be used.
func (s AuthConfigs) SetEnabled(ctx context.Context, id string, enabled bool) error {
	escaped, err := segment("the auth config's id", id)
	if err != nil {
		return err
	}
	status := "/DISABLED"
	if enabled {
		status = "/ENABLED"
	}
	return s.t.patch(ctx, "/auth_configs/"+escaped+status, nil, nil)
}

// Delete removes an auth config and the accounts that hang on it.
func (s AuthConfigs) Delete(ctx context.Context, id string) error {
	escaped, err := segment("the auth config's id", id)
	if err != nil {
		return err
	}
	return s.t.delete(ctx, "/auth_configs/"+escaped, nil)
}
