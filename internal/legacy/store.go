package legacy

import "context"

// Store keeps servers and their instances. What is missing, or another project's, is a fault of kind NotFound.
type Store interface {
	CreateMCPServer(ctx context.Context, s Server) error
	MCPServer(ctx context.Context, projectID, id string) (Server, error)
	// UpdateMCPServer reads, changes, raises Version and writes in one step.
	UpdateMCPServer(ctx context.Context, projectID, id string, update func(*Server) error) (Server, error)
	// DeleteMCPServer deletes the server, its instances and their sessions.
	DeleteMCPServer(ctx context.Context, projectID, id string) error
	// ListMCPServers gives one page and how many there are on all.
	ListMCPServers(ctx context.Context, projectID string, f Filter) ([]Server, int, error)

	// AddMCPInstance stores an instance, unless the visitor has one already, and gives the one that is stored.
	AddMCPInstance(ctx context.Context, i Instance) (Instance, error)
	// SetMCPInstanceSession says which session serves an instance. It writes only if was is still what is stored, and tells
	// whether it did.
	SetMCPInstanceSession(ctx context.Context, i Instance, was string) (bool, error)
	ListMCPInstances(ctx context.Context, projectID, serverID string, f Filter) ([]Instance, int, error)
	// DeleteMCPInstances deletes the instance with this id, or all of the user with this id, and their sessions, and gives how many.
	DeleteMCPInstances(ctx context.Context, projectID, serverID, idOrUser string) (int, error)
}

// Filter narrows a list; zero values do not filter.
type Filter struct {
	Name        string   // part of a server's name, or of an instance's user id
	Toolkits    []string // servers with one of them
	AuthConfigs []string // servers with one of them
	ByCreation  bool     // order by creation in place of the last change
	Ascending   bool     // oldest first
	Page        int      // from 1
	Limit       int
}
