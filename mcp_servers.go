package patchbay

import (
	"context"
	"iter"
	"time"
)

// MCPServers reads the servers of the older API, for those who move to sessions: a session needs no server. Get it from a Client.
type MCPServers struct{ t *transport }

// MCPServer is a fixed list of tools over some toolkits, for any number of users.
type MCPServer struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	Toolkits      []string  `json:"toolkits"`
	AuthConfigIDs []string  `json:"auth_config_ids"`
	AllowedTools  []string  `json:"allowed_tools"` // empty: all tools of the toolkits
	URL           string    `json:"mcp_url"`       // with ?user_id= it is a user's
	ManagedAuth   bool      `json:"managed_auth_via_composio"`
	Instances     int       `json:"server_instance_count"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// MCPInstance is one user of a server.
type MCPInstance struct {
	ID        string    `json:"id"`
	UserID    string    `json:"user_id"`              // empty where the URL names only an account
	AccountID string    `json:"connected_account_id"` // the one account that is used; empty: whichever the user has
	SessionID string    `json:"session_id"`           // the session that serves the user; empty before the first visit
	CreatedAt time.Time `json:"created_at"`
}

// Get gives a server.
func (s MCPServers) Get(ctx context.Context, id string) (MCPServer, error) {
	var server MCPServer
	escaped, err := segment("the MCP server's id", id)
	if err != nil {
		return server, err
	}
	return server, s.t.get(ctx, "/mcp/"+escaped, nil, &server)
}

// Instances goes through the users of a server.
func (s MCPServers) Instances(ctx context.Context, id string) iter.Seq2[MCPInstance, error] {
	return func(yield func(MCPInstance, error) bool) {
		escaped, err := segment("the MCP server's id", id)
		for page, pages := 1, 1; page <= pages || err != nil; page++ {
			var answer struct {
				Instances []MCPInstance `json:"instances"`
				Pages     int           `json:"total_pages"`
			}
			if err == nil {
				query := queryOf("page_no", number(page), "limit", "100", "order_by", "created_at", "order_direction", "asc")
				err = s.t.get(ctx, "/mcp/servers/"+escaped+"/instances", query, &answer)
			}
			if err != nil {
				yield(MCPInstance{}, err)
				return
			}
			for _, i := range answer.Instances {
				if !yield(i, nil) {
					return
				}
			}
			pages = answer.Pages
		}
	}
}
