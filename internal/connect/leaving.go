package connect

import "context"

// leave tells that an account is about to be deleted. Only one whose credential works can have anything removed with it.
func (s *Service) leave(ctx context.Context, a ConnectedAccount) {
	if s.o.Leaving != nil && a.Status == Active {
		s.o.Leaving(ctx, a)
	}
}
