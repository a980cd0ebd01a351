package execute

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/process"
)

// programKey tells programs apart: one for each account, or one for all where a toolkit needs none.
type programKey struct{ toolkit, program, account, env string }

// program is an MCP server that runs, or is being started. It answers many calls side by side.
type program struct {
	key     programKey
	ready   chan struct{} // closed once the next three are set
	session *mcp.ClientSession
	process *process.Process
	err     error
	list    programList

	// Kept by programs.
	calls    int // that use it or wait for it
	answered bool
	doubted  bool // it is being asked whether it is still there
	since    time.Time
	used     time.Time
	idle     *time.Timer
}

// programList is what a program listed: the hashes of its tools' definitions.
type programList struct {
	mu      sync.Mutex
	hashes  map[string]string // nil: it is to be asked
	at      time.Time
	changes int // how often it was forgotten
}

// listed gives what the program listed; nil if that is long ago, or it has said since that it changed. What is asked for now is to be
// kept with the mark.
func (l *programList) listed(now time.Time) (hashes map[string]string, mark int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.at) >= listLife {
		return nil, l.changes
	}
	return l.hashes, l.changes
}

// keep keeps a list, unless it changed while it was asked for.
func (l *programList) keep(hashes map[string]string, now time.Time, mark int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if mark == l.changes {
		l.hashes, l.at = hashes, now
	}
}

func (l *programList) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hashes = nil
	l.changes++
}

// forgetLists has the next call of each of a toolkit's programs ask for its list.
func (ps *programs) forgetLists(toolkit string) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for key, p := range ps.live {
		if key.toolkit == toolkit {
			p.list.forget()
		}
	}
}

// programs are the MCP servers that run here.
type programs struct {
	options ProgramOptions
	log     *slog.Logger
	now     func() time.Time
	limit   int // bytes of a message

	mu     sync.Mutex
	live   map[programKey]*program
	rests  map[programKey]*rest
	closed bool
	bye    sync.WaitGroup
}

// rest is the pause before a program is started again that does not last.
type rest struct {
	failures int
	until    time.Time
}

func newPrograms(o ProgramOptions, log *slog.Logger, now func() time.Time, limit int) *programs {
	return &programs{options: o.withDefaults(), log: log, now: now, limit: limit, live: map[programKey]*program{}, rests: map[programKey]*rest{}}
}

// take gives a program that is ready. It is to be released.
func (ps *programs) take(ctx context.Context, key programKey, command func() process.Command) (*program, error) {
	p, err := ps.find(key, command)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.ready:
	case <-ctx.Done():
		ps.leave(p)
		return nil, ctx.Err()
	}
	if p.err != nil {
		return nil, p.err
	}
	return p, nil
}

// find gives the program, which may still be starting.
func (ps *programs) find(key programKey, command func() process.Command) (*program, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.live[key]
	if p == nil {
		if err := ps.mayStart(key); err != nil {
			return nil, err
		}
		p = &program{key: key, ready: make(chan struct{}), since: ps.now()}
		ps.live[key] = p
		ps.bye.Go(func() { ps.run(p, command()) })
	}
	p.calls++
	if p.idle != nil {
		p.idle.Stop()
		p.idle = nil
	}
	return p, nil
}

// mayStart makes room for another program, or says why none is started.
func (ps *programs) mayStart(key programKey) error {
	if ps.closed || ps.options.Host == nil {
		return fault.New(fault.Unavailable, fault.SlugUnavailable, "No programs are started here.")
	}
	if r := ps.rests[key]; r != nil {
		if wait := r.until.Sub(ps.now()); wait > 0 {
			return fault.New(fault.Unavailable, fault.SlugUnavailable, "It has ended %d times in a row as soon as it was started.", r.failures).
				WithFix("It is started again in %s at the earliest. Have the operator look at the server's log.", wait.Round(time.Second))
		}
	}
	if len(ps.live) < ps.options.Max {
		return nil
	}
	var oldest *program
	for _, p := range ps.live {
		if p.calls == 0 && (oldest == nil || p.used.Before(oldest.used)) {
			oldest = p
		}
	}
	if oldest == nil {
		return fault.New(fault.Unavailable, fault.SlugUnavailable, "All %d programs that may run at the same time are busy.", ps.options.Max).
			WithFix("Call again a little later, or have the operator raise programs.max.")
	}
	ps.retire(oldest)
	return nil
}

// run starts a program and follows it to its end.
func (ps *programs) run(p *program, command process.Command) {
	p.process, p.session, p.err = ps.start(p, command)
	if p.err != nil {
		ps.log.Warn("an MCP server could not be started", "toolkit", p.key.toolkit, "error", p.err)
		ps.mu.Lock()
		ps.drop(p)
		ps.mu.Unlock()
		close(p.ready)
		return
	}
	close(p.ready)
	<-p.process.Done()
	ps.mu.Lock()
	ps.drop(p)
	ps.mu.Unlock()
	p.session.Close() //nolint:errcheck // it has ended
}

