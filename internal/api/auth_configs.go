package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// authConfigResponse is an auth config as get, list and update answer it (API contract section 9).
type authConfigResponse struct {
	ID                  string            `json:"id"`
	UUID                string            `json:"uuid"`
	Type                string            `json:"type"`
	Toolkit             authConfigToolkit `json:"toolkit"`
	Name                string            `json:"name"`
	Scheme              string            `json:"auth_scheme"`
	IsManaged           bool              `json:"is_composio_managed"`
	Credentials         map[string]any    `json:"credentials"`
	ProxyConfig         *proxyConfigView  `json:"proxy_config"`
	Status              string            `json:"status"`
	CreatedAt           string            `json:"created_at"`
	LastUpdatedAt       string            `json:"last_updated_at"`
	Connections         int               `json:"no_of_connections"`
	ExpectedInputFields []fieldResponse   `json:"expected_input_fields"`
	RestrictToTools     []string          `json:"restrict_to_following_tools"` // the older name of the list below
	ToolAccess          toolAccessView    `json:"tool_access_config"`
	SharedCredentials   map[string]string `json:"shared_credentials"`
	EnabledForSessions  bool              `json:"is_enabled_for_tool_router"`
	VerifierURL         string            `json:"verifier_url,omitempty"`
	ExposeCredentials   bool              `json:"expose_credentials"`
	RequestedScopes     []string          `json:"requested_scopes"` // what users are asked for
}

type authConfigToolkit struct {
	Slug string `json:"slug"`
	Logo string `json:"logo"`
}

type proxyConfigView struct {
	URL string `json:"proxy_url"`
	Key string `json:"proxy_auth_key,omitempty"`
}

type toolAccessView struct {
	ForCreation  []string `json:"tools_for_connected_account_creation"`
	ForExecution []string `json:"tools_available_for_execution"`
}

type listAuthConfigsRequest struct {
	Origin       string `from:"origin" json:"-"`
	Toolkits     values `query:"toolkit_slug" json:"-"`
	Managed      *bool  `query:"is_composio_managed" json:"-"`
	ShowDisabled *bool  `query:"show_disabled" json:"-"`
	Search       string `query:"search" json:"-"`
	Limit        limit  `query:"limit" json:"-"`
	Cursor       string `query:"cursor" json:"-"`
}

func (a *api) listAuthConfigs(ctx context.Context, caller tenant.Caller, in listAuthConfigsRequest) (pageResponse[authConfigResponse], error) {
	at, err := parseCursor(in.Cursor)
	if err != nil {
		return pageResponse[authConfigResponse]{}, err
	}
	size := in.Limit.clamp(20, 1000)
	configs, page, err := a.connect.ListAuthConfigs(ctx, caller, connect.AuthConfigFilter{
		Toolkits: lowered(in.Toolkits), Managed: in.Managed, ShowDisabled: in.ShowDisabled != nil && *in.ShowDisabled,
		Search: in.Search, Limit: size, Cursor: at.from,
	})
	if err != nil {
		return pageResponse[authConfigResponse]{}, err
	}
	return pageResponse[authConfigResponse]{
		Items:    mapped(configs, func(c connect.AuthConfig) authConfigResponse { return a.authConfigOf(caller, c, in.Origin) }),
		pageInfo: infoOf(at, size, page),
	}, nil
}

type authConfigRequest struct {
	Origin string `from:"origin" json:"-"`
	ID     string `path:"nanoid" json:"-"`
}

func (a *api) getAuthConfig(ctx context.Context, caller tenant.Caller, in authConfigRequest) (authConfigResponse, error) {
	config, err := a.connect.AuthConfig(ctx, caller, in.ID)
	if err != nil {
		return authConfigResponse{}, err
	}
	return a.authConfigOf(caller, config, in.Origin), nil
}

type deleteAuthConfigRequest struct {
	ID     string `path:"nanoid" json:"-"`
	Revoke *bool  `query:"revoke_on_delete" json:"-"` // grants are ended at the provider in any case
}

