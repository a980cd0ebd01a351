-- A process that is alone with its database ends the leases of the one before when it starts. These find them.

-- +goose Up
CREATE INDEX webhook_subscriptions_held ON webhook_subscriptions (lease_owner) WHERE lease_owner <> '';
CREATE INDEX trigger_instances_held ON trigger_instances (lease_owner) WHERE lease_owner <> '';

-- +goose Down
DROP INDEX trigger_instances_held;
DROP INDEX webhook_subscriptions_held;
