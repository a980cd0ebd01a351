package trigger

import (
	"context"
	"errors"

	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/job"
)

// LookAtDue does the polls that are due now, one after the other, as a node of its own would: tests do not wait for the loop.
func (s *Service) LookAtDue(ctx context.Context) error {
	owner := id.New("node")
	for {
		now := s.now()
		lease := job.Lease{Owner: owner, Now: now, Until: now.Add(lookFor)}
		due, err := s.store.ClaimPolls(ctx, lease, 1)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, i := range due {
			err = errors.Join(err, s.poll(ctx, lease, i))
		}
		if err != nil {
			return err
		}
	}
}
