// Command patchbay is the server and its client: "patchbay serve" gives every AI agent a session with one MCP URL over all of
// its user's apps; the other commands make sessions, run tools, connect accounts and look after a server.
//
// It owns arguments, environment, output and exit codes. Client commands go through the public Go SDK like any program of
// yours would; serve, key and doctor go through internal/app.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // toolkits and prompts name time zones, and a small image has no data for them
)

//go:generate go test . -run TestCommandsPageIsFresh -update

// version is set by the linker; see the Makefile.
var version string

func main() {
	os.Exit(run(os.Args[1:], &console{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}))
}

// console is where a command reads and writes.
type console struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
	json     bool
}

// interruptible gives a context that ends when the process is told to stop. After the first signal the next one kills.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
