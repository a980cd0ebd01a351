package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/notify"
)

const mcpServerColumns = `id, project_id, name, toolkits, auth_config_ids, allowed_tools, managed_auth, version, created_at, updated_at,
	(SELECT COUNT(*) FROM mcp_instances i WHERE i.project_id = mcp_servers.project_id AND i.server_id = mcp_servers.id)`

func scanMCPServer(r row) (v legacy.Server, err error) {
	err = r.Scan(&v.ID, &v.ProjectID, &v.Name, asJSON(&v.Toolkits), asJSON(&v.AuthConfigIDs), asJSON(&v.AllowedTools), &v.ManagedAuth, &v.Version,
		at(&v.CreatedAt), at(&v.UpdatedAt), &v.Instances)
	return v, err
}

func noMCPServer(id string) error {
	return fault.New(fault.NotFound, fault.SlugNotFound, "There is no MCP server %s in this project.", id).
		WithFix("GET /api/v3.1/mcp/servers lists them. A session needs no server: POST /api/v3.1/tool_router/session.")
}

// CreateMCPServer stores a new server.
func (s *Store) CreateMCPServer(ctx context.Context, v legacy.Server) error {
	err := s.write(ctx, "store MCP server", func(t *tx) error {
		_, err := t.exec(`INSERT INTO mcp_servers (id, project_id, name, toolkits, auth_config_ids, allowed_tools, managed_auth, version, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			v.ID, v.ProjectID, v.Name, asJSON(v.Toolkits), asJSON(v.AuthConfigIDs), asJSON(v.AllowedTools), v.ManagedAuth, v.Version,
			micros(v.CreatedAt), micros(v.UpdatedAt))
		return err
	})
	if s.db.violation(err).unique {
		return fault.New(fault.Conflict, fault.SlugConflict, "MCP server %s exists already.", v.ID).Because(err)
	}
	return err
}

// MCPServer gives a server.
func (s *Store) MCPServer(ctx context.Context, projectID, id string) (legacy.Server, error) {
	v, err := scanMCPServer(s.db.reader().QueryRowContext(ctx,
		`SELECT `+mcpServerColumns+` FROM mcp_servers WHERE project_id = $1 AND id = $2`, projectID, id))
	err = s.orMissing(err, func() error { return noMCPServer(id) })
	return v, s.wrap("read MCP server", err)
}

// UpdateMCPServer changes a server and raises its version.
func (s *Store) UpdateMCPServer(ctx context.Context, projectID, id string, update func(*legacy.Server) error) (legacy.Server, error) {
	var v legacy.Server
	err := swap(ctx, "MCP server "+id, func() (err error) {
		if v, err = s.MCPServer(ctx, projectID, id); err != nil {
			return err
		}
		if err := update(&v); err != nil {
			return err
		}
		v.ID, v.ProjectID, v.Version = id, projectID, v.Version+1
		return s.write(ctx, "update MCP server", func(t *tx) error {
			n, err := t.exec(`UPDATE mcp_servers SET name = $4, toolkits = $5, auth_config_ids = $6, allowed_tools = $7, managed_auth = $8,
				version = version + 1, updated_at = $9 WHERE project_id = $1 AND id = $2 AND version = $3`,
				projectID, id, v.Version-1, v.Name, asJSON(v.Toolkits), asJSON(v.AuthConfigIDs), asJSON(v.AllowedTools), v.ManagedAuth, micros(v.UpdatedAt))
			if err == nil && n == 0 {
				return errSwapped
			}
			t.announce(notify.MCPServer, id, "")
			return err
		})
	})
	return v, err
}

// DeleteMCPServer deletes a server with its instances and their sessions.
func (s *Store) DeleteMCPServer(ctx context.Context, projectID, id string) error {
	return s.write(ctx, "delete MCP server", func(t *tx) error {
		if _, err := t.execAnnouncing(notify.Session, `DELETE FROM sessions WHERE project_id = $1 AND id IN (
			SELECT session_id FROM mcp_instances WHERE project_id = $1 AND server_id = $2) RETURNING id, ''`, projectID, id); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM mcp_instances WHERE project_id = $1 AND server_id = $2`, projectID, id); err != nil {
			return err
		}
		n, err := t.exec(`DELETE FROM mcp_servers WHERE project_id = $1 AND id = $2`, projectID, id)
		if err == nil && n == 0 {
			return noMCPServer(id)
		}
		t.announce(notify.MCPServer, id, "")
		return err
	})
}

// ListMCPServers gives a page of a project's servers, and how many there are on all pages.
func (s *Store) ListMCPServers(ctx context.Context, projectID string, f legacy.Filter) ([]legacy.Server, int, error) {
	var where conditions
	where.and("project_id = ?", projectID)
	where.contains(f.Name, "name")
	where.lists("toolkits", f.Toolkits)
	where.lists("auth_config_ids", f.AuthConfigs)
	return numbered(ctx, s, "mcp_servers", mcpServerColumns, where, f, scanMCPServer)
}

const mcpInstanceColumns = `id, project_id, server_id, server_version, user_id, account_id, helpers, session_id, created_at, updated_at`

func scanMCPInstance(r row) (v legacy.Instance, err error) {
	err = r.Scan(&v.ID, &v.ProjectID, &v.ServerID, &v.ServerVersion, &v.Visitor.UserID, &v.Visitor.AccountID, &v.Visitor.Helpers, &v.SessionID,
		at(&v.CreatedAt), at(&v.UpdatedAt))
	return v, err
}

