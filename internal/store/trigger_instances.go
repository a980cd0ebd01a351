package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/event"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/job"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/trigger"
)

const instanceColumns = `project_id, id, user_id, toolkit, trigger_slug, kind, account_id, auth_config_id, config, fingerprint, status, reason, why,
	stopped_at, endpoint_id, hook, position, failures, due_at, looked_at, created_at, updated_at, version`

func scanInstance(r row) (i trigger.Instance, err error) {
	var stored string
	err = r.Scan(&i.ProjectID, &i.ID, &i.UserID, &i.Toolkit, &i.Trigger, &i.Kind, &i.AccountID, &i.AuthConfigID, exact{&i.Config}, &stored,
		&i.Status, &i.Reason, &i.Why, at(&i.StoppedAt), &i.EndpointID, exact{&i.Hook}, exact{&i.Position}, &i.Failures, at(&i.DueAt),
		at(&i.LookedAt), at(&i.CreatedAt), at(&i.UpdatedAt), &i.Version)
	mapping.PlainNumbers(i.Config)
	mapping.PlainNumbers(i.Hook)
	i.Position.Mark = mapping.PlainNumbers(i.Position.Mark)
	if i.Position.Sweep != nil {
		i.Position.Sweep.Page, i.Position.Sweep.Mark = mapping.PlainNumbers(i.Position.Sweep.Page), mapping.PlainNumbers(i.Position.Sweep.Mark)
	}
	return i, err
}

// instanceValues gives what is stored, in the order of instanceColumns.
func instanceValues(i trigger.Instance) []any {
	return []any{i.ProjectID, i.ID, i.UserID, i.Toolkit, i.Trigger, i.Kind, i.AccountID, i.AuthConfigID, asJSON(i.Config), i.Fingerprint(),
		string(i.Status), string(i.Reason), i.Why, micros(i.StoppedAt), i.EndpointID, asJSON(i.Hook), asJSON(i.Position), i.Failures,
		micros(i.DueAt), micros(i.LookedAt), micros(i.CreatedAt), micros(i.UpdatedAt), i.Version}
}

// exact scans a document whose numbers must stay as they are: ids of providers are longer than floating point holds.
type exact struct{ to any }

// Scan implements sql.Scanner.
func (e exact) Scan(value any) error {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return fmt.Errorf("a document is stored as %T", value)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(e.to)
}

func noInstance(id string) error {
	return fault.New(fault.NotFound, fault.SlugTriggerNotFound, "There is no trigger %s in this project.", id).
		WithFix("GET /api/v3.1/trigger_instances/active?show_disabled=true lists those that there are.")
}

// CreateInstance stores an instance, and the endpoint that is its own if there is one.
func (s *Store) CreateInstance(ctx context.Context, i trigger.Instance, own *trigger.Endpoint) error {
	i.Version = 1
	var endpoint *endpointRow
	if own != nil {
		endpoint = &endpointRow{Endpoint: *own}
		endpoint.Version = 1
		if err := s.sealEndpoint(ctx, endpoint); err != nil {
			return err
		}
	}
	err := s.write(ctx, "store trigger instance", func(t *tx) error {
		_, err := t.exec(`INSERT INTO trigger_instances (`+instanceColumns+`, lease_owner, lease_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, '', 0)`, instanceValues(i)...)
		if err == nil && endpoint != nil {
			err = insertEndpoint(t, endpoint)
		}
		return err
	})
	switch broken := s.db.violation(err); {
	case broken.unique:
		return fault.New(fault.Conflict, fault.SlugConflict, "Account %s has a trigger %s with this configuration already.", i.AccountID, i.Trigger).Because(err)
	case broken.foreignKey:
		return noAccount(i.AccountID)
	}
	return err
}

// Instance gives an instance.
func (s *Store) Instance(ctx context.Context, projectID, id string) (trigger.Instance, error) {
	return s.oneInstance(ctx, id, `project_id = $1 AND id = $2`, projectID, id)
}

