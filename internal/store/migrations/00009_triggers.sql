-- What is watched for which account, where providers call, and which of their calls came before.

-- +goose Up

CREATE TABLE trigger_instances (
    project_id     TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    user_id        TEXT   NOT NULL,
    toolkit        TEXT   NOT NULL,
    trigger_slug   TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    account_id     TEXT   NOT NULL,
    auth_config_id TEXT   NOT NULL,
    config         TEXT   NOT NULL,
    fingerprint    TEXT   NOT NULL, -- of config
    status         TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    why            TEXT   NOT NULL,
    stopped_at     BIGINT NOT NULL,
    endpoint_id    TEXT   NOT NULL,
    hook           TEXT   NOT NULL,
    position       TEXT   NOT NULL,
    failures       BIGINT NOT NULL,
    due_at         BIGINT NOT NULL, -- of the next look at a list; 0: none
    looked_at      BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    lease_owner    TEXT   NOT NULL,
    lease_until    BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, account_id) REFERENCES connected_accounts (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX trigger_instances_alike ON trigger_instances (project_id, account_id, trigger_slug, fingerprint);
CREATE INDEX trigger_instances_by_creation ON trigger_instances (project_id, created_at, id);
CREATE INDEX trigger_instances_by_user ON trigger_instances (project_id, user_id, created_at, id);
CREATE INDEX trigger_instances_by_endpoint ON trigger_instances (project_id, endpoint_id) WHERE endpoint_id <> '';
CREATE INDEX trigger_instances_due ON trigger_instances (due_at) WHERE due_at > 0;

CREATE TABLE webhook_endpoints (
    project_id  TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    toolkit     TEXT    NOT NULL,
    client_id   TEXT    NOT NULL,
    instance_id TEXT, -- whose own it is; NULL: a whole app's
    data        BYTEA,
    confirmed   BOOLEAN NOT NULL,
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    version     BIGINT  NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, instance_id) REFERENCES trigger_instances (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX webhook_endpoints_called ON webhook_endpoints (id);
CREATE UNIQUE INDEX webhook_endpoints_of_apps ON webhook_endpoints (project_id, toolkit, client_id) WHERE instance_id IS NULL;
CREATE INDEX webhook_endpoints_of_instances ON webhook_endpoints (project_id, instance_id) WHERE instance_id IS NOT NULL;

CREATE TABLE webhook_receipts (
    project_id  TEXT   NOT NULL,
    endpoint_id TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, endpoint_id, digest),
    FOREIGN KEY (project_id, endpoint_id) REFERENCES webhook_endpoints (project_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_receipts_by_time ON webhook_receipts (received_at);

-- +goose Down
DROP TABLE webhook_receipts;
DROP TABLE webhook_endpoints;
DROP TABLE trigger_instances;
