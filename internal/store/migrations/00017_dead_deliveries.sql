-- Deliveries that were given up are looked for among all projects.

-- +goose Up
CREATE INDEX event_deliveries_dead ON event_deliveries (created_at) WHERE status = 'dead';

-- +goose Down
DROP INDEX event_deliveries_dead;
