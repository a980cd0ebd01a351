package process

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Process is a program that runs. Read gives its messages, a line each; Write sends it one.
type Process struct {
	host *Host
	cmd  *exec.Cmd
	log  *slog.Logger
	hide *strings.Replacer

	in, out, said *os.File   // our ends of its pipes
	theirs        []*os.File // its ends, until it has them
	lines         *messages
	complaints    complaints

	done    chan struct{} // closed when it has ended with all that it started
	closing sync.Once
	leaving bool // by our wish; read once done is closed
	mu      sync.Mutex
}

// open makes the pipes.
func (p *Process) open() error {
	var err error
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
		}
		return r, w
	}
	in, ours := pipe()
	out, stdout := pipe()
	said, stderr := pipe()
	p.in, p.out, p.said = ours, out, said
	p.theirs = []*os.File{in, stdout, stderr}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = in, stdout, stderr
	if err != nil {
		p.closeTheirs()
		p.closeOurs()
	}
	return err
}

func (p *Process) closeTheirs() {
	for _, f := range p.theirs {
		f.Close()
	}
	p.theirs = nil
}

func (p *Process) closeOurs() {
	for _, f := range []*os.File{p.in, p.out, p.said} {
		f.Close()
	}
}

// watch follows the program to its end, and then ends what it started itself.
func (p *Process) watch() {
	p.lines = newMessages(p.out, p.host.maxMessage, func(line []byte) {
		p.log.Debug("an MCP server wrote what is no message", "line", p.shown(line))
	})
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		p.complaints.read(p.said, func(line string) { p.log.Debug("an MCP server said", "line", line) }, p.shown)
	}()
	go func() {
		err := p.cmd.Wait()
		killGroup(p.cmd)
		waitFor(heard, lastWords)
		p.host.forget(p)
		p.mu.Lock()
		leaving := p.leaving
		p.mu.Unlock()
		if !leaving {
			p.log.Warn("an MCP server ended", "how", ending(p.cmd, err))
		}
		p.in.Close()
		close(p.done)
	}()
}

// Read gives what the program says, in whole lines that hold a message each.
func (p *Process) Read(b []byte) (int, error) { return p.lines.Read(b) }

// Write says something to the program. One that does not listen for long is given up.
func (p *Process) Write(b []byte) (int, error) {
	if err := p.in.SetWriteDeadline(time.Now().Add(writePatience)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return 0, err
	}
	n, err := p.in.Write(b)
	if err != nil {
		p.Kill()
	}
	return n, err
}

// Close ends the program as the MCP specification has it (revision 2025-11-25, lifecycle): its input is closed, then it is asked to
// end, then it is ended, with everything that it started. It returns when that is done.
func (p *Process) Close() error {
	p.closing.Do(func() {
		p.leave()
		p.in.Close()
		if !p.gone(farewell) {
			askGroup(p.cmd)
		}
		if !p.gone(farewell) {
			killGroup(p.cmd)
		}
	})
	<-p.done
	p.out.Close()
	p.said.Close()
	return nil
}

// Kill ends the program at once, with everything that it started.
func (p *Process) Kill() {
	select {
	case <-p.done:
	default:
		p.leave()
		killGroup(p.cmd)
	}
}

func (p *Process) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving = true
}

// gone waits a while for the end.
func (p *Process) gone(wait time.Duration) bool { return waitFor(p.done, wait) }

// waitFor reports whether something came about in time.
func waitFor(what <-chan struct{}, most time.Duration) bool {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-what:
		return true
	case <-t.C:
		return false
	}
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// How says how the program ended: "exit status 1", "signal: killed". Only once Done is closed.
func (p *Process) How() string { return ending(p.cmd, nil) }

// Pid is the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Said gives the last lines that the program wrote to standard error, for the operator.
func (p *Process) Said() []string { return p.complaints.last() }

func ending(cmd *exec.Cmd, err error) string {
	if cmd.ProcessState == nil { // it could not be waited for
		return fmt.Sprint(err)
	}
	return cmd.ProcessState.String()
}