// start starts a program and greets it. One that does not understand the newest greeting is started again and greeted the old way.
func (ps *programs) start(p *program, command process.Command) (running *process.Process, session *mcp.ClientSession, err error) {
	for _, old := range []bool{false, true} {
		if running, err = ps.options.Host.Start(p.key.toolkit, command); err != nil {
			return nil, nil, err
		}
		ctx, cancel := context.WithCancel(context.Background()) // that of the session: it ends with the program
		patience := time.AfterFunc(startPatience, cancel)
		session, err = catalog.MCPServer{
			Pipes: running, MaxAnswer: ps.limit, Old: old, Listen: true, Changed: p.list.forget,
		}.Connect(ctx)
		if !patience.Stop() {
			err = context.Canceled
		}
		if err == nil {
			go func() {
				<-running.Done()
				cancel()
			}()
			return running, session, nil
		}
		if endsByItself(running) {
			err = &endedError{running.How()}
		}
		cancel()
		running.Kill()
		running.Close() //nolint:errcheck // it is gone
	}
	return nil, nil, err
}

// endedError is that a program ended before it was ready.
type endedError struct{ how string }

func (e *endedError) Error() string {
	return fmt.Sprintf("the program ended before it was ready (%s)", e.how)
}

// endsByItself reports whether a program that was not greeted is gone, or is about to be.
func endsByItself(p *process.Process) bool {
	t := time.NewTimer(100 * time.Millisecond)
	defer t.Stop()
	select {
	case <-p.Done():
		return true
	case <-t.C:
		return false
	}
}

// release is called when a call of a program is through. Where the call was given up, the program may be at fault or not.
func (ps *programs) release(p *program, err error, givenUp bool) {
	ps.mu.Lock()
	switch {
	case understood(err):
		p.answered = true
		delete(ps.rests, p.key)
	case !givenUp: // the pipes are broken
		ps.drop(p)
		p.process.Kill()
	case !p.doubted && !ps.closed && ps.live[p.key] == p:
		p.doubted = true
		ps.bye.Go(func() { ps.doubt(p) })
	}
	ps.mu.Unlock()
	ps.leave(p)
}

// understood reports whether a server answered, be it with a refusal, or with what is refused here.
func understood(err error) bool {
	var said *jsonrpc.Error
	var ours *fault.Error
	return err == nil || errors.As(err, &ours) || errors.As(err, &said) && !errors.Is(err, mcp.ErrConnectionClosed)
}

// leave is release for a call that came to nothing.
func (ps *programs) leave(p *program) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.calls--
	p.used = ps.now()
	if p.calls == 0 && ps.live[p.key] == p {
		p.idle = time.AfterFunc(ps.options.Idle, func() { ps.rest(p) })
	}
}

// doubt asks a program that did not answer whether it is still there. One that is not is ended: the next call has a new one.
func (ps *programs) doubt(p *program) {
	ctx, cancel := context.WithTimeout(context.Background(), pingPatience)
	defer cancel()
	alive := understood(p.session.Ping(ctx, nil))
	ps.mu.Lock()
	p.doubted = false
	if !alive {
		ps.drop(p)
	}
	ps.mu.Unlock()
	if !alive {
		ps.log.Warn("an MCP server does not answer any more and is ended", "toolkit", p.key.toolkit)
		p.process.Kill()
	}
}

// rest ends a program that nobody calls.
func (ps *programs) rest(p *program) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p.calls == 0 && ps.live[p.key] == p {
		ps.log.Debug("an MCP server is ended, nobody calls it", "toolkit", p.key.toolkit)
		ps.retire(p)
	}
}

// retire takes a program out of use and ends it in the background.
func (ps *programs) retire(p *program) {
	delete(ps.live, p.key)
	if p.idle != nil {
		p.idle.Stop()
	}
	ps.bye.Go(func() {
		<-p.ready
		if p.session != nil {
			p.process.Close() //nolint:errcheck // however it ended, it has
		}
	})
}

// drop takes a program out of use that has ended. One that did not last is left alone for a while; the first time, it is started
// again at once.
func (ps *programs) drop(p *program) {
	if ps.live[p.key] != p {
		return
	}
	delete(ps.live, p.key)
	if p.idle != nil {
		p.idle.Stop()
	}
	if p.answered || p.err == nil && ps.now().Sub(p.since) >= provenAfter {
		return
	}
	r := ps.rests[p.key]
	if r == nil {
		r = &rest{}
		ps.rests[p.key] = r
	}
	if r.failures++; r.failures > 1 {
		r.until = ps.now().Add(min(maxRest, time.Second<<min(r.failures-2, 10)))
	}
	for key, other := range ps.rests { // of accounts that nobody calls for any more
		if ps.now().Sub(other.until) > time.Hour && key != p.key {
			delete(ps.rests, key)
		}
	}
}

// ProgramsRunning gives how many MCP servers run here, or are being started.
func (r *Runner) ProgramsRunning() int {
	r.programs.mu.Lock()
	defer r.programs.mu.Unlock()
	return len(r.programs.live)
}

// close ends all programs: kindly as long as the context lets it.
func (ps *programs) close(ctx context.Context) {
	ps.mu.Lock()
	ps.closed = true
	ps.mu.Unlock()
	if ps.options.Host != nil {
		ps.options.Host.Close(ctx)
	}
	waitFor(ctx, &ps.bye)
}
