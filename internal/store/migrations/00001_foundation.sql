-- Types are chosen to mean the same on both databases: ids and documents (JSON) are TEXT, times are BIGINT microseconds
-- since 1970 with 0 for "not set", what is sealed is BYTEA (SQLite keeps a blob in a column of any type). Whatever belongs
-- to a project has the project in its primary key, so that a query cannot forget it.

-- +goose Up
CREATE TABLE keysets (
    owner   TEXT  NOT NULL PRIMARY KEY,
    wrapped BYTEA NOT NULL
);

CREATE TABLE projects (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation_id TEXT   NOT NULL,
    name            TEXT   NOT NULL UNIQUE,
    created_at      BIGINT NOT NULL
);

CREATE TABLE api_keys (
    project_id TEXT   NOT NULL REFERENCES projects (id),
    id         TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    hint       TEXT   NOT NULL,
    hash       TEXT   NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX api_keys_by_creation ON api_keys (project_id, created_at, id);

CREATE TABLE auth_configs (
    project_id           TEXT    NOT NULL,
    id                   TEXT    NOT NULL,
    toolkit              TEXT    NOT NULL,
    name                 TEXT    NOT NULL,
    scheme               TEXT    NOT NULL,
    managed              BOOLEAN NOT NULL,
    credentials          BYTEA,
    scopes               TEXT    NOT NULL,
    user_scopes          TEXT    NOT NULL,
    shared               BYTEA,
    tools_for_creation   TEXT    NOT NULL,
    tools_for_execution  TEXT    NOT NULL,
    proxy_url            TEXT    NOT NULL,
    proxy_key            BYTEA,
    enabled              BOOLEAN NOT NULL,
    enabled_for_sessions BOOLEAN NOT NULL,
    created_at           BIGINT  NOT NULL,
    updated_at           BIGINT  NOT NULL,
    version              BIGINT  NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX auth_configs_by_creation ON auth_configs (project_id, created_at, id);
CREATE INDEX auth_configs_by_toolkit ON auth_configs (project_id, toolkit, created_at, id);

CREATE TABLE connected_accounts (
    project_id       TEXT   NOT NULL,
    id               TEXT   NOT NULL,
    word_id          TEXT   NOT NULL,
    alias            TEXT   NOT NULL,
    user_id          TEXT   NOT NULL,
    toolkit          TEXT   NOT NULL,
    auth_config_id   TEXT,
    scheme           TEXT   NOT NULL,
    status           TEXT   NOT NULL,
    status_reason    TEXT   NOT NULL,
    fields           BYTEA,
    scopes           TEXT   NOT NULL,
    token_expires_at BIGINT NOT NULL,
    identity         TEXT   NOT NULL,
    type             TEXT   NOT NULL,
    acl              TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    connected_at     BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    refresh_owner    TEXT   NOT NULL DEFAULT '',
    refresh_until    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, auth_config_id) REFERENCES auth_configs (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX connected_accounts_word_id ON connected_accounts (project_id, word_id) WHERE word_id <> '';
CREATE UNIQUE INDEX connected_accounts_alias ON connected_accounts (project_id, user_id, toolkit, alias) WHERE alias <> '';
CREATE INDEX connected_accounts_by_creation ON connected_accounts (project_id, created_at, id);
CREATE INDEX connected_accounts_by_update ON connected_accounts (project_id, updated_at, id);
CREATE INDEX connected_accounts_by_user ON connected_accounts (project_id, user_id, toolkit, created_at, id);
CREATE INDEX connected_accounts_by_auth_config ON connected_accounts (project_id, auth_config_id, created_at, id);
CREATE INDEX connected_accounts_to_refresh ON connected_accounts (token_expires_at) WHERE status = 'ACTIVE' AND token_expires_at > 0;
CREATE INDEX connected_accounts_pending ON connected_accounts (project_id, id) WHERE status IN ('INITIALIZING', 'INITIATED');

CREATE TABLE connection_requests (
    token_hash   TEXT   NOT NULL PRIMARY KEY,
    state_hash   TEXT   NOT NULL,
    project_id   TEXT   NOT NULL,
    account_id   TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    callback_url TEXT   NOT NULL,
    redirect_uri TEXT   NOT NULL,
    verifier     BYTEA,
    browser      TEXT   NOT NULL,
    prefill      BYTEA,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    FOREIGN KEY (project_id, account_id) REFERENCES connected_accounts (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX connection_requests_by_state ON connection_requests (state_hash) WHERE state_hash <> '';
CREATE INDEX connection_requests_by_account ON connection_requests (project_id, account_id, expires_at);
CREATE INDEX connection_requests_by_end ON connection_requests (expires_at);

CREATE TABLE sessions (
    project_id TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    config     TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    token_hash TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX sessions_by_token ON sessions (token_hash) WHERE token_hash <> '';
CREATE INDEX sessions_by_creation ON sessions (project_id, created_at, id, expires_at); -- counted without a look at the rows
CREATE INDEX sessions_by_user ON sessions (project_id, user_id, created_at, id, expires_at);
CREATE INDEX sessions_by_end ON sessions (expires_at) WHERE expires_at > 0;

-- Configurations that were replaced; the one in force is in sessions.
CREATE TABLE session_revisions (
    project_id TEXT   NOT NULL,
    session_id TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    config     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, session_id, version),
    FOREIGN KEY (project_id, session_id) REFERENCES sessions (project_id, id) ON DELETE CASCADE
);

CREATE TABLE execution_logs (
    project_id     TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    user_id        TEXT   NOT NULL,
    session_id     TEXT   NOT NULL,
    request_id     TEXT   NOT NULL,
    tool           TEXT   NOT NULL,
    toolkit        TEXT   NOT NULL,
    account_id     TEXT   NOT NULL,
    auth_config_id TEXT   NOT NULL,
    origin         TEXT   NOT NULL,
    status         TEXT   NOT NULL,
    error          TEXT   NOT NULL,
    upstream       BIGINT NOT NULL, -- HTTP status
    started_at     BIGINT NOT NULL,
    took           BIGINT NOT NULL, -- microseconds
    upstream_for   BIGINT NOT NULL, -- microseconds
    PRIMARY KEY (project_id, id)
);
CREATE INDEX execution_logs_by_start ON execution_logs (started_at);

CREATE TABLE idempotent_answers (
    project_id  TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    answer      BYTEA,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (project_id, key)
);
CREATE INDEX idempotent_answers_by_creation ON idempotent_answers (created_at);

-- +goose Down
DROP TABLE idempotent_answers;
DROP TABLE execution_logs;
DROP TABLE session_revisions;
DROP TABLE sessions;
DROP TABLE connection_requests;
DROP TABLE connected_accounts;
DROP TABLE auth_configs;
DROP TABLE api_keys;
DROP TABLE projects;
DROP TABLE keysets;
