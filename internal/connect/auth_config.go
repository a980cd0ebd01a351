package connect

import (
	"time"

	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Fields are the named values of a scheme: client id and secret on an AuthConfig, tokens, keys and tenant fields on a
// ConnectedAccount. They are sealed together; whether one may be shown is said by the toolkit's field declaration.
type Fields map[string]secret.Value

// AuthConfig says how a project authenticates its users against one toolkit (contract section 9).
type AuthConfig struct {
	ID        string // ac_…
	ProjectID string
	Toolkit   string // slug
	Name      string
	Scheme    string // OAUTH2, API_KEY, …: the names of the contract
	Managed   bool   // the operator's own OAuth app from the settings; no credentials stored here

	Credentials Fields   // client_id, client_secret, … sealed at rest
	Scopes      []string // asked of the user; empty means the toolkit's default
	UserScopes  []string // for providers that tell bot and user scopes apart
	Shared      Fields   // values every account of this config inherits (a tenant's subdomain, typed once)

	ToolsForCreation  []string // derive the least scopes from these tools
	ToolsForExecution []string // hard allow-list; empty means all
	VerifierURL       string   // where users come back to for the application to say who they are; empty: the project's
	ShowSecrets       bool     // project keys may read the credentials of its accounts
	ProxyURL          string
	ProxyKey          secret.Value

	Enabled            bool
	EnabledForSessions bool
	CreatedAt          time.Time
	UpdatedAt          time.Time
	Connections        int // how many accounts hang on it; filled in by List and Get
}
