-- Programs that people let in: OAuth clients, grants with their codes and tokens, and who is signed in on the pages. Personal keys
-- are API keys with a user. Of every credential only the hash is here.

-- +goose Up
ALTER TABLE api_keys ADD COLUMN user_id TEXT NOT NULL DEFAULT '';

CREATE TABLE oauth_clients (
    id            TEXT    NOT NULL PRIMARY KEY,
    secret_hash   TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    redirect_uris TEXT    NOT NULL,
    auth_method   TEXT    NOT NULL,
    refreshes     BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL,
    used_at       BIGINT  NOT NULL
);
CREATE INDEX oauth_clients_unused ON oauth_clients (created_at, id) WHERE used_at = 0;
CREATE INDEX oauth_clients_by_use ON oauth_clients (used_at) WHERE used_at > 0;

CREATE TABLE oauth_grants (
    project_id      TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    user_id         TEXT    NOT NULL,
    client_id       TEXT    NOT NULL,
    client_name     TEXT    NOT NULL,
    client_host     TEXT    NOT NULL,
    resource        TEXT    NOT NULL,
    scope           TEXT    NOT NULL,
    refreshes       BOOLEAN NOT NULL,
    code_hash       TEXT    NOT NULL,
    redirect_uri    TEXT    NOT NULL,
    challenge       TEXT    NOT NULL,
    code_expires_at BIGINT  NOT NULL,
    code_used_at    BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    used_at         BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    revoked_at      BIGINT  NOT NULL,
    reason          TEXT    NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX oauth_grants_by_code ON oauth_grants (code_hash);
CREATE INDEX oauth_grants_by_creation ON oauth_grants (project_id, created_at, id) WHERE revoked_at = 0;
CREATE INDEX oauth_grants_by_user ON oauth_grants (project_id, user_id, created_at, id) WHERE revoked_at = 0;
CREATE INDEX oauth_grants_by_end ON oauth_grants (expires_at);

CREATE TABLE oauth_tokens (
    hash       TEXT   NOT NULL PRIMARY KEY,
    project_id TEXT   NOT NULL,
    grant_id   TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    FOREIGN KEY (project_id, grant_id) REFERENCES oauth_grants (project_id, id) ON DELETE CASCADE
);
CREATE INDEX oauth_tokens_by_grant ON oauth_tokens (project_id, grant_id);
CREATE INDEX oauth_tokens_by_end ON oauth_tokens (expires_at);

CREATE TABLE logins (
    hash       TEXT   NOT NULL PRIMARY KEY,
    project_id TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    issuer     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX logins_by_user ON logins (project_id, user_id);
CREATE INDEX logins_by_end ON logins (expires_at);

-- +goose Down
DROP TABLE logins;
DROP TABLE oauth_tokens;
DROP TABLE oauth_grants;
DROP TABLE oauth_clients;
ALTER TABLE api_keys DROP COLUMN user_id;
