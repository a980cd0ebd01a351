package legacy

import (
	"context"
	"slices"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// NewServer is what Create needs.
type NewServer struct {
	Name          string
	Toolkits      []string // beside those of the auth configs; their accounts come from whatever auth config the user has
	AuthConfigIDs []string
	AllowedTools  []string
	ManagedAuth   *bool // nil: yes
}

// Create stores a server. All that is wrong with it is reported in one fault.
func (s *Service) Create(ctx context.Context, c tenant.Caller, n NewServer) (Server, error) {
	if err := wholeProject(c); err != nil {
		return Server{}, err
	}
	now := s.now().UTC()
	server := Server{
		ID: s.newID(), ProjectID: c.ProjectID, Version: 1,
		Name: n.Name, Toolkits: n.Toolkits, AuthConfigIDs: n.AuthConfigIDs, AllowedTools: n.AllowedTools,
		ManagedAuth: n.ManagedAuth == nil || *n.ManagedAuth,
		CreatedAt:   now, UpdatedAt: now,
	}
	server, err := s.check(ctx, c, server)
	if err != nil {
		return Server{}, err
	}
	return server, s.store.CreateMCPServer(ctx, server)
}

// Patch changes a server; nil members are kept, but for auth configs and tools of toolkits that Toolkits leaves out.
type Patch struct {
	Name          *string
	Toolkits      []string
	AuthConfigIDs []string
	AllowedTools  []string
	ManagedAuth   *bool
}

// Update changes a server. The sessions of its visitors follow when they are next used.
func (s *Service) Update(ctx context.Context, c tenant.Caller, id string, p Patch) (Server, error) {
	if err := wholeProject(c); err != nil {
		return Server{}, err
	}
	stored, err := s.store.MCPServer(ctx, c.ProjectID, id)
	if err != nil {
		return Server{}, err
	}
	wanted, err := s.narrow(ctx, c, p, p.apply(stored))
	if err == nil {
		wanted, err = s.check(ctx, c, wanted)
	}
	if err != nil {
		return Server{}, err
	}
	return s.store.UpdateMCPServer(ctx, c.ProjectID, id, func(now *Server) error {
		if now.Version != stored.Version {
			return changedMeanwhile(id)
		}
		now.Name, now.Toolkits, now.AuthConfigIDs = wanted.Name, wanted.Toolkits, wanted.AuthConfigIDs
		now.AllowedTools, now.ManagedAuth = wanted.AllowedTools, wanted.ManagedAuth
		now.UpdatedAt = s.now().UTC()
		return nil
	})
}

func (p Patch) apply(s Server) Server {
	if p.Name != nil {
		s.Name = *p.Name
	}
	if p.ManagedAuth != nil {
		s.ManagedAuth = *p.ManagedAuth
	}
	if p.AllowedTools != nil {
		s.AllowedTools = p.AllowedTools
	}
	switch {
	case p.Toolkits != nil:
		s.Toolkits = p.Toolkits
	case p.AuthConfigIDs != nil:
		s.Toolkits = nil // they follow from the auth configs
	}
	if p.AuthConfigIDs != nil {
		s.AuthConfigIDs = p.AuthConfigIDs
	}
	return s
}

// narrow takes along what belongs to toolkits that a patch leaves out: their auth configs, which would bring them back, and their
// tools. What the patch gives itself is left to check.
func (s *Service) narrow(ctx context.Context, c tenant.Caller, p Patch, server Server) (Server, error) {
	if p.Toolkits == nil && p.AuthConfigIDs == nil {
		return server, nil
	}
	snapshot := s.catalog.Snapshot(c.ProjectID)
	named := known(snapshot, p.Toolkits)
	if p.AuthConfigIDs == nil {
		configs := server.AuthConfigIDs
		server.AuthConfigIDs = nil
		for _, id := range configs {
			config, err := s.accounts.AuthConfig(ctx, c, id)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return Server{}, err
			}
			if err == nil && slices.Contains(named, config.Toolkit) {
				server.AuthConfigIDs = append(server.AuthConfigIDs, id)
			}
		}
	}
	if p.AllowedTools != nil || len(server.AllowedTools) == 0 {
		return server, nil
	}
	toolkits, _, err := s.serverToolkits(ctx, c, snapshot, server, func(string, ...any) {}) // check says what is wrong with them
	if err != nil {
		return Server{}, err
	}
	server.AllowedTools = slices.DeleteFunc(slices.Clone(server.AllowedTools), func(slug string) bool {
		tool, ok := snapshot.Tool(slug)
		return ok && !slices.Contains(toolkits, tool.Toolkit.Slug)
	})
	if len(server.AllowedTools) == 0 { // which would mean every tool: more than before
		return Server{}, serverFault([]string{"allowed_tools: none of the server's tools is of the toolkits that are left; name those that it is to have"})
	}
	return server, nil
}
