package patchbay

import "context"

// Project reads and changes the settings of the project that the key belongs to. Get it from a Client.
type Project struct{ t *transport }

// ProjectSettings are how a project's Connect pages look, where its links lead, and who may read credentials. What the project does
// not choose is as the server's operator chose it.
type ProjectSettings struct {
	DisplayName     string   `json:"display_name"`
	LogoURL         string   `json:"logo_url"`
	AccentColor     string   `json:"accent_color"`     // "#rrggbb"
	LinkURL         string   `json:"link_url"`         // put in front of /link/{token}
	VerifierURL     string   `json:"verifier_url"`     // asked who signed in
	CallbackOrigins []string `json:"callback_origins"` // the only places that links lead back to; empty: anywhere
	MaskSecrets     bool     `json:"mask_secret_keys_in_connected_account"`
}

// ProjectChange is what is to be changed: nil leaves what is, "" and an empty list bring back what the operator chose.
type ProjectChange struct {
	DisplayName     *string   `json:"display_name,omitempty"`
	LogoURL         *string   `json:"logo_url,omitempty"`
	AccentColor     *string   `json:"accent_color,omitempty"`
	LinkURL         *string   `json:"link_url,omitempty"`
	VerifierURL     *string   `json:"verifier_url,omitempty"`
	CallbackOrigins *[]string `json:"callback_origins,omitempty"`
	MaskSecrets     *bool     `json:"mask_secret_keys_in_connected_account,omitempty"`
}

// Settings gives the settings that are in force.
func (s Project) Settings(ctx context.Context) (ProjectSettings, error) {
	var settings ProjectSettings
	err := s.t.get(ctx, "/org/project/config", nil, &settings)
	return settings, err
}

// Update changes settings, and gives those that are in force then.
func (s Project) Update(ctx context.Context, change ProjectChange) (ProjectSettings, error) {
	var settings ProjectSettings
	err := s.t.patch(ctx, "/org/project/config", change, &settings)
	return settings, err
}
