package legacy

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// maxUserID is as long as the user id of a session may be, in characters.
const maxUserID = 256

// Visit makes the instances of some visitors, so that their URLs are known to the server; nothing else is made before they
// come. It gives the server.
func (s *Service) Visit(ctx context.Context, c tenant.Caller, serverID string, visitors ...Visitor) (Server, []Instance, error) {
	server, err := s.Server(ctx, c, serverID)
	if err != nil {
		return Server{}, nil, err
	}
	instances := make([]Instance, len(visitors))
	for i, v := range visitors {
		if instances[i], err = s.instance(ctx, c, server, v); err != nil {
			return Server{}, nil, err
		}
	}
	return server, instances, nil
}

// instance gives a visitor's instance and makes it where there is none.
func (s *Service) instance(ctx context.Context, c tenant.Caller, server Server, v Visitor) (Instance, error) {
	if err := s.welcome(ctx, c, v); err != nil {
		return Instance{}, err
	}
	now := s.now().UTC()
	return s.store.AddMCPInstance(ctx, Instance{
		ID: s.newID(), ProjectID: c.ProjectID, ServerID: server.ID, ServerVersion: server.Version, Visitor: v,
		CreatedAt: now, UpdatedAt: now,
	})
}

// welcome refuses visitors for whom no session can be made.
func (s *Service) welcome(ctx context.Context, c tenant.Caller, v Visitor) error {
	switch {
	case !utf8.ValidString(v.UserID) || strings.ContainsRune(v.UserID, 0):
		return fault.New(fault.Invalid, fault.SlugInvalid, "user_id is not a text in UTF-8 without null characters.").
			WithFix("Percent-encode the user's id as UTF-8.")
	case v.AccountID != "":
		_, err := s.accounts.Account(ctx, c, v.AccountID)
		return err
	case strings.TrimSpace(v.UserID) == "":
		return fault.New(fault.Invalid, fault.SlugInvalid, "The URL of an MCP server has to say for whom: it names no user.").
			WithFix("Add ?user_id=… (the id by which your application knows the user) or ?connected_account_id=ca_… to the URL.")
	case utf8.RuneCountInString(v.UserID) > maxUserID:
		return fault.New(fault.Invalid, fault.SlugInvalid, "user_id has %d characters; at most %d are allowed.", utf8.RuneCountInString(v.UserID), maxUserID)
	}
	return nil
}

// Instances gives a page of a server's instances, and how many there are on all pages.
func (s *Service) Instances(ctx context.Context, c tenant.Caller, serverID string, f Filter) (Server, []Instance, int, error) {
	server, err := s.Server(ctx, c, serverID)
	if err != nil {
		return Server{}, nil, 0, err
	}
	instances, total, err := s.store.ListMCPInstances(ctx, c.ProjectID, serverID, f)
	return server, instances, total, err
}

// DeleteInstance ends what a user has of a server: the instance with this id, or all of the user with this id, and their
// sessions. The user's accounts stay: other servers and sessions may use them.
func (s *Service) DeleteInstance(ctx context.Context, c tenant.Caller, serverID, idOrUser string) error {
	if _, err := s.Server(ctx, c, serverID); err != nil {
		return err
	}
	n, err := s.store.DeleteMCPInstances(ctx, c.ProjectID, serverID, idOrUser)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, fault.SlugNotFound, "MCP server %s has no instance %q.", serverID, idOrUser).
			WithFix("GET /api/v3.1/mcp/servers/%s/instances lists them.", serverID)
	}
	return err
}
