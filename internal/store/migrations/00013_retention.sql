-- What retention looks for: ids of accounts that went long ago, and links that ended and still hold something sealed.

-- +goose Up
CREATE INDEX deleted_accounts_by_deletion ON deleted_accounts (deleted_at);
CREATE INDEX connection_requests_sealed ON connection_requests (expires_at)
    WHERE verifier IS NOT NULL OR prefill IS NOT NULL OR held IS NOT NULL;

-- +goose Down
DROP INDEX connection_requests_sealed;
DROP INDEX deleted_accounts_by_deletion;