// revocationResponse says what became of grants at their provider. Ending them is done by the time of the answer: there is no
// job to ask for.
type revocationResponse struct {
	RevokedTokens []string `json:"revoked_tokens"`
	Message       string   `json:"message,omitempty"`
}

func (a *api) deleteAuthConfig(ctx context.Context, caller tenant.Caller, in deleteAuthConfigRequest) (revocationResponse, error) {
	revocation, err := a.connect.DeleteAuthConfig(ctx, caller, in.ID)
	if err != nil {
		return revocationResponse{}, err
	}
	return revocationResponse{RevokedTokens: list(revocation.Tokens), Message: revocation.Note}, nil
}

type authConfigStatusRequest struct {
	Origin string `from:"origin" json:"-"`
	ID     string `path:"nanoid" json:"-"`
	Status string `path:"status" json:"-"`
}

func (a *api) setAuthConfigStatus(ctx context.Context, caller tenant.Caller, in authConfigStatusRequest) (authConfigResponse, error) {
	enabled := strings.EqualFold(in.Status, "ENABLED")
	if !enabled && !strings.EqualFold(in.Status, "DISABLED") {
		return authConfigResponse{}, invalidRequest(fmt.Sprintf("status: expected ENABLED or DISABLED, got %q", short(in.Status)))
	}
	config, err := a.connect.UpdateAuthConfig(ctx, caller, in.ID, connect.AuthConfigPatch{Enabled: &enabled})
	if err != nil {
		return authConfigResponse{}, err
	}
	return a.authConfigOf(caller, config, in.Origin), nil
}

func (a *api) authConfigOf(caller tenant.Caller, c connect.AuthConfig, origin string) authConfigResponse {
	out := authConfigResponse{
		ID: c.ID, UUID: uuidOf(c.ID), Type: "custom", Toolkit: authConfigToolkit{c.Toolkit, logoURL(origin, c.Toolkit)},
		Name: c.Name, Scheme: c.Scheme, IsManaged: c.Managed,
		Credentials:         make(map[string]any),
		Status:              "ENABLED",
		CreatedAt:           timestamp(c.CreatedAt),
		LastUpdatedAt:       timestamp(c.UpdatedAt),
		Connections:         c.Connections,
		ExpectedInputFields: a.expectedFields(caller, c),
		RestrictToTools:     list(c.ToolsForExecution),
		ToolAccess:          toolAccessView{list(c.ToolsForCreation), list(c.ToolsForExecution)},
		SharedCredentials:   a.connect.PublicShared(caller, c),
		EnabledForSessions:  c.EnabledForSessions,
		VerifierURL:         c.VerifierURL,
		ExposeCredentials:   c.ShowSecrets,
		RequestedScopes:     list(a.connect.Scopes(caller, c)),
	}
	if c.Managed {
		out.Type = "default"
	}
	if !c.Enabled {
		out.Status = "DISABLED"
	}
	for name, text := range a.connect.PublicCredentials(caller, c) {
		out.Credentials[name] = text
	}
	if len(c.Scopes) > 0 {
		out.Credentials["scopes"] = c.Scopes
	}
	if len(c.UserScopes) > 0 {
		out.Credentials["user_scopes"] = c.UserScopes
	}
	if c.ProxyURL != "" {
		out.ProxyConfig = &proxyConfigView{URL: c.ProxyURL}
		if !c.ProxyKey.Empty() {
			out.ProxyConfig.Key = connect.Redacted
		}
	}
	return out
}

// expectedFields are what each account of an auth config has to give.
func (a *api) expectedFields(caller tenant.Caller, c connect.AuthConfig) []fieldResponse {
	tk, ok := a.catalog.Snapshot(caller.ProjectID).Toolkit(c.Toolkit)
	if !ok {
		return []fieldResponse{}
	}
	for _, scheme := range a.connect.Schemes(tk) {
		if scheme.Mode == c.Scheme {
			return mapped(scheme.AccountFields, fieldOf)
		}
	}
	return []fieldResponse{}
}

// uuidOf makes the second name that the contract requires of an auth config. It is derived, so it stays the same.
func uuidOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // RFC 9562: version 8, our own making
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func lowered(slugs []string) []string { return mapped(slugs, strings.ToLower) }
