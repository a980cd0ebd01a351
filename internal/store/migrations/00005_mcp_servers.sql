-- MCP servers of the older API: templates of sessions, and which session serves which visitor.

-- +goose Up
CREATE TABLE mcp_servers (
    project_id      TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    toolkits        TEXT    NOT NULL,
    auth_config_ids TEXT    NOT NULL,
    allowed_tools   TEXT    NOT NULL,
    managed_auth    BOOLEAN NOT NULL,
    version         BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX mcp_servers_by_update ON mcp_servers (project_id, updated_at, id);
CREATE INDEX mcp_servers_by_creation ON mcp_servers (project_id, created_at, id);

CREATE TABLE mcp_instances (
    project_id     TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    server_id      TEXT    NOT NULL,
    server_version BIGINT  NOT NULL,
    user_id        TEXT    NOT NULL,
    account_id     TEXT    NOT NULL,
    helpers        BOOLEAN NOT NULL,
    session_id     TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    updated_at     BIGINT  NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX mcp_instances_by_visitor ON mcp_instances (project_id, server_id, user_id, account_id, helpers);
CREATE INDEX mcp_instances_by_update ON mcp_instances (project_id, server_id, updated_at, id);
CREATE INDEX mcp_instances_by_creation ON mcp_instances (project_id, server_id, created_at, id);

-- +goose Down
DROP TABLE mcp_instances;
DROP TABLE mcp_servers;
