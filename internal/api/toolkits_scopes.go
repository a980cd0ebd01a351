package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type recommendedScopesRequest struct {
	Slug         string            `path:"toolkit_slug" json:"-"`
	Tools        []string          `json:"tools"`
	Scheme       string            `json:"auth_scheme"`
	Version      string            `json:"toolkit_version"`
	GrantContext map[string]string `json:"grant_context"` // no toolkit's scopes depend on any
	Include      []string          `json:"include"`
	Exclude      []string          `json:"exclude"`
	Available    []string          `json:"available_scopes"`
}

type recommendedScopesResponse struct {
	Scheme       string            `json:"auth_scheme"`
	Version      string            `json:"toolkit_version"`
	GrantContext map[string]string `json:"grant_context"`
	Scopes       recommendedScopes `json:"scopes"`
}

type recommendedScopes struct {
	LeastPrivilege []string   `json:"least_privilege"`
	Fewest         []string   `json:"fewest"`
	Conditional    []struct{} `json:"conditional"` // scopes that hang on a grant context: none
}

// recommendScopes says which scopes to ask for so that some tools of a toolkit can run: those that let them do the least, and
// the smallest number. Tools that no scope which may be asked for makes run are all named.
func (a *api) recommendScopes(_ context.Context, caller tenant.Caller, in recommendedScopesRequest) (recommendedScopesResponse, error) {
	tk, scheme, err := a.scopesOf(caller, in.Slug, in.Scheme, in.Version)
	if err != nil {
		return recommendedScopesResponse{}, err
	}
	if in.Tools == nil {
		return recommendedScopesResponse{}, invalidRequest("tools: is required, a list of tool slugs; an empty one means every tool of the toolkit")
	}
	tools, err := a.toolsNamed(caller, in.Tools, in.Version)
	if err != nil {
		return recommendedScopesResponse{}, err
	}
	if len(tools) == 0 {
		tools = tk.Tools
	}
	for i, tool := range tools {
		if tool.Toolkit.Slug != tk.Slug {
			return recommendedScopesResponse{}, invalidRequest(fmt.Sprintf("%s: %s is a tool of %s, not of %s", at("tools", i), tool.Slug, tool.Toolkit.Slug, tk.Slug))
		}
	}
	choice := catalog.ScopeChoice{Include: in.Include, Exclude: in.Exclude, Available: in.Available}
	least, outOfReach := choice.LeastScopes(tools)
	fewest, _ := choice.FewestScopes(tools)
	if len(outOfReach) > 0 {
		names := mapped(outOfReach, func(t *catalog.Tool) string { return t.Slug })
		return recommendedScopesResponse{}, fault.New(fault.Invalid, fault.SlugInvalid, "No scopes that may be asked for let these tools run: %s.", strings.Join(names, ", ")).
			WithFix("Leave them out, or allow the scopes they need in exclude and available_scopes: POST /api/v3.1/tools/scopes/required lists them.")
	}
	return recommendedScopesResponse{
		Scheme: scheme, Version: tk.Version, GrantContext: map[string]string{},
		Scopes: recommendedScopes{LeastPrivilege: list(least), Fewest: list(fewest), Conditional: []struct{}{}},
	}, nil
}

type grantContextRequest struct {
	Slug    string `path:"toolkit_slug" json:"-"`
	Scheme  string `query:"auth_scheme" json:"-"`
	Version string `query:"toolkit_version" json:"-"`
}

type grantContextResponse struct {
	Scheme     string            `json:"auth_scheme"`
	Version    string            `json:"toolkit_version"`
	Dimensions []struct{}        `json:"grant_context_dimensions"`
	Default    map[string]string `json:"default_grant_context"`
}

// grantContext says on what the scopes of a toolkit depend besides its tools. Declarations have nothing of that kind.
func (a *api) grantContext(_ context.Context, caller tenant.Caller, in grantContextRequest) (grantContextResponse, error) {
	tk, scheme, err := a.scopesOf(caller, in.Slug, in.Scheme, in.Version)
	if err != nil {
		return grantContextResponse{}, err
	}
	return grantContextResponse{Scheme: scheme, Version: tk.Version, Dimensions: []struct{}{}, Default: map[string]string{}}, nil
}

// scopesOf finds a toolkit, and the scheme whose scopes are meant: the one that is named, or the first that has any.
func (a *api) scopesOf(caller tenant.Caller, slug, scheme, version string) (*catalog.Toolkit, string, error) {
	snapshot := a.catalog.Snapshot(caller.ProjectID)
	tk, ok := snapshot.Toolkit(slug)
	if !ok {
		return nil, "", toolkitNotFound(snapshot, slug)
	}
	if err := checkVersion(tk, "toolkit_version", version); err != nil {
		return nil, "", err
	}
	offered := a.connect.Schemes(tk)
	for _, s := range offered {
		if scheme == "" && s.OAuth2 != nil || scheme != "" && strings.EqualFold(s.Mode, scheme) {
			return tk, s.Mode, nil
		}
	}
	switch {
	case scheme != "":
		modes := mapped(offered, func(s catalog.AuthScheme) string { return s.Mode })
		return nil, "", invalidRequest(fmt.Sprintf("auth_scheme: %s has no scheme %q; it has %s", tk.Slug, short(scheme), strings.Join(modes, ", ")))
	case len(offered) > 0:
		return tk, offered[0].Mode, nil
	default:
		return tk, connect.NoAuth, nil
	}
}
