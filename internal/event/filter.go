package event

import (
	"fmt"
	"slices"
	"strings"
)

// Filter picks events. An event passes when each list that is not empty has its value; the zero Filter passes everything.
// Toolkits and trigger slugs are compared whatever their case.
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
	return passes(f.Types, e.Type) && passesFolded(f.Toolkits, e.Toolkit) && passesFolded(f.TriggerSlugs, e.TriggerSlug) &&
		passes(f.TriggerIDs, e.TriggerID) && passes(f.UserIDs, e.UserID) && passes(f.AccountIDs, e.AccountID) &&
		passes(f.AuthConfigs, e.AuthConfigID)
}

func passes[T comparable](among []T, value T) bool {
	return len(among) == 0 || slices.Contains(among, value)
}

func passesFolded(among []string, value string) bool {
	return len(among) == 0 || slices.ContainsFunc(among, func(one string) bool { return strings.EqualFold(one, value) })
}

// mostValues bounds each list of a filter: a subscription for more users than that wants all of them.
const mostValues = 500

func (f Filter) faults() []string {
	var faults []string
	for name, values := range map[string][]string{
		"toolkit_slugs": f.Toolkits, "trigger_slugs": f.TriggerSlugs, "trigger_ids": f.TriggerIDs, "user_ids": f.UserIDs,
		"connected_account_ids": f.AccountIDs, "auth_config_ids": f.AuthConfigs,
	} {
		if len(values) > mostValues {
			faults = append(faults, fmt.Sprintf("%s: more than %d values", name, mostValues))
		}
	}
	slices.Sort(faults)
	return faults
}
