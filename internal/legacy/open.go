package legacy

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Open gives the session that serves a visitor of a server, and makes it for the first visit. Warm calls read memory only.
func (s *Service) Open(ctx context.Context, c tenant.Caller, serverID string, v Visitor) (sessionID string, err error) {
	if err := wholeProject(c); err != nil {
		return "", err
	}
	at := visit{c.ProjectID, serverID, v}
	if sessionID, ok := s.open.Get(at); ok {
		return sessionID, nil
	}
	mark := s.open.Mark()
	server, err := s.store.MCPServer(ctx, c.ProjectID, serverID)
	if err != nil {
		return "", err
	}
	instance, err := s.instance(ctx, c, server, v)
	if err != nil {
		return "", err
	}
	if instance, err = s.served(ctx, c, server, instance); err != nil {
		return "", err
	}
	s.open.Put(at, instance.SessionID, mark)
	return instance.SessionID, nil
}

// served makes sure that an instance has a session, and one that is made from the server as it is now.
func (s *Service) served(ctx context.Context, c tenant.Caller, server Server, i Instance) (Instance, error) {
	config, userID, err := s.template(ctx, c, server, i.Visitor)
	if err != nil {
		return Instance{}, err
	}
	if i.SessionID != "" {
		err := s.refresh(ctx, c, server, &i, config)
		if !fault.Is(err, fault.NotFound) {
			return i, err
		}
	}
	created, err := s.sessions.Create(ctx, c, session.NewSession{UserID: userID, Config: config})
	if err != nil {
		return Instance{}, err
	}
	was := i.SessionID
	i.SessionID, i.ServerVersion, i.UpdatedAt = created.Session.ID, server.Version, s.now().UTC()
	won, err := s.store.SetMCPInstanceSession(ctx, i, was)
	if err == nil && won {
		return i, nil
	}
	// Another request was quicker, or the instance is gone: this session serves nobody.
	if dropped := s.sessions.Delete(ctx, c, created.Session.ID); err == nil {
		err = dropped
	}
	if err != nil {
		return Instance{}, err
	}
	return s.store.AddMCPInstance(ctx, i)
}

// refresh brings the session of an instance up to date with its server. A session that somebody deleted is a fault of kind
// NotFound.
func (s *Service) refresh(ctx context.Context, c tenant.Caller, server Server, i *Instance, config session.Config) error {
	if i.ServerVersion == server.Version {
		_, err := s.sessions.Open(ctx, c, i.SessionID)
		return err
	}
	if _, _, err := s.sessions.Update(ctx, c, i.SessionID, replacing(config)); err != nil {
		return err
	}
	i.ServerVersion, i.UpdatedAt = server.Version, s.now().UTC()
	_, err := s.store.SetMCPInstanceSession(ctx, *i, i.SessionID)
	return err
}

// replacing is the patch that makes a session's configuration this one, as far as servers decide it.
func replacing(c session.Config) session.Patch {
	manage := session.ManageConnectionsPatch{Enable: &c.ManageConnections.Enable, OnCall: &c.ManageConnections.OnCall}
	return session.Patch{
		Toolkits:          session.Optional[*session.ToolkitFilter]{Set: true, Value: c.Toolkits},
		Tools:             session.Optional[map[string]session.ToolFilter]{Set: true, Value: c.Tools},
		AuthConfigs:       session.Optional[map[string]string]{Set: true, Value: c.AuthConfigs},
		ConnectedAccounts: session.Optional[map[string][]string]{Set: true, Value: c.ConnectedAccounts},
		ManageConnections: session.Optional[session.ManageConnectionsPatch]{Set: true, Value: manage},
	}
}
