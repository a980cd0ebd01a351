-- Descriptions that projects posted, on their way to becoming toolkits of theirs, and what became of them.

-- +goose Up
CREATE TABLE imports (
    project_id  TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    request     BYTEA  NOT NULL, -- sealed: addresses and headers may hold credentials
    status      TEXT   NOT NULL,
    done        BIGINT NOT NULL,
    total       BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    result      TEXT   NOT NULL,
    failure     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    due_at      BIGINT NOT NULL, -- 0: it has ended
    lease_owner TEXT   NOT NULL,
    lease_until BIGINT NOT NULL,
    description BYTEA, -- sealed; that came along, until the import has ended
    PRIMARY KEY (project_id, id)
);
CREATE INDEX imports_by_creation ON imports (project_id, created_at, id);
CREATE INDEX imports_due ON imports (due_at) WHERE due_at > 0;
CREATE INDEX imports_waiting ON imports (project_id, created_at, id) WHERE due_at > 0;
CREATE INDEX imports_ended ON imports (finished_at) WHERE finished_at > 0;

-- +goose Down
DROP TABLE imports;
