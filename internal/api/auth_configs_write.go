package api

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type createAuthConfigRequest struct {
	Toolkit    toolkitRef      `json:"toolkit"`
	AuthConfig *authConfigBody `json:"auth_config"` // absent: the operator's own OAuth app
}

type toolkitRef struct {
	Slug string `json:"slug"`
}

// authConfigBody is an auth config as create and update send it. The scheme's name is camel case here and snake case in
// answers; both are understood.
type authConfigBody struct {
	Type               string              `json:"type"`
	Name               *string             `json:"name"`
	SchemeCamel        string              `json:"authScheme"`
	SchemeSnake        string              `json:"auth_scheme"`
	Credentials        *credentialsBody    `json:"credentials"`
	Scopes             *scopeList          `json:"scopes"` // of a managed one
	UserScopes         *scopeList          `json:"user_scopes"`
	ProxyConfig        optional[proxyConf] `json:"proxy_config"`
	ToolAccess         *toolAccessBody     `json:"tool_access_config"`
	RestrictToTools    *[]string           `json:"restrict_to_following_tools"` // the older name of tools_available_for_execution
	SharedCredentials  *credentialsBody    `json:"shared_credentials"`
	EnabledForSessions *bool               `json:"is_enabled_for_tool_router"`
	VerifierURL        *string             `json:"verifier_url"`       // "" is the project's
	ExposeCredentials  *bool               `json:"expose_credentials"` // project keys may read its accounts' credentials
}

type proxyConf struct {
	URL string `json:"proxy_url"`
	Key string `json:"proxy_auth_key"`
}

type toolAccessBody struct {
	ForCreation  *[]string `json:"tools_for_connected_account_creation"`
	ForExecution *[]string `json:"tools_available_for_execution"`
}

// credentialsBody are the named values of a scheme, with the scopes among them.
type credentialsBody struct {
	Scopes, UserScopes *scopeList
	Fields             connect.Fields
}

