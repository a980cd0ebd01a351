package execute

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Defaults of Options.
const (
	DefaultDeadline  = 55 * time.Second // below the minute after which the official SDKs give up and call again
	DefaultMaxAnswer = 10 << 20
)

// Accounts chooses whose account a call uses and gives its credential. connect.Service is it.
type Accounts interface {
	Select(ctx context.Context, c tenant.Caller, sel connect.Selection) (connect.ConnectedAccount, error)
	Credential(ctx context.Context, c tenant.Caller, a connect.ConnectedAccount) (connect.Credential, error)
	// Rejected is told that the provider refused a credential, and says whether a fresh one is worth a try.
	Rejected(ctx context.Context, c tenant.Caller, a connect.ConnectedAccount, cred connect.Credential) (retry bool, err error)
	// CredentialFrom makes a credential of values that came with the call, in one of the toolkit's schemes.
	CredentialFrom(ctx context.Context, t *catalog.Toolkit, scheme string, values connect.Fields) (connect.Credential, error)
}

// Options of a Runner.
type Options struct {
	Accounts  Accounts
	Client    *outbound.Client
	Store     Store
	Files     Files            // where file arguments come from and file results go; nil: links to the web only
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: nothing is logged
	Called    func(LogEntry)   // is told of each call when it has ended, for metrics; must be quick; nil: nobody is told
	Deadline  time.Duration    // of one call, with all its requests; 0: DefaultDeadline
	MaxAnswer int64            // bytes of one answer of a provider; 0: DefaultMaxAnswer
	Programs  ProgramOptions   // for toolkits that are programs; they end with the Runner

	OnChange     catalog.OnChange                                   // of tools of MCP servers whose toolkits say nothing; empty: refuse
	ToolsChanged func(ctx context.Context, project, toolkit string) // is told that an MCP server has other tools than before; nil: nobody is told
}

// Runner runs calls. It is safe for concurrent use. Start it to have the log written; Stop it to have the rest written.
type Runner struct {
	accounts  Accounts
	client    *outbound.Client
	store     Store
	files     Files
	now       func() time.Time
	log       *slog.Logger
	called    func(LogEntry)
	deadline  time.Duration
	maxAnswer int64
	schemas   *schemas
	onChange  catalog.OnChange
	changed   func(ctx context.Context, project, toolkit string)
	servers   *mcpSessions
	programs  *programs
	lists     *serverLists
	listeners *mcpListeners

	background background
	entries    *logBatch
}

// New makes a Runner. Accounts, Client and Store are needed.
func New(o Options) (*Runner, error) {
	if o.Accounts == nil || o.Client == nil || o.Store == nil {
		return nil, errors.New("execute: Options needs Accounts, Client and Store")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Called == nil {
		o.Called = func(LogEntry) {}
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultDeadline
	}
	if o.MaxAnswer <= 0 {
		o.MaxAnswer = DefaultMaxAnswer
	}
	if o.ToolsChanged == nil {
		o.ToolsChanged = func(context.Context, string, string) {}
	}
	r := &Runner{
		accounts: o.Accounts, client: o.Client, store: o.Store, files: o.Files, now: o.Now, log: o.Log, called: o.Called,
		deadline: o.Deadline, maxAnswer: o.MaxAnswer,
		schemas:  newSchemas(o.Log, schemaBytes),
		onChange: o.OnChange.Or(catalog.OnChangeRefuse), changed: o.ToolsChanged,
		programs: newPrograms(o.Programs, o.Log, o.Now, int(o.MaxAnswer)),
		lists:    newServerLists(o.Now), listeners: newMCPListeners(o.Now),
		entries: newLogBatch(o.Store, o.Log),
	}
	r.servers = newMCPSessions(o.Now, r.leaveServer)
	return r, nil
}

// Start begins to write the execution log in the background.
func (r *Runner) Start() { r.entries.start() }

// Stop writes what is left of the log, leaves the MCP servers and ends. Calls that are still running are not waited for.
func (r *Runner) Stop(ctx context.Context) error {
	err := r.entries.stop(ctx)
	r.listeners.hangUp()
	r.servers.close()
	r.programs.close(ctx)
	r.background.close(ctx)
	return err
}

// LogsDropped gives how many log entries were given up because the store did not keep up.
func (r *Runner) LogsDropped() int64 { return r.entries.dropped.Load() }

// Run executes one call. A Go error means the call did not reach the tool (bad arguments, no account): nothing happened at
// the provider. Whatever the provider answered, or failed to answer, is a Result.
func (r *Runner) Run(ctx context.Context, c tenant.Caller, call Call) (Result, error) {
	if call.Select.Toolkit == "" {
		call.Select.Toolkit = call.Tool.Toolkit.Slug
	}
	if call.IdempotencyKey != "" {
		return r.runOnce(ctx, c, call)
	}
	return r.run(ctx, c, call)
}

// run is one attempt at a call, logged.
func (r *Runner) run(ctx context.Context, c tenant.Caller, call Call) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.deadline, errDeadline)
	defer cancel()
	call.Select.Tool = call.Tool.Slug
	x := r.newExecution(c, call.Tool.Toolkit, call.Select, call.Custom)
	x.tool, x.detail = call.Tool, call.Tool.Detail()
	x.entry.Tool, x.entry.SessionID, x.entry.Origin = call.Tool.Slug, call.SessionID, call.Origin
	res, err := x.call(ctx, call)
	x.logOutcome(res.Error, err)
	res.LogID, res.AccountID, res.Status = x.entry.ID, x.account.ID, x.entry.Upstream
	if err != nil {
		return Result{LogID: res.LogID}, err
	}
	return res, nil
}