// AddMCPInstance stores an instance unless the visitor has one, and gives the one that is stored.
func (s *Store) AddMCPInstance(ctx context.Context, v legacy.Instance) (legacy.Instance, error) {
	if stored, err := s.mcpInstance(ctx, v); err == nil || !fault.Is(err, fault.NotFound) {
		return stored, err
	}
	err := s.write(ctx, "store MCP instance", func(t *tx) error {
		n, err := t.exec(`INSERT INTO mcp_instances (`+mcpInstanceColumns+`)
			SELECT $1, project_id, id, $4, $5, $6, $7, $8, $9, $10 FROM mcp_servers WHERE project_id = $2 AND id = $3
			ON CONFLICT (project_id, server_id, user_id, account_id, helpers) DO UPDATE SET updated_at = mcp_instances.updated_at`,
			v.ID, v.ProjectID, v.ServerID, v.ServerVersion, v.Visitor.UserID, v.Visitor.AccountID, v.Visitor.Helpers, v.SessionID,
			micros(v.CreatedAt), micros(v.UpdatedAt))
		if err == nil && n == 0 {
			return noMCPServer(v.ServerID)
		}
		return err
	})
	if err != nil {
		return legacy.Instance{}, err
	}
	return s.mcpInstance(ctx, v)
}

// mcpInstance gives the instance that a visitor has.
func (s *Store) mcpInstance(ctx context.Context, of legacy.Instance) (legacy.Instance, error) {
	v, err := scanMCPInstance(s.db.reader().QueryRowContext(ctx, `SELECT `+mcpInstanceColumns+` FROM mcp_instances
		WHERE project_id = $1 AND server_id = $2 AND user_id = $3 AND account_id = $4 AND helpers = $5`,
		of.ProjectID, of.ServerID, of.Visitor.UserID, of.Visitor.AccountID, of.Visitor.Helpers))
	err = s.orMissing(err, func() error {
		return fault.New(fault.NotFound, fault.SlugNotFound, "The user has no instance of MCP server %s.", of.ServerID)
	})
	return v, s.wrap("read MCP instance", err)
}

// SetMCPInstanceSession says which session serves an instance, if it is still the one that was.
func (s *Store) SetMCPInstanceSession(ctx context.Context, v legacy.Instance, was string) (bool, error) {
	won := false
	err := s.write(ctx, "update MCP instance", func(t *tx) error {
		n, err := t.exec(`UPDATE mcp_instances SET session_id = $4, server_version = $5, updated_at = $6
			WHERE project_id = $1 AND id = $2 AND session_id = $3`,
			v.ProjectID, v.ID, was, v.SessionID, v.ServerVersion, micros(v.UpdatedAt))
		won = n > 0
		return err
	})
	return won, err
}

// ListMCPInstances gives a page of a server's instances, and how many there are on all pages.
func (s *Store) ListMCPInstances(ctx context.Context, projectID, serverID string, f legacy.Filter) ([]legacy.Instance, int, error) {
	var where conditions
	where.and("project_id = ? AND server_id = ?", projectID, serverID)
	where.contains(f.Name, "user_id", "id")
	return numbered(ctx, s, "mcp_instances", mcpInstanceColumns, where, f, scanMCPInstance)
}

// DeleteMCPInstances deletes the instance with an id, or all of a user, with their sessions.
func (s *Store) DeleteMCPInstances(ctx context.Context, projectID, serverID, idOrUser string) (int, error) {
	deleted := int64(0)
	err := s.write(ctx, "delete MCP instances", func(t *tx) (err error) {
		if _, err := t.execAnnouncing(notify.Session, `DELETE FROM sessions WHERE project_id = $1 AND id IN (
			SELECT session_id FROM mcp_instances WHERE project_id = $1 AND server_id = $2 AND (id = $3 OR user_id = $3)) RETURNING id, ''`,
			projectID, serverID, idOrUser); err != nil {
			return err
		}
		deleted, err = t.exec(`DELETE FROM mcp_instances WHERE project_id = $1 AND server_id = $2 AND (id = $3 OR user_id = $3)`, projectID, serverID, idOrUser)
		t.announce(notify.MCPServer, serverID, "")
		return err
	})
	return int(deleted), err
}

// lists adds "the JSON list in a column holds one of the values"; no values, no condition.
func (c *conditions) lists(column string, values []string) {
	if len(values) == 0 {
		return
	}
	parts, args := make([]string, len(values)), make([]any, len(values))
	for i, v := range values {
		parts[i], args[i] = column+" LIKE ? ESCAPE '!'", `%"`+strings.NewReplacer("!", "!!", "%", "!%", "_", "!_", `"`, "").Replace(v)+`"%`
	}
	c.and("("+strings.Join(parts, " OR ")+")", args...)
}

// numbered reads a page by its number, as the older lists have it, and counts the rows of all pages.
func numbered[T any](ctx context.Context, s *Store, table, columns string, where conditions, f legacy.Filter, scan func(row) (T, error)) ([]T, int, error) {
	total := 0
	if err := s.db.listReader().QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table+where.text, where.args...).Scan(&total); err != nil {
		return nil, 0, s.wrap("count "+table, err)
	}
	order, direction := "updated_at", " DESC"
	if f.ByCreation {
		order = "created_at"
	}
	if f.Ascending {
		direction = " ASC"
	}
	query := "SELECT " + columns + " FROM " + table + where.text + " ORDER BY " + order + direction + ", id" + direction
	if f.Limit > 0 {
		query += " LIMIT " + strconv.Itoa(f.Limit) + " OFFSET " + strconv.Itoa(f.Limit*max(f.Page-1, 0))
	}
	items, err := collect(ctx, s.db.listReader(), scan, query, where.args...)
	return items, total, s.wrap("list "+table, err)
}
