-- The lease of a refresh no longer ends at a time of somebody's clock: its owner raises the beat while it lives. What failed
-- refreshes leave for the next try is kept, so that a restart does not begin anew with asking.

-- +goose Up
ALTER TABLE connected_accounts RENAME COLUMN refresh_until TO refresh_beat;
ALTER TABLE connected_accounts ADD COLUMN refresh_failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connected_accounts ADD COLUMN refresh_after BIGINT NOT NULL DEFAULT 0;
DROP INDEX connected_accounts_to_refresh;
CREATE INDEX connected_accounts_to_refresh ON connected_accounts (token_expires_at, project_id, id) WHERE status = 'ACTIVE' AND token_expires_at > 0;
CREATE INDEX connected_accounts_leased ON connected_accounts (refresh_owner) WHERE refresh_owner <> '';

-- +goose Down
DROP INDEX connected_accounts_leased;
DROP INDEX connected_accounts_to_refresh;
CREATE INDEX connected_accounts_to_refresh ON connected_accounts (token_expires_at) WHERE status = 'ACTIVE' AND token_expires_at > 0;
ALTER TABLE connected_accounts DROP COLUMN refresh_after;
ALTER TABLE connected_accounts DROP COLUMN refresh_failures;
ALTER TABLE connected_accounts RENAME COLUMN refresh_beat TO refresh_until;
