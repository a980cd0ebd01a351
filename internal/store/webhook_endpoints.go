package store

import (
	"context"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

const endpointColumns = `project_id, id, toolkit, client_id, instance_id, data, confirmed, created_at, updated_at, version`

// endpointRow is an endpoint as it is stored.
type endpointRow struct {
	trigger.Endpoint
	data []byte // sealed
}

func scanEndpoint(r row) (e endpointRow, err error) {
	err = r.Scan(&e.ProjectID, &e.ID, &e.Toolkit, &e.ClientID, text{&e.InstanceID}, &e.data, &e.Confirmed, at(&e.CreatedAt), at(&e.UpdatedAt), &e.Version)
	return e, err
}

// values gives what is stored, in the order of endpointColumns.
func (e *endpointRow) values() []any {
	return []any{e.ProjectID, e.ID, e.Toolkit, e.ClientID, orNull(e.InstanceID), e.data, e.Confirmed, micros(e.CreatedAt), micros(e.UpdatedAt), e.Version}
}

func (s *Store) sealEndpoint(ctx context.Context, e *endpointRow) error {
	v, err := s.vaultOf(ctx, e.ProjectID, "webhook_endpoints", e.ID)
	if err == nil {
		e.data, err = v.sealFields(connect.Fields(e.Data), "data")
	}
	return err
}

func (s *Store) openEndpoint(ctx context.Context, e *endpointRow) (trigger.Endpoint, error) {
	v, err := s.vaultOf(ctx, e.ProjectID, "webhook_endpoints", e.ID)
	if err == nil {
		var data connect.Fields
		data, err = v.openFields(e.data, "data")
		e.Data = data
	}
	return e.Endpoint, err
}

func noEndpoint(what string) error {
	return fault.New(fault.NotFound, fault.SlugEndpointNotFound, "There is no webhook endpoint %s in this project.", what).
		WithFix("GET /api/v3.1/webhook_endpoints lists those that there are.")
}

func insertEndpoint(t *tx, e *endpointRow) error {
	_, err := t.exec(`INSERT INTO webhook_endpoints (`+endpointColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, e.values()...)
	return err
}

// CreateEndpoint stores an endpoint. Its version becomes 1.
func (s *Store) CreateEndpoint(ctx context.Context, e trigger.Endpoint) error {
	r := &endpointRow{Endpoint: e}
	r.Version = 1
	if err := s.sealEndpoint(ctx, r); err != nil {
		return err
	}
	err := s.write(ctx, "store webhook endpoint", func(t *tx) error { return insertEndpoint(t, r) })
	if s.db.violation(err).unique {
		return fault.New(fault.Conflict, fault.SlugConflict, "There is a webhook endpoint for %s and client %s already.", e.Toolkit, e.ClientID).Because(err)
	}
	return err
}

// Endpoint gives an endpoint with its secrets.
func (s *Store) Endpoint(ctx context.Context, projectID, id string) (trigger.Endpoint, error) {
	return s.oneEndpoint(ctx, id, `project_id = $1 AND id = $2`, projectID, id)
}

// EndpointCalled finds an endpoint of any project.
func (s *Store) EndpointCalled(ctx context.Context, id string) (trigger.Endpoint, error) {
	return s.oneEndpoint(ctx, id, `id = $1`, id)
}

// EndpointFor finds the endpoint of a whole app.
func (s *Store) EndpointFor(ctx context.Context, projectID, toolkit, clientID string) (trigger.Endpoint, error) {
	return s.oneEndpoint(ctx, "for "+clientID, `project_id = $1 AND toolkit = $2 AND client_id = $3 AND instance_id IS NULL`, projectID, toolkit, clientID)
}

func (s *Store) oneEndpoint(ctx context.Context, named, where string, args ...any) (trigger.Endpoint, error) {
	r, err := scanEndpoint(s.db.reader().QueryRowContext(ctx, `SELECT `+endpointColumns+` FROM webhook_endpoints WHERE `+where, args...))
	if err != nil {
		return trigger.Endpoint{}, s.wrap("read webhook endpoint", s.orMissing(err, func() error { return noEndpoint(named) }))
	}
	e, err := s.openEndpoint(ctx, &r)
	return e, s.wrap("read webhook endpoint", err)
}

// UpdateEndpoint reads, changes and writes in one step.
func (s *Store) UpdateEndpoint(ctx context.Context, projectID, id string, update func(*trigger.Endpoint) error) (trigger.Endpoint, error) {
	r := &endpointRow{}
	err := swap(ctx, "Webhook endpoint "+id, func() (err error) {
		if r.Endpoint, err = s.Endpoint(ctx, projectID, id); err != nil {
			return err
		}
		version := r.Version
		if err := update(&r.Endpoint); err != nil {
			return err
		}
		r.ID, r.ProjectID, r.Version = id, projectID, version+1
		if err := s.sealEndpoint(ctx, r); err != nil {
			return err
		}
		return s.write(ctx, "update webhook endpoint", func(t *tx) error {
			n, err := t.exec(`UPDATE webhook_endpoints SET data = $3, confirmed = $4, updated_at = $5, version = $6
				WHERE project_id = $1 AND id = $2 AND version = $6 - 1`, projectID, id, r.data, r.Confirmed, micros(r.UpdatedAt), r.Version)
			if err == nil && n == 0 {
				return errSwapped
			}
			return err
		})
	})
	return r.Endpoint, err
}

// ListEndpoints gives the endpoints of whole apps, oldest first.
func (s *Store) ListEndpoints(ctx context.Context, projectID, toolkit string) ([]trigger.Endpoint, error) {
	var where conditions
	where.and("project_id = ?", projectID)
	where.and("instance_id IS NULL")
	if toolkit != "" {
		where.and("toolkit = ?", toolkit)
	}
	rows, err := collect(ctx, s.db.listReader(), scanEndpoint,
		`SELECT `+endpointColumns+` FROM webhook_endpoints`+where.text+` ORDER BY created_at, id`, where.args...)
	if err != nil {
		return nil, s.wrap("list webhook endpoints", err)
	}
	endpoints := make([]trigger.Endpoint, len(rows))
	for i := range rows {
		if endpoints[i], err = s.openEndpoint(ctx, &rows[i]); err != nil {
			return nil, s.wrap("list webhook endpoints", err)
		}
	}
	return endpoints, nil
}

// Receive stores a call's digest, if it has one, with its events; false when the digest was there, and not longer than it counts.
func (s *Store) Receive(ctx context.Context, e trigger.Endpoint, r trigger.Receipt, events []event.Event) (bool, error) {
	rows, err := s.sealEvents(ctx, events)
	if err != nil {
		return false, err
	}
	first := false
	err = s.write(ctx, "store a webhook call", func(t *tx) error {
		if first = true; r.Digest != "" {
			now := s.now()
			n, err := t.exec(`INSERT INTO webhook_receipts (project_id, endpoint_id, digest, received_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (project_id, endpoint_id, digest) DO UPDATE SET received_at = excluded.received_at WHERE webhook_receipts.received_at <= $5`,
				e.ProjectID, e.ID, r.Digest, micros(now), micros(now.Add(-r.For)))
			if first = n > 0; err != nil || !first {
				return err
			}
		}
		added, err := s.appendEvents(t, rows)
		if len(events) > 0 && len(added) == 0 {
			first = false // all of its events came before, in another call
		}
		return err
	})
	return first, err
}

// DeleteReceiptsBefore forgets calls that came before a time.
func (s *Store) DeleteReceiptsBefore(ctx context.Context, before time.Time) (int, error) {
	return s.inBatches(ctx, "delete webhook receipts", func(t *tx) (int, error) {
		n, err := t.exec(`DELETE FROM webhook_receipts WHERE (project_id, endpoint_id, digest) IN (
			SELECT project_id, endpoint_id, digest FROM webhook_receipts WHERE received_at < $1 LIMIT $2)`, micros(before), batch)
		return int(n), err
	})
}
