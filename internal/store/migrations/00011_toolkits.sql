-- Toolkits that were added, with all versions of each, and the versions that projects are pinned to. The server's own have an
-- empty project. A document is compressed and not sealed: it holds nothing secret.

-- +goose Up
CREATE TABLE toolkits (
    project_id TEXT   NOT NULL,
    slug       TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    form       TEXT   NOT NULL,
    origin     TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    tools      BIGINT NOT NULL,
    changes    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, slug, version)
);

CREATE TABLE toolkit_documents ( -- apart, so that lists do not read past them
    project_id TEXT  NOT NULL,
    slug       TEXT  NOT NULL,
    version    TEXT  NOT NULL,
    document   BYTEA NOT NULL,
    PRIMARY KEY (project_id, slug, version)
);

CREATE TABLE toolkit_pins (
    project_id TEXT NOT NULL,
    slug       TEXT NOT NULL,
    version    TEXT NOT NULL,
    PRIMARY KEY (project_id, slug)
);

-- +goose Down
DROP TABLE toolkit_pins;
DROP TABLE toolkit_documents;
DROP TABLE toolkits;
