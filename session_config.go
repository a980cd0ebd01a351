package patchbay

import (
	"encoding/json"
	"fmt"
	"slices"
)

// SessionConfig is a session's policy as the server keeps it.
type SessionConfig struct {
	UserID            string                `json:"user_id"`
	Toolkits          *Filter               `json:"toolkits"` // nil: every toolkit
	Tools             map[string]ToolPolicy `json:"tools"`
	Tags              *Filter               `json:"tags"`
	AuthConfigs       map[string]string     `json:"auth_configs"`
	ConnectedAccounts map[string][]string   `json:"connected_accounts"`
	Preload           Preload               `json:"preload"`
	Search            Switch                `json:"search"`
	Execute           ExecuteSwitch         `json:"execute"`
}

// Filter allows only the names in Enable, or all but those in Disable. Set one of the two.
type Filter struct {
	Enable  []string `json:"enable,omitempty"`
	Disable []string `json:"disable,omitempty"`
}

// UnmarshalJSON reads both words that the API uses: "enable" in requests, "enabled" in answers.
func (f *Filter) UnmarshalJSON(content []byte) error {
	var wire filterWire
	err := json.Unmarshal(content, &wire)
	*f = wire.filter()
	return err
}

// ToolPolicy narrows the tools of one toolkit: by slug, or by what they do. Set one of the three.
type ToolPolicy struct {
	Enable  []string `json:"enable,omitempty"`
	Disable []string `json:"disable,omitempty"`
	Tags    *Filter  `json:"tags,omitempty"`
}

// UnmarshalJSON reads both words that the API uses, like Filter's.
func (p *ToolPolicy) UnmarshalJSON(content []byte) error {
	var wire struct {
		filterWire
		Tags *Filter `json:"tags"`
	}
	err := json.Unmarshal(content, &wire)
	f := wire.filter()
	*p = ToolPolicy{Enable: f.Enable, Disable: f.Disable, Tags: wire.Tags}
	return err
}

type filterWire struct {
	Enable   []string `json:"enable"`
	Enabled  []string `json:"enabled"`
	Disable  []string `json:"disable"`
	Disabled []string `json:"disabled"`
}

func (w filterWire) filter() Filter {
	return Filter{Enable: slices.Concat(w.Enable, w.Enabled), Disable: slices.Concat(w.Disable, w.Disabled)}
}

// ManageConnections says whether the agent may connect accounts by itself.
type ManageConnections struct {
	Enable      bool   `json:"enable"`
	CallbackURL string `json:"callback_url,omitempty"` // where users go after connecting
	Wait        bool   `json:"enable_wait_for_connections,omitempty"`
	Removal     *bool  `json:"enable_connection_removal,omitempty"` // nil: allowed
}

// MultiAccount lets the user have several accounts of one toolkit in the session.
type MultiAccount struct {
	Enable          bool `json:"enable"`
	Max             int  `json:"max_accounts_per_toolkit,omitempty"` // 2 to 10; 0: 5
	RequireExplicit bool `json:"require_explicit_selection,omitempty"`
}

// Switch turns something on or off.
type Switch struct {
	Enable bool `json:"enable"`
}

// ExecuteSwitch says whether the agent may run several tools in one call.
type ExecuteSwitch struct {
	Multi bool `json:"enable_multi_execute"`
}

// Workbench is the sandbox's policy.
type Workbench struct {
	Enable           bool `json:"enable"`
	ProxyExecution   bool `json:"enable_proxy_execution"`
	OffloadThreshold int  `json:"auto_offload_threshold,omitempty"` // characters; 0: the server's default
}

// Preload names the app tools that an agent sees from the beginning, besides the tools that find tools.
type Preload struct {
	All   bool // all that the filters allow
	Tools []string
}

// MarshalJSON writes the API's form: {"tools": "all"} or {"tools": […]}.
func (p Preload) MarshalJSON() ([]byte, error) {
	if p.All {
		return []byte(`{"tools":"all"}`), nil
	}
	tools := p.Tools
	if tools == nil {
		tools = []string{}
	}
	return json.Marshal(map[string][]string{"tools": tools})
}

// UnmarshalJSON reads the API's form.
func (p *Preload) UnmarshalJSON(content []byte) error {
	var wire struct {
		Tools json.RawMessage `json:"tools"`
	}
	if err := json.Unmarshal(content, &wire); err != nil {
		return err
	}
	*p = Preload{}
	switch {
	case len(wire.Tools) == 0 || string(wire.Tools) == "null":
		return nil
	case wire.Tools[0] == '"':
		var word string
		if err := json.Unmarshal(wire.Tools, &word); err != nil {
			return err
		}
		if word != "all" {
			return fmt.Errorf("preload.tools is %q, not a list or \"all\"", word)
		}
		p.All = true
		return nil
	}
	return json.Unmarshal(wire.Tools, &p.Tools)
}