// InstanceLike finds the instance of an account by type and configuration.
func (s *Store) InstanceLike(ctx context.Context, projectID, accountID, slug, fingerprint string) (trigger.Instance, error) {
	return s.oneInstance(ctx, slug, `project_id = $1 AND account_id = $2 AND trigger_slug = $3 AND fingerprint = $4`,
		projectID, accountID, slug, fingerprint)
}

func (s *Store) oneInstance(ctx context.Context, named, where string, args ...any) (trigger.Instance, error) {
	i, err := scanInstance(s.db.reader().QueryRowContext(ctx, `SELECT `+instanceColumns+` FROM trigger_instances WHERE `+where, args...))
	return i, s.wrap("read trigger instance", s.orMissing(err, func() error { return noInstance(named) }))
}

// UpdateInstance reads, changes and writes in one step, with the events that tell of it.
func (s *Store) UpdateInstance(ctx context.Context, projectID, id string, update func(*trigger.Instance) ([]event.Event, error)) (trigger.Instance, error) {
	var i trigger.Instance
	err := swap(ctx, "Trigger "+id, func() (err error) {
		if i, err = s.Instance(ctx, projectID, id); err != nil {
			return err
		}
		version := i.Version
		events, err := update(&i)
		if err != nil {
			return err
		}
		i.ID, i.ProjectID, i.Version = id, projectID, version+1
		rows, err := s.sealEvents(ctx, events)
		if err != nil {
			return err
		}
		return s.replaceInstance(ctx, i, rows)
	})
	return i, err
}

// replaceInstance writes an instance if the version before it is still what is stored. Whose it is never changes.
func (s *Store) replaceInstance(ctx context.Context, i trigger.Instance, events []eventRow) error {
	return s.write(ctx, "update trigger instance", func(t *tx) error {
		n, err := t.exec(`UPDATE trigger_instances SET status = $3, reason = $4, why = $5, stopped_at = $6, endpoint_id = $7, hook = $8, position = $9,
			failures = $10, due_at = $11, looked_at = $12, updated_at = $13, version = $14
			WHERE project_id = $1 AND id = $2 AND version = $14 - 1`,
			i.ProjectID, i.ID, string(i.Status), string(i.Reason), i.Why, micros(i.StoppedAt), i.EndpointID, asJSON(i.Hook), asJSON(i.Position),
			i.Failures, micros(i.DueAt), micros(i.LookedAt), micros(i.UpdatedAt), i.Version)
		if err != nil {
			return err
		}
		if n == 0 {
			return errSwapped
		}
		_, err = s.appendEvents(t, events)
		return err
	})
}

// DeleteInstance deletes an instance with the endpoint that is its own.
func (s *Store) DeleteInstance(ctx context.Context, projectID, id string) error {
	return s.write(ctx, "delete trigger instance", func(t *tx) error {
		n, err := t.exec(`DELETE FROM trigger_instances WHERE project_id = $1 AND id = $2`, projectID, id)
		if err == nil && n == 0 {
			return noInstance(id)
		}
		return err
	})
}

// ListInstances gives instances, the newest first.
func (s *Store) ListInstances(ctx context.Context, projectID string, f trigger.Filter) ([]trigger.Instance, connect.Page, error) {
	l := listing[trigger.Instance]{
		columns: instanceColumns, from: "trigger_instances", order: "created_at", tie: "id", limit: f.Limit, cursor: f.Cursor, scan: scanInstance,
		key: func(i trigger.Instance) (int64, string) { return micros(i.CreatedAt), i.ID },
	}
	l.where.and("project_id = ?", projectID)
	in(&l.where, "id", f.IDs)
	in(&l.where, "trigger_slug", f.Triggers)
	in(&l.where, "user_id", f.UserIDs)
	in(&l.where, "account_id", f.AccountIDs)
	in(&l.where, "auth_config_id", f.AuthConfigIDs)
	if !f.ShowStopped {
		l.where.and("status = ?", string(trigger.Active))
	}
	instances, page, err := list(ctx, s, l)
	return instances, page, s.wrap("list trigger instances", err)
}

