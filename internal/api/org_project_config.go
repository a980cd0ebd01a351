package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// projectConfigResponse is a project's settings (API contract section 16). Flags of the contract that stand for a service of
// its own, such as sign-in to a dashboard, have the one value that is true of this server.
type projectConfigResponse struct {
	TwoFactor      bool   `json:"is_2FA_enabled"`
	MaskSecrets    bool   `json:"mask_secret_keys_in_connected_account"`
	LogVisibility  string `json:"log_visibility_setting"`
	RequireMCPKey  bool   `json:"require_mcp_api_key"`
	LinkForManaged bool   `json:"is_composio_link_enabled_for_managed_auth"`
	LogoURL        string `json:"logo_url,omitempty"`
	DisplayName    string `json:"display_name,omitempty"`

	// Beyond the contract.
	AccentColor     string   `json:"accent_color,omitempty"`
	LinkURL         string   `json:"link_url,omitempty"`
	VerifierURL     string   `json:"verifier_url,omitempty"`
	CallbackOrigins []string `json:"callback_origins"`
}

// storesNothing is log_visibility_setting of a server that keeps no arguments and no answers of calls.
const storesNothing = "dont_store_data"

func projectConfigOf(s tenant.Settings) projectConfigResponse {
	return projectConfigResponse{
		MaskSecrets: !s.ShowSecrets, LogVisibility: storesNothing, RequireMCPKey: true, LinkForManaged: true,
		LogoURL: s.LogoURL, DisplayName: s.DisplayName, AccentColor: s.AccentColor,
		LinkURL: s.LinkURL, VerifierURL: s.VerifierURL, CallbackOrigins: list(s.CallbackOrigins),
	}
}

type projectConfigRequest struct{}

func (a *api) getProjectConfig(ctx context.Context, caller tenant.Caller, _ projectConfigRequest) (projectConfigResponse, error) {
	settings, err := a.tenants.Settings(ctx, caller.ProjectID)
	return projectConfigOf(settings), err
}

type updateProjectConfigRequest struct {
	TwoFactor       *bool     `json:"is_2FA_enabled"`
	MaskSecrets     *bool     `json:"mask_secret_keys_in_connected_account"`
	LogVisibility   *string   `json:"log_visibility_setting"`
	RequireMCPKey   *bool     `json:"require_mcp_api_key"`
	LinkForManaged  *bool     `json:"is_composio_link_enabled_for_managed_auth"`
	LogoURL         *string   `json:"logo_url"`
	DisplayName     *string   `json:"display_name"`
	AccentColor     *string   `json:"accent_color"`
	LinkURL         *string   `json:"link_url"`
	VerifierURL     *string   `json:"verifier_url"`
	CallbackOrigins *[]string `json:"callback_origins"`
}

// updateProjectConfig changes what is named. "" and an empty list bring back what the operator chose for all.
func (a *api) updateProjectConfig(ctx context.Context, caller tenant.Caller, in updateProjectConfigRequest) (projectConfigResponse, error) {
	if faults := in.fixed(); len(faults) > 0 {
		return projectConfigResponse{}, invalidRequest(faults...)
	}
	settings, err := a.tenants.UpdateSettings(ctx, caller, func(s *tenant.Settings) {
		give(&s.LogoURL, in.LogoURL)
		give(&s.DisplayName, in.DisplayName)
		give(&s.AccentColor, in.AccentColor)
		give(&s.LinkURL, in.LinkURL)
		give(&s.VerifierURL, in.VerifierURL)
		give(&s.CallbackOrigins, in.CallbackOrigins)
		if in.MaskSecrets != nil {
			s.ShowSecrets = !*in.MaskSecrets
		}
	})
	if err != nil {
		return projectConfigResponse{}, err
	}
	return projectConfigOf(settings), nil
}

func give[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}

// fixed says which flags were asked to be what they cannot be here.
func (in updateProjectConfigRequest) fixed() (faults []string) {
	if in.TwoFactor != nil && *in.TwoFactor {
		faults = append(faults, "is_2FA_enabled: nobody signs in to this server with a password; it stays false")
	}
	if in.LogVisibility != nil && *in.LogVisibility != storesNothing {
		faults = append(faults, "log_visibility_setting: arguments and answers of calls are not kept; it stays "+storesNothing)
	}
	if in.RequireMCPKey != nil && !*in.RequireMCPKey {
		faults = append(faults, "require_mcp_api_key: MCP endpoints are never open; it stays true")
	}
	if in.LinkForManaged != nil && !*in.LinkForManaged {
		faults = append(faults, "is_composio_link_enabled_for_managed_auth: links work for every auth config; it stays true")
	}
	return faults
}
