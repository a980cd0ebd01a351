-- One row that is written to find out whether the database takes writes.

-- +goose Up
CREATE TABLE write_checks (
    id    BIGINT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL
);

-- +goose Down
DROP TABLE write_checks;
