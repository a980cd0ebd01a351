-- Events, who is to be told of them, and how the telling goes.

-- +goose Up

-- The last position of each project's log. Whoever appends holds its row until the commit, so that positions become visible in
-- their order and a reader that goes on from the last it saw misses none.
CREATE TABLE event_heads (
    project_id TEXT   NOT NULL PRIMARY KEY,
    position   BIGINT NOT NULL
);

CREATE TABLE events (
    project_id     TEXT   NOT NULL,
    position       BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    key            TEXT   NOT NULL,
    type           TEXT   NOT NULL,
    log_id         TEXT   NOT NULL,
    toolkit        TEXT   NOT NULL,
    trigger_slug   TEXT   NOT NULL,
    trigger_id     TEXT   NOT NULL,
    account_id     TEXT   NOT NULL,
    auth_config_id TEXT   NOT NULL,
    user_id        TEXT   NOT NULL,
    data           BYTEA  NOT NULL,
    occurred_at    BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (project_id, position)
);
CREATE UNIQUE INDEX events_by_id ON events (project_id, id);
CREATE UNIQUE INDEX events_by_key ON events (project_id, key);
CREATE INDEX events_by_creation ON events (created_at);

CREATE TABLE webhook_subscriptions (
    project_id      TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    url             TEXT   NOT NULL,
    payload         TEXT   NOT NULL, -- V1, V2 or V3
    filter          TEXT   NOT NULL,
    status          TEXT   NOT NULL,
    disabled_reason TEXT   NOT NULL,
    secret          BYTEA,
    previous_secret BYTEA,
    previous_until  BIGINT NOT NULL,
    failures        BIGINT NOT NULL, -- since something was delivered
    paused_until    BIGINT NOT NULL, -- because of them
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    due_at          BIGINT NOT NULL, -- when its earliest pending delivery is due; 0: there is none
    lease_owner     TEXT   NOT NULL,
    lease_until     BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX webhook_subscriptions_by_creation ON webhook_subscriptions (project_id, created_at, id);
CREATE INDEX webhook_subscriptions_due ON webhook_subscriptions (due_at) WHERE due_at > 0;

CREATE TABLE event_deliveries (
    project_id      TEXT   NOT NULL,
    subscription_id TEXT   NOT NULL,
    position        BIGINT NOT NULL, -- of the event
    status          TEXT   NOT NULL,
    attempts        BIGINT NOT NULL,
    due_at          BIGINT NOT NULL,
    given_up_at     BIGINT NOT NULL, -- when it will be, if it does not succeed
    created_at      BIGINT NOT NULL,
    attempted_at    BIGINT NOT NULL,
    took            BIGINT NOT NULL, -- microseconds, of the last attempt
    response        BIGINT NOT NULL, -- HTTP status of the last attempt
    error           TEXT   NOT NULL,
    PRIMARY KEY (project_id, subscription_id, position),
    FOREIGN KEY (project_id, subscription_id) REFERENCES webhook_subscriptions (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, position) REFERENCES events (project_id, position) ON DELETE CASCADE
);
CREATE INDEX event_deliveries_by_event ON event_deliveries (project_id, position);
CREATE INDEX event_deliveries_due ON event_deliveries (project_id, subscription_id, due_at) WHERE status = 'pending';

-- +goose Down
DROP TABLE event_deliveries;
DROP TABLE webhook_subscriptions;
DROP TABLE events;
DROP TABLE event_heads;
