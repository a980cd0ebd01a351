package legacy

import (
	"context"

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

// Patch changes a server; nil members are kept.
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
	wanted, err := s.check(ctx, c, p.apply(stored))
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