func (c *credentialsBody) UnmarshalJSON(raw []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	c.Fields = make(connect.Fields)
	for name, member := range members {
		var err error
		switch name {
		case "scopes":
			err = json.Unmarshal(member, &c.Scopes)
		case "user_scopes":
			err = json.Unmarshal(member, &c.UserScopes)
		default:
			var text looseValue
			if err = text.UnmarshalJSON(member); text.given {
				c.Fields[name] = secret.Hide(text.text)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (credentialsBody) shape(path string, raw []byte) (faults, unknown []string) {
	switch kind := kindOf(raw); kind {
	case "null":
		return nil, nil
	case "object":
		faults, _ = walk(path, raw, reflect.TypeFor[struct {
			Scopes     scopeList `json:"scopes"`
			UserScopes scopeList `json:"user_scopes"`
		}]())
		return faults, nil
	default:
		return []string{fmt.Sprintf("%s: expected an object, got %s", path, got(kind))}, nil
	}
}

type createAuthConfigResponse struct {
	Toolkit    toolkitRef        `json:"toolkit"`
	AuthConfig createdAuthConfig `json:"auth_config"`
}

type createdAuthConfig struct {
	ID              string   `json:"id"`
	Scheme          string   `json:"auth_scheme"`
	IsManaged       bool     `json:"is_composio_managed"`
	RestrictToTools []string `json:"restrict_to_following_tools"`
}

func (a *api) createAuthConfig(ctx context.Context, caller tenant.Caller, in createAuthConfigRequest) (createAuthConfigResponse, error) {
	if in.Toolkit.Slug == "" {
		return createAuthConfigResponse{}, invalidRequest("toolkit.slug: is required")
	}
	config, err := in.AuthConfig.create(in.Toolkit.Slug)
	if err != nil {
		return createAuthConfigResponse{}, err
	}
	created, err := a.connect.CreateAuthConfig(ctx, caller, config)
	if err != nil {
		return createAuthConfigResponse{}, err
	}
	return createAuthConfigResponse{
		Toolkit: toolkitRef{created.Toolkit},
		AuthConfig: createdAuthConfig{
			ID: created.ID, Scheme: created.Scheme, IsManaged: created.Managed, RestrictToTools: list(created.ToolsForExecution),
		},
	}, nil
}

// create gives the auth config in the domain's words. One that says nothing about sessions is usable in them.
func (b *authConfigBody) create(toolkit string) (connect.NewAuthConfig, error) {
	if b == nil {
		return connect.NewAuthConfig{Toolkit: toolkit, Managed: true, EnabledForSessions: true}, nil
	}
	config := connect.NewAuthConfig{
		Toolkit:            toolkit,
		Scheme:             orText(b.SchemeCamel, b.SchemeSnake),
		EnabledForSessions: b.EnabledForSessions == nil || *b.EnabledForSessions,
		Scopes:             scopesIn(b.Scopes),
		UserScopes:         scopesIn(b.UserScopes),
		ProxyURL:           b.ProxyConfig.Value.URL,
		ProxyKey:           b.ProxyConfig.Value.Key,
		VerifierURL:        orZero(b.VerifierURL),
		ShowSecrets:        orZero(b.ExposeCredentials),
	}
	switch b.Type {
	case "use_composio_managed_auth", "default":
		config.Managed = true
	case "use_custom_auth", "custom":
	case "":
		config.Managed = config.Scheme == ""
	default:
		return connect.NewAuthConfig{}, invalidRequest(fmt.Sprintf("auth_config.type: expected use_custom_auth or use_composio_managed_auth, got %q", short(b.Type)))
	}
	if b.Name != nil {
		config.Name = *b.Name
	}
	if c := b.Credentials; c != nil {
		config.Credentials = c.Fields
		config.Scopes, config.UserScopes = scopesIn(firstGiven(c.Scopes, b.Scopes)), scopesIn(firstGiven(c.UserScopes, b.UserScopes))
	}
	if b.SharedCredentials != nil {
		config.Shared = b.SharedCredentials.Fields
	}
	creation, execution := b.tools()
	config.ToolsForCreation, config.ToolsForExecution = deref(creation), deref(execution)
	return config, nil
}

// tools gives the two lists of tools, nil where nothing is said.
func (b *authConfigBody) tools() (creation, execution *[]string) {
	execution = b.RestrictToTools
	if b.ToolAccess != nil {
		creation, execution = b.ToolAccess.ForCreation, firstGiven(b.ToolAccess.ForExecution, execution)
	}
	return creation, execution
}

type updateAuthConfigRequest struct {
	Origin string `from:"origin" json:"-"`
	ID     string `path:"nanoid" json:"-"`
	authConfigBody
}

func (a *api) updateAuthConfig(ctx context.Context, caller tenant.Caller, in updateAuthConfigRequest) (authConfigResponse, error) {
	config, err := a.connect.UpdateAuthConfig(ctx, caller, in.ID, in.patch())
	if err != nil {
		return authConfigResponse{}, err
	}
	return a.authConfigOf(caller, config, in.Origin), nil
}

func (b *authConfigBody) patch() connect.AuthConfigPatch {
	patch := connect.AuthConfigPatch{
		Name: b.Name, EnabledForSessions: b.EnabledForSessions, VerifierURL: b.VerifierURL, ShowSecrets: b.ExposeCredentials,
	}
	scopes, userScopes := b.Scopes, b.UserScopes
	if c := b.Credentials; c != nil {
		patch.Credentials = c.Fields
		scopes, userScopes = firstGiven(c.Scopes, scopes), firstGiven(c.UserScopes, userScopes)
	}
	patch.Scopes, patch.UserScopes = (*[]string)(scopes), (*[]string)(userScopes)
	if b.SharedCredentials != nil {
		patch.Shared = b.SharedCredentials.Fields
	}
	if b.ProxyConfig.Set { // null takes the proxy away
		patch.ProxyURL, patch.ProxyKey = &b.ProxyConfig.Value.URL, &b.ProxyConfig.Value.Key
	}
	patch.ToolsForCreation, patch.ToolsForExecution = b.tools()
	return patch
}

func scopesIn(s *scopeList) []string {
	if s == nil {
		return nil
	}
	return *s
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
