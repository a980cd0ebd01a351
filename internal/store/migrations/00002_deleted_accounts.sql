-- Ids of connected accounts that are gone, so that a session which still names one can be told apart from a request that
-- names an id the project never had.

-- +goose Up
CREATE TABLE deleted_accounts (
    project_id TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    deleted_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);

-- +goose Down
DROP TABLE deleted_accounts;
