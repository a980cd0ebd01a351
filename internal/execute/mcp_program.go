package execute

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/process"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// basicVariables are what a program gets of the server's environment without being named: what it needs to be found, to find its
// files, and to write. Nothing of it is a secret.
var basicVariables = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR",
	"APPDATA", "LOCALAPPDATA", "USERPROFILE", "SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP", "PATHEXT", "COMSPEC",
}

// secretName is what variables are called that hold secrets.
var secretName = regexp.MustCompile(`(?i)KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|DSN|_URL$|_URI$`)

// ProgramCommand is what a toolkit's program is started with: its definition, what it inherits of the server's environment, what
// the operator set for it, and what an account brings. The later wins.
func ProgramCommand(p *catalog.Program, lookup func(name string) (string, bool), set, account map[string]secret.Value) process.Command {
	c := process.Command{Args: p.Command, Env: map[string]string{}, Dir: p.Dir}
	for _, name := range slices.Concat(basicVariables, p.Inherit) {
		if v, ok := lookup(name); ok {
			c.Env[name] = v
		}
	}
	for _, name := range p.Inherit {
		if v, ok := lookup(name); ok && secretName.MatchString(name) {
			c.Hide = append(c.Hide, secret.Hide(v))
		}
	}
	maps.Copy(c.Env, p.Env)
	for _, more := range []map[string]secret.Value{set, account} {
		for name, v := range more {
			c.Env[name] = v.Reveal()
			c.Hide = append(c.Hide, v)
		}
	}
	return c
}

// callProgram calls a tool of an MCP server that is a program.
func (x *execution) callProgram(ctx context.Context, r *catalog.MCPRequest, params *mcp.CallToolParams, _ exchange) (answer, error) {
	started := x.now()
	defer func() { x.waited.Add(int64(x.now().Sub(started))) }()
	p, err := x.program(ctx)
	if err != nil {
		return answer{}, err
	}
	if err := x.confirmProgram(ctx, p, r); err != nil {
		var refused *failure
		if errors.As(err, &refused) {
			x.programs.release(p, nil, false)
			return answer{}, refused
		}
		x.programs.release(p, err, ctx.Err() != nil)
		return answer{}, x.unopened(x.programFailure(ctx, err))
	}
	x.reached.Store(true)
	res, err := p.session.CallTool(ctx, params)
	if x.programs.release(p, err, ctx.Err() != nil); err != nil {
		return answer{}, x.programFailure(ctx, err)
	}
	return x.serverAnswer(res)
}

// program gives the program that speaks for the call's account, and starts it where it does not run.
func (x *execution) program(ctx context.Context) (*program, error) {
	if c := x.custom; c != nil && (c.BaseURL != "" || len(c.Header)+len(c.Query)+len(c.Body) > 0) {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "%s is a program on the server's machine: no address, headers or parameters can be given for it.", x.service()).
			WithFix("Use a connected account, or the fields of one of its auth schemes.")
	}
	cred, _ := x.credential()
	set := x.programs.options.Env[x.toolkit.Slug]
	key := programKey{toolkit: x.toolkit.Slug, program: x.toolkit.Program.Print(), account: x.account.ID, env: printOf(cred.Env)}
	p, err := x.programs.take(ctx, key, func() process.Command {
		return ProgramCommand(x.toolkit.Program, x.programs.options.Lookup, set, cred.Env)
	})
	var f *fault.Error
	switch {
	case err == nil:
		return p, nil
	case ctx.Err() != nil:
		return nil, x.interrupted(ctx)
	case errors.As(err, &f):
		return nil, &failure{unsent: true, cause: err, message: "The MCP server of " + x.service() + " does not run. " + f.Message, fix: f.Fix}
	default:
		return nil, &failure{
			unsent: true, cause: err, message: "The MCP server of " + x.service() + " was started and " + startReason(err) + ".",
			fix: "The tool was not called. Try again later; if it stays, have the operator look at the server's log.",
		}
	}
}

// startReason says why a program that was started is of no use.
func startReason(err error) string {
	var ended *endedError
	switch {
	case errors.As(err, &ended):
		return "ended at once (" + ended.how + ")"
	case errors.Is(err, context.Canceled):
		return "was not ready within " + startPatience.String()
	default:
		return "did not answer as an MCP server does"
	}
}

// programFailure says what became of a call of a program.
func (x *execution) programFailure(ctx context.Context, err error) error {
	var said *jsonrpc.Error
	var own *fault.Error
	switch {
	case ctx.Err() != nil:
		return x.interrupted(ctx)
	case errors.As(err, &own):
		return own
	case understood(err) && errors.As(err, &said):
		text := clip(strings.Join(strings.Fields(said.Message), " "), maxSaid)
		return &failure{message: sentence(x.service() + " refused the call: " + or(text, "it does not say why"))}
	default:
		return &failure{
			broken: true, cause: err, message: "The MCP server of " + x.service() + " ended before it answered. It is started again with the next call.",
			fix: x.outcomeUnknown(),
		}
	}
}

// printOf identifies variables without holding them.
func printOf(env map[string]secret.Value) string {
	if len(env) == 0 {
		return ""
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(env)) {
		h.Write([]byte(name + "\x00" + env[name].Reveal() + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ProgramOptions say how MCP servers are run that are programs.
type ProgramOptions struct {
	Host   *process.Host                      // nil: none are run
	Lookup func(name string) (string, bool)   // the server's environment
	Env    map[string]map[string]secret.Value // what the operator set, by toolkit
	Max    int                                // how many run at the same time; 0: DefaultMaxPrograms
	Idle   time.Duration                      // after which one is ended that nobody calls; 0: DefaultProgramIdle
}

// Defaults of ProgramOptions.
const (
	DefaultMaxPrograms = 32
	DefaultProgramIdle = 5 * time.Minute
)

// Limits of single programs.
const (
	startPatience = time.Minute      // npx and its like load the program first
	pingPatience  = 5 * time.Second  // for one that did not answer a call
	provenAfter   = 10 * time.Second // one that ran this long, or answered, is started again at once
	maxRest       = time.Minute      // before a program is started again that keeps ending
)

func (o ProgramOptions) withDefaults() ProgramOptions {
	o.Max, o.Idle = cmp.Or(o.Max, DefaultMaxPrograms), cmp.Or(o.Idle, DefaultProgramIdle)
	if o.Lookup == nil {
		o.Lookup = func(string) (string, bool) { return "", false }
	}
	return o
}

// secrets gives what of a program's environment may be secret without being an account's.
func (o *ProgramOptions) secrets(t *catalog.Toolkit) []secret.Value {
	list := slices.Collect(maps.Values(o.Env[t.Slug]))
	for _, name := range t.Program.Inherit {
		if v, ok := o.Lookup(name); ok && secretName.MatchString(name) {
			list = append(list, secret.Hide(v))
		}
	}
	return list
}