// EndpointInstances gives the instances whose calls arrive at an endpoint, but for DISABLED ones.
func (s *Store) EndpointInstances(ctx context.Context, projectID, endpointID string) ([]trigger.Instance, error) {
	instances, err := collect(ctx, s.db.reader(), scanInstance, `SELECT `+instanceColumns+` FROM trigger_instances
		WHERE project_id = $1 AND endpoint_id = $2 AND status <> 'DISABLED' ORDER BY created_at, id`, projectID, endpointID)
	return instances, s.wrap("list trigger instances of an endpoint", err)
}

// ClaimPolls leases polls that are due.
func (s *Store) ClaimPolls(ctx context.Context, l job.Lease, n int) ([]trigger.Instance, error) {
	var claimed []trigger.Instance
	err := s.write(ctx, "claim polls", func(t *tx) (err error) {
		claimed, err = collect(t.ctx, t.queryer, scanInstance, `UPDATE trigger_instances SET lease_owner = $1, lease_until = $3
			WHERE (project_id, id) IN (SELECT project_id, id FROM trigger_instances
				WHERE due_at > 0 AND due_at <= $2 AND lease_until <= $2 ORDER BY due_at LIMIT $4)
			AND lease_until <= $2 RETURNING `+instanceColumns, l.Owner, micros(l.Now), micros(l.Until), n)
		return err
	})
	return claimed, err
}

// RenewPoll prolongs a lease; false when the owner has it no more.
func (s *Store) RenewPoll(ctx context.Context, l job.Lease, i trigger.Instance) (bool, error) {
	held := false
	err := s.write(ctx, "renew the lease of a poll", func(t *tx) error {
		n, err := t.exec(`UPDATE trigger_instances SET lease_until = $4 WHERE project_id = $1 AND id = $2 AND lease_owner = $3`,
			i.ProjectID, i.ID, l.Owner, micros(l.Until))
		held = n > 0
		return err
	})
	return held, err
}

// NextPoll gives when the earliest poll that nobody holds is due.
func (s *Store) NextPoll(ctx context.Context, now time.Time) (time.Time, error) {
	var due time.Time
	err := s.db.reader().QueryRowContext(ctx, `SELECT due_at FROM trigger_instances
		WHERE due_at > 0 AND lease_until <= $1 ORDER BY due_at LIMIT 1`, micros(now)).Scan(at(&due))
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return due, s.wrap("find the next poll", err)
}

// FinishPoll stores where a poll stands with what it found, and gives the lease up.
func (s *Store) FinishPoll(ctx context.Context, l job.Lease, i trigger.Instance, found []event.Event) (bool, error) {
	rows, err := s.sealEvents(ctx, found)
	if err != nil {
		return false, err
	}
	stored := false
	err = s.write(ctx, "finish poll", func(t *tx) error {
		n, err := t.exec(`UPDATE trigger_instances SET position = $4, failures = $5, due_at = $6, looked_at = $7, lease_owner = '', lease_until = 0
			WHERE project_id = $1 AND id = $2 AND lease_owner = $3 AND status = $8`,
			i.ProjectID, i.ID, l.Owner, asJSON(i.Position), i.Failures, micros(i.DueAt), micros(i.LookedAt), string(i.Status))
		if err != nil {
			return err
		}
		if stored = n > 0; !stored { // disabled or taken over meanwhile: only the lease is given up
			_, err = t.exec(`UPDATE trigger_instances SET lease_owner = '', lease_until = 0 WHERE project_id = $1 AND id = $2 AND lease_owner = $3`,
				i.ProjectID, i.ID, l.Owner)
			return err
		}
		_, err = s.appendEvents(t, rows)
		return err
	})
	return stored, err
}