// call goes through the phases. Its order is the package's promise: nothing is sent before the arguments are right and the
// account is known.
func (x *execution) call(ctx context.Context, call Call) (Result, error) {
	if err := x.detail.Err; err != nil {
		return Result{}, fault.New(fault.Internal, fault.SlugInternal, "The declaration of %s cannot be read.", call.Tool.Slug).Because(err).
			WithFix("Ask the operator to run: patchbay doctor")
	}
	args, err := x.schemas.prepare(call.Tool, call.Arguments)
	if err != nil {
		return Result{}, err
	}
	if err := x.authorize(ctx, call.Tool.NoAuth); err != nil {
		return Result{}, err
	}
	if x.env.Input, err = x.openFiles(ctx, call.Tool, args.values); err != nil {
		return Result{}, err
	}
	data, err := x.ask(ctx)
	res, err := x.outcome(ctx, data, err)
	if err != nil {
		return Result{}, err
	}
	res.Notes = slices.Concat(args.notes, x.notes)
	if res.Error == "" && call.Offload != nil {
		if res.Data, err = call.Offload(ctx, res.Data); err != nil {
			return Result{}, err
		}
	}
	return res, nil
}

// ask runs the steps and the main request, and shapes the answer.
func (x *execution) ask(ctx context.Context) ([]byte, error) {
	if err := x.runSteps(ctx); err != nil {
		return nil, err
	}
	request := &x.detail.Request
	if !request.Main() {
		return x.shape(ctx, &answer{})
	}
	if request.MCP != nil {
		return x.askServer(ctx, request.MCP)
	}
	a, err := x.exchange(ctx, exchange{
		env: &x.env, http: request.HTTP, graphql: request.GraphQL, format: x.detail.Result.Format,
		repeatable: x.tool.Hints.Read || x.tool.Hints.Idempotent,
	})
	if err != nil {
		return nil, err
	}
	data, err := x.shape(ctx, &a)
	if err == nil && a.failed != nil {
		a.failed.data = data
		return nil, a.failed
	}
	return data, err
}

// outcome tells what the provider said, which is a Result, from what kept the call from reaching it, which is an error.
func (x *execution) outcome(ctx context.Context, data []byte, err error) (Result, error) {
	var failed *failure
	switch {
	case err == nil:
		return Result{Data: x.redact(data)}, nil
	case errors.As(err, &failed):
	case fault.Is(err, fault.Canceled): // nobody is left to read a result
		return Result{}, err
	case x.reached.Load():
		failed = x.failureAfter(ctx, err)
	default:
		return Result{}, err
	}
	res := Result{Data: emptyObject, Error: string(x.redact([]byte(failed.text()))), undone: failed.certain() && !x.wrote.Load()}
	if failed.data != nil {
		res.Data = x.redact(failed.data)
	}
	return res, nil
}

var emptyObject = []byte(`{}`)
