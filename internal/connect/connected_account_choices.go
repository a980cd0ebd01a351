package connect

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Choices are the accounts among which Select chooses, for those who have to show or explain the choice.
type Choices struct {
	All     []Choice
	Used    *ConnectedAccount // what Select gives; nil when it gives an error
	Problem error             // what Select says instead; nil beside Used
}

// Choice is one account that a selection allows, or an id that it names.
type Choice struct {
	Account ConnectedAccount // only the ID is set when nothing is there for this user any more
	Problem error            // why it cannot be used; nil when it can
}

// Choices gives the accounts of a selection with what is wrong with each, and what Select makes of them. Warm calls read
// memory only.
func (s *Service) Choices(ctx context.Context, c tenant.Caller, sel Selection) (Choices, error) {
	t, err := s.toolkit(c, sel.Toolkit)
	if err != nil {
		return Choices{}, err
	}
	candidates, err := s.candidates(ctx, c, t, sel)
	if err != nil {
		return Choices{}, err
	}
	choices := Choices{All: make([]Choice, len(candidates))}
	for i, k := range candidates {
		choices.All[i] = Choice{Account: k.account, Problem: k.problem}
	}
	used, err := s.choose(t, sel, candidates)
	if err != nil {
		choices.Problem = fault.From(err)
		return choices, nil
	}
	choices.Used = &used
	return choices, nil
}

// WasDeleted tells an account that is gone from an id that the project never had.
func (s *Service) WasDeleted(ctx context.Context, c tenant.Caller, accountID string) (bool, error) {
	return s.store.AccountWasDeleted(ctx, c.ProjectID, accountID)
}
