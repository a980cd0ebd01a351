-- Keys are rotated while the server runs: when each keyset got its primary key, and the one rotation that is or was under way.

-- +goose Up
ALTER TABLE keysets ADD COLUMN rotated_at BIGINT NOT NULL DEFAULT 0;
CREATE TABLE key_rotations (
    id          BIGINT NOT NULL PRIMARY KEY, -- always 1
    started_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE key_rotations;
ALTER TABLE keysets DROP COLUMN rotated_at;
