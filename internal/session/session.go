package session

import (
	"cmp"
	"encoding/json"
	"time"
)

// Session is one user's workspace. It does not end by itself unless it was given a time to live.
type Session struct {
	ID        string // trs_…
	ProjectID string
	UserID    string // opaque, chosen by the application
	Config    Config
	Version   int    // raised by every update; the lock of expected_config_version
	TokenHash string // hex SHA-256 of the session's bearer token
	CreatedAt time.Time
	UpdatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Config is the stored policy of a session, in the domain's own words; the API's two vocabularies (contract section 6.1)
// are translated at the edge.
type Config struct {
	Toolkits          *ToolkitFilter        `json:"toolkits,omitempty"` // nil: every toolkit
	Tools             map[string]ToolFilter `json:"tools,omitempty"`    // by toolkit slug
	Tags              *TagFilter            `json:"tags,omitempty"`
	AuthConfigs       map[string]string     `json:"auth_configs,omitempty"`
	ConnectedAccounts map[string][]string   `json:"connected_accounts,omitempty"`
	ToolkitVersions   map[string]string     `json:"toolkit_versions,omitempty"`
	ManageConnections ManageConnections     `json:"manage_connections"`
	Workbench         Workbench             `json:"workbench"`
	MultiAccount      MultiAccount          `json:"multi_account"`
	Preload           Preload               `json:"preload"`
	Search            bool                  `json:"search"`
	MultiExecute      bool                  `json:"multi_execute"`
	Timezone          string                `json:"timezone,omitempty"`
	LinkURLOverwrite  string                `json:"link_url_overwrite,omitempty"`
	Permissions       json.RawMessage       `json:"permissions,omitempty"` // kept and echoed
}

// ToolkitFilter allows only Enable, or all but Disable. An Enable that is empty but not nil allows none.
type ToolkitFilter struct {
	Enable  []string `json:"enable,omitempty"`
	Disable []string `json:"disable,omitempty"`
	Only    bool     `json:"only"` // Enable is meant, even when it is empty
}

// ToolFilter narrows one toolkit: an explicit list beats tags; tags replace the session's own for this toolkit.
type ToolFilter struct {
	Enable  []string   `json:"enable,omitempty"`
	Disable []string   `json:"disable,omitempty"`
	Only    bool       `json:"only"`
	Tags    *TagFilter `json:"tags,omitempty"`
}

// TagFilter keeps tools that carry one of Enable (when given) and none of Disable.
type TagFilter struct {
	Enable  []string `json:"enable,omitempty"`
	Disable []string `json:"disable,omitempty"`
}

// ManageConnections says whether the agent may handle connections itself.
type ManageConnections struct {
	Enable       bool   `json:"enable"`
	CallbackURL  string `json:"callback_url,omitempty"`
	Wait         bool   `json:"wait"`    // adds COMPOSIO_WAIT_FOR_CONNECTIONS
	AllowRemoval bool   `json:"removal"` // the agent may remove connections
	// OnCall says that a call which finds no account starts a connection and answers its link, for sessions that list only the
	// apps' tools.
	OnCall bool `json:"on_call,omitempty"`
}

// Workbench is the sandbox's policy. The values are kept and echoed even where no sandbox exists.
type Workbench struct {
	Enable           bool   `json:"enable"`
	ProxyExecution   bool   `json:"proxy_execution"`
	OffloadThreshold int    `json:"offload_threshold,omitempty"` // characters; 0: the server's default
	Size             string `json:"size,omitempty"`
}

// MultiAccount lets a user have several accounts of one toolkit in the session.
type MultiAccount struct {
	Enable          bool `json:"enable"`
	Max             int  `json:"max,omitempty"` // per toolkit, 2 to 10; 0: 5
	RequireExplicit bool `json:"require_explicit,omitempty"`
}

// Preload names the app tools that are listed beside the meta tools: some, or all that the filters allow.
type Preload struct {
	All   bool     `json:"all,omitempty"`
	Tools []string `json:"tools,omitempty"`
}

// Revision is one stored version of a session's configuration.
type Revision struct {
	SessionID string
	Version   int
	Config    Config
	CreatedAt time.Time
}

// DefaultConfig is the configuration of a session about which nothing was said.
func DefaultConfig() Config {
	return Config{
		ManageConnections: ManageConnections{Enable: true, AllowRemoval: true},
		Workbench:         Workbench{Enable: true, ProxyExecution: true},
		Search:            true,
		MultiExecute:      true,
	}
}

// limit is how many accounts of one toolkit the session may hold.
func (m MultiAccount) limit() int { return cmp.Or(m.Max, defaultAccounts) }

const defaultAccounts = 5
