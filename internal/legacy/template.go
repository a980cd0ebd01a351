package legacy

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// template gives the configuration of a visitor's session and whose session it is.
func (s *Service) template(ctx context.Context, c tenant.Caller, server Server, v Visitor) (session.Config, string, error) {
	userID, accountToolkit := v.UserID, ""
	if v.AccountID != "" {
		account, err := s.accounts.Account(ctx, c, v.AccountID)
		if err != nil {
			return session.Config{}, "", err
		}
		if userID == "" {
			userID = account.UserID
		}
		accountToolkit = account.Toolkit
	}
	snapshot := s.catalog.Snapshot(c.ProjectID)
	configs := make(map[string]string, len(server.AuthConfigIDs))
	for _, id := range server.AuthConfigIDs {
		config, err := s.accounts.AuthConfig(ctx, c, id)
		if fault.Is(err, fault.NotFound) {
			continue // deleted since: its toolkit says so when it is used, the others go on
		}
		if err != nil {
			return session.Config{}, "", err
		}
		configs[config.Toolkit] = id
	}
	tools := make(map[string][]string)
	for _, slug := range server.AllowedTools {
		if tool, ok := snapshot.Tool(slug); ok {
			tools[tool.Toolkit.Slug] = append(tools[tool.Toolkit.Slug], tool.Slug)
		}
	}
	server.Toolkits = known(snapshot, server.Toolkits)
	return server.config(v, accountToolkit, configs, tools), userID, nil
}

// known leaves out toolkits that the catalog has lost: the rest of a server goes on.
func known(snapshot *catalog.Snapshot, slugs []string) []string {
	out := make([]string, 0, len(slugs))
	for _, slug := range slugs {
		if tk, ok := snapshot.Toolkit(slug); ok {
			out = append(out, tk.Slug)
		}
	}
	return out
}

// config translates the server for one visitor. accountToolkit is the toolkit of the visitor's account; authConfigs are the
// server's by toolkit.
func (s Server) config(v Visitor, accountToolkit string, authConfigs map[string]string, toolsByToolkit map[string][]string) session.Config {
	c := session.Config{
		Toolkits:    &session.ToolkitFilter{Enable: s.Toolkits, Only: true},
		AuthConfigs: authConfigs,
		ManageConnections: session.ManageConnections{
			Enable: v.Helpers,
			OnCall: s.ManagedAuth,
		},
		Preload: session.Preload{All: true},
	}
	if v.AccountID != "" {
		c.ConnectedAccounts = map[string][]string{accountToolkit: {v.AccountID}}
	}
	if len(s.AllowedTools) > 0 {
		c.Tools = make(map[string]session.ToolFilter, len(s.Toolkits))
		for _, toolkit := range s.Toolkits {
			c.Tools[toolkit] = session.ToolFilter{Enable: toolsByToolkit[toolkit], Only: true}
		}
	}
	return c
}
