package execute

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Runner runs calls.
type Runner struct{}

// Run executes one call. A Go error means the call did not reach the tool (bad arguments, no account): nothing happened at
// the provider. Whatever the provider answered is a Result.
func (r *Runner) Run(ctx context.Context, c tenant.Caller, call Call) (Result, error) {
	panic("being written")
}

// Proxy sends a raw request to a toolkit's API.
func (r *Runner) Proxy(ctx context.Context, c tenant.Caller, call ProxyCall) (ProxyResult, error) {
	panic("being written")
}
