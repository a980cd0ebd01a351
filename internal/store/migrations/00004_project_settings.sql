-- What a project chose for itself; and for links whose application says who the user is before the account is theirs: what is
-- kept until it does.

-- +goose Up
CREATE TABLE project_settings (
    project_id TEXT   NOT NULL PRIMARY KEY REFERENCES projects (id),
    document   TEXT   NOT NULL,
    version    BIGINT NOT NULL
);

ALTER TABLE auth_configs ADD COLUMN verifier_url TEXT NOT NULL DEFAULT '';
ALTER TABLE auth_configs ADD COLUMN show_secrets BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE connection_requests ADD COLUMN claim_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE connection_requests ADD COLUMN held BYTEA;
CREATE UNIQUE INDEX connection_requests_by_claim ON connection_requests (claim_hash) WHERE claim_hash <> '';

-- +goose Down
DROP INDEX connection_requests_by_claim;
ALTER TABLE connection_requests DROP COLUMN held;
ALTER TABLE connection_requests DROP COLUMN claim_hash;
ALTER TABLE auth_configs DROP COLUMN show_secrets;
ALTER TABLE auth_configs DROP COLUMN verifier_url;
DROP TABLE project_settings;
