package event

import "slices"

// Filter picks events. An event passes when each list that is not empty has its value; the zero Filter passes everything.
type Filter struct {
	Types        []Type   `json:"types,omitempty"`
	Toolkits     []string `json:"toolkits,omitempty"`
	TriggerSlugs []string `json:"trigger_slugs,omitempty"`
	TriggerIDs   []string `json:"trigger_ids,omitempty"`
	UserIDs      []string `json:"user_ids,omitempty"`
	AccountIDs   []string `json:"connected_account_ids,omitempty"`
	AuthConfigs  []string `json:"auth_config_ids,omitempty"`
}

// Passes reports whether the filter lets an event through.
func (f Filter) Passes(e Event) bool {
	return passes(f.Types, e.Type) && passes(f.Toolkits, e.Toolkit) && passes(f.TriggerSlugs, e.TriggerSlug) &&
		passes(f.TriggerIDs, e.TriggerID) && passes(f.UserIDs, e.UserID) && passes(f.AccountIDs, e.AccountID) &&
		passes(f.AuthConfigs, e.AuthConfigID)
}

func passes[T comparable](among []T, value T) bool {
	return len(among) == 0 || slices.Contains(among, value)
}
