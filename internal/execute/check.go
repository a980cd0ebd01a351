package execute

import "github.com/patchbay-dev/patchbay/internal/catalog"

// Check coerces and checks arguments as Run would, without running anything. It gives them with defaults filled in, and what was
// changed or left out. A fault of kind Invalid has each problem in its Details.
func (r *Runner) Check(t *catalog.Tool, given map[string]any) (values map[string]any, notes []string, err error) {
	args, err := r.schemas.prepare(t, given)
	return args.values, args.notes, err
}
