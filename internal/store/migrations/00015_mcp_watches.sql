-- What is known of the MCP servers that projects registered, beside the toolkits that were made of them: the tools that differ
-- from the approved ones, and when the next look at the server is due.

-- +goose Up
CREATE TABLE mcp_watches (
    project_id  TEXT   NOT NULL,
    toolkit     TEXT   NOT NULL,
    account_id  TEXT   NOT NULL,
    seen        TEXT   NOT NULL,
    revision    TEXT   NOT NULL,
    problem     TEXT   NOT NULL,
    failures    BIGINT NOT NULL,
    checked_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    asked_at    BIGINT NOT NULL, -- for when a look was asked for out of turn; 0: never
    lease_owner TEXT   NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (project_id, toolkit)
);
CREATE INDEX mcp_watches_due ON mcp_watches (due_at);
CREATE INDEX mcp_watches_held ON mcp_watches (lease_owner) WHERE lease_owner <> '';

-- +goose Down
DROP TABLE mcp_watches;
