package execute

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// runSteps runs the requests that come before the main one, in their order, and puts their results where expressions see
// them as steps.<name>.
func (x *execution) runSteps(ctx context.Context) error {
	steps := x.detail.Request.Steps
	if len(steps) == 0 {
		return nil
	}
	x.env.Steps = make(map[string]any, len(steps))
	for i := range steps {
		s := &steps[i]
		if s.When != nil {
			wanted, err := s.When.True(&x.env)
			if err != nil {
				return err
			}
			if !wanted {
				continue
			}
		}
		result, err := x.runStep(ctx, s)
		if err != nil {
			return err
		}
		x.env.Steps[s.Name] = result
	}
	return nil
}

func (x *execution) runStep(ctx context.Context, s *catalog.Step) (any, error) {
	switch {
	case s.ForEach != nil:
		return x.runForEach(ctx, s)
	case s.Repeat != nil:
		return x.runRepeat(ctx, s)
	default:
		result, _, err := x.stepOnce(ctx, s, x.env)
		return result, err
	}
}

// runForEach sends the request once for each element of a list, several at a time, and gives the results in the list's
// order. After a failure no further request is begun; those on their way are let finish, since they may change things.
func (x *execution) runForEach(ctx context.Context, s *catalog.Step) (any, error) {
	v, err := s.ForEach.List.Eval(&x.env)
	if err != nil {
		return nil, err
	}
	list := asList(v)
	if most := s.ForEach.Max; most > 0 && len(list) > most {
		x.note("Only the first " + itoa(most) + " of " + itoa(len(list)) + " were handled (" + s.Name + ").")
		list = list[:most]
	}
	results := make([]any, len(list))
	var group errgroup.Group
	group.SetLimit(max(1, s.ForEach.Parallel))
	var stop atomic.Bool
	for i, item := range list {
		if stop.Load() {
			break
		}
		group.Go(func() error {
			env := x.env
			env.Item = item
			result, _, err := x.stepOnce(ctx, s, env)
			if err != nil {
				stop.Store(true)
			}
			results[i] = result
			return err
		})
	}
	return results, group.Wait()
}

// runRepeat sends the request again while the answer says that there is more, and gives the list of the results.
func (x *execution) runRepeat(ctx context.Context, s *catalog.Step) (any, error) {
	results := []any{}
	env := x.env
	for range max(1, s.Repeat.Max) {
		result, a, err := x.stepOnce(ctx, s, env)
		if err != nil {
			return nil, err
		}
		if a == nil { // optional, and it failed
			return results, nil
		}
		results = append(results, result)
		seen := a.env(&env)
		next, err := s.Repeat.Next.Eval(&seen)
		if err != nil {
			return nil, err
		}
		if next == nil || next == "" || next == false {
			return results, nil
		}
		env.Cursor = next
	}
	x.note("There is more than the " + itoa(len(results)) + " pages that were read (" + s.Name + ").")
	return results, nil
}

// stepOnce sends a step's request once. An optional step that fails has the result nil and no answer.
func (x *execution) stepOnce(ctx context.Context, s *catalog.Step, env mapping.Env) (any, *answer, error) {
	result, a, err := x.tryStep(ctx, s, &env)
	var failed *failure
	if s.Optional && errors.As(err, &failed) && ctx.Err() == nil {
		return nil, nil, nil
	}
	return result, a, err
}

func (x *execution) tryStep(ctx context.Context, s *catalog.Step, env *mapping.Env) (any, *answer, error) {
	a, err := x.exchange(ctx, exchange{env: env, http: s.HTTP, graphql: s.GraphQL, repeatable: x.tool.Hints.Idempotent || readsOnly(x.tool, s)})
	switch {
	case err != nil:
		return nil, nil, err
	case a.failed != nil:
		return nil, nil, a.failed
	case !a.readable():
		return nil, nil, x.unreadable(&a)
	case s.Result == nil:
		return a.decode(), &a, nil
	}
	seen := a.env(env)
	result, err := s.Result.Eval(&seen)
	return result, &a, err
}

// readsOnly reports whether a step changes nothing: a tool that writes usually looks something up first.
func readsOnly(t *catalog.Tool, s *catalog.Step) bool {
	return t.Hints.Read || s.HTTP != nil && (s.HTTP.Method == http.MethodGet || s.HTTP.Method == http.MethodHead)
}

func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}
