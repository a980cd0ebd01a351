-- The personal key by which somebody had signed in who let a client in: what was allowed ends with it.

-- +goose Up
ALTER TABLE oauth_grants ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
CREATE INDEX oauth_grants_by_key ON oauth_grants (project_id, key_id) WHERE revoked_at = 0 AND key_id <> '';

-- +goose Down
DROP INDEX oauth_grants_by_key;
ALTER TABLE oauth_grants DROP COLUMN key_id;
