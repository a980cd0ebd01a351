-- What models noted in the tasks of a session, to be found again by later searches of the same task.

-- +goose Up
CREATE TABLE session_memories (
    project_id TEXT   NOT NULL,
    session_id TEXT   NOT NULL,
    task       TEXT   NOT NULL, -- hash of project, session, user and workflow id
    notes      BYTEA  NOT NULL, -- sealed: facts about people
    version    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, session_id, task),
    FOREIGN KEY (project_id, session_id) REFERENCES sessions (project_id, id) ON DELETE CASCADE
);
CREATE INDEX session_memories_by_change ON session_memories (project_id, session_id, changed_at, task);
CREATE INDEX session_memories_by_age ON session_memories (changed_at);

-- +goose Down
DROP TABLE session_memories;
