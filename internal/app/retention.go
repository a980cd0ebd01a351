package app

import (
	"context"
	"errors"
	"time"
)

const (
	// deletedKept is for how long a session that names a deleted account is told so, and not that the id is wrong.
	deletedKept = 365 * 24 * time.Hour
	// sealedKept is for how long an ended link keeps what it had sealed: a user may come back to it a little late.
	sealedKept = 24 * time.Hour
)

// retain clears what was kept only to explain itself, and takes what was deleted or replaced off the disk.
func (p *parts) retain(ctx context.Context, now time.Time) error {
	_, forgotten := p.store.ForgetDeletedBefore(ctx, now.Add(-deletedKept))
	_, wiped := p.store.WipeRequestsBefore(ctx, now.Add(-sealedKept))
	return errors.Join(forgotten, wiped, p.store.Scrub(ctx))
}
