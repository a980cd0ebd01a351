package process

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Command says what is started. There is no shell in between.
type Command struct {
	Args []string          // the program, by name or path, and its arguments
	Env  map[string]string // its whole environment: nothing of the server's goes along by itself
	Dir  string            // where it runs; empty: where the server does
	Hide []secret.Value    // taken out of what it says on standard error
}

// Limits of one process.
const (
	DefaultMaxMessage = 16 << 20
	farewell          = 2 * time.Second // between closing the input, asking to end, and ending
	writePatience     = 10 * time.Second
	lastWords         = 200 * time.Millisecond // to read what it said before its end; longer when something that left its group holds on
)

// Options of a Host.
type Options struct {
	Log        *slog.Logger // what programs say on standard error, at debug; nil: nowhere
	MaxMessage int          // bytes of one message of a program; 0: DefaultMaxMessage
}

// Host starts programs and ends them at the latest when it is closed. It is safe for concurrent use.
type Host struct {
	log        *slog.Logger
	maxMessage int
	starts     chan func()
	ended      chan struct{}

	thread sync.Once // that starts programs, once there is one to start
	mu     sync.Mutex
	closed bool
	live   map[*Process]bool
}

// NewHost makes a Host.
func NewHost(o Options) *Host {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = DefaultMaxMessage
	}
	return &Host{log: o.Log, maxMessage: o.MaxMessage, starts: make(chan func()), ended: make(chan struct{}), live: map[*Process]bool{}}
}

// startAll starts all programs from one thread that stays: the kernel ends them when the thread ends that started them
// (prctl(2), PR_SET_PDEATHSIG), which then is when the server does, however that comes about.
func (h *Host) startAll() {
	runtime.LockOSThread()
	for {
		select {
		case start := <-h.starts:
			start()
		case <-h.ended:
			return
		}
	}
}

// Start starts a program. Name is for the log.
func (h *Host) Start(name string, c Command) (*Process, error) {
	cmd, err := c.build()
	if err != nil {
		return nil, err
	}
	p := &Process{host: h, cmd: cmd, done: make(chan struct{}), log: h.log.With("program", name), hide: hiding(c.Hide)}
	if err := p.open(); err != nil {
		return nil, err
	}
	h.thread.Do(func() { go h.startAll() })
	started := make(chan error, 1)
	select {
	case h.starts <- func() { started <- h.start(p) }:
		err = <-started
	case <-h.ended:
		err = errClosed
	}
	p.closeTheirs()
	if err != nil {
		p.closeOurs()
		return nil, c.startFault(err)
	}
	p.watch()
	return p, nil
}

var errClosed = errors.New("the server is stopping")

func (h *Host) start(p *Process) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return errClosed
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	h.live[p] = true
	return nil
}

func (h *Host) forget(p *Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.live, p)
}

// Close ends all programs: kindly while the context lets it, and then at once.
func (h *Host) Close(ctx context.Context) {
	h.mu.Lock()
	first := !h.closed
	h.closed = true
	var all []*Process
	for p := range h.live {
		all = append(all, p)
	}
	h.mu.Unlock()
	if !first {
		return
	}
	var gone sync.WaitGroup
	for _, p := range all {
		stop := context.AfterFunc(ctx, p.Kill)
		gone.Go(func() {
			defer stop()
			_ = p.Close() // however it ended, it has
		})
	}
	gone.Wait()
	close(h.ended)
}

// build makes the command. A program without a slash in its name is looked for on the PATH that it gets itself.
func (c Command) build() (*exec.Cmd, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return nil, errors.New("process: a command needs a program")
	}
	path := c.Args[0]
	if filepath.Base(path) == path {
		found, ok := lookFor(path, c.Env["PATH"])
		if !ok {
			return nil, c.startFault(exec.ErrNotFound)
		}
		path = found
	}
	cmd := exec.CommandContext(context.Background(), path, c.Args[1:]...) //nolint:gosec // that it runs what the operator says is what it is for
	cmd.Args[0], cmd.Dir, cmd.Env = c.Args[0], c.Dir, []string{}
	for name, value := range c.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	ownGroup(cmd)
	return cmd, nil
}

// lookFor finds a program on a PATH of absolute directories.
func lookFor(name, path string) (string, bool) {
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, true
		}
	}
	return "", false
}

// startFault says why a program did not start. Where it is, is not for everybody.
func (c Command) startFault(err error) error {
	why := err.Error()
	var path *os.PathError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		why = "it is not on the PATH"
	case c.Dir != "" && !isDir(c.Dir): // of which the system says the same as of a program that is missing
		why = "the directory to run it in is not there"
	case errors.As(err, &path):
		why = path.Err.Error()
	}
	return fault.New(fault.Unavailable, fault.SlugUnavailable, "The program %s cannot be started: %s.", filepath.Base(c.Args[0]), strings.TrimSuffix(why, ".")).
		WithFix("Have the operator install it, or correct the toolkit's command.").Because(err)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
