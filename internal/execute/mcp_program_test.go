package execute_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/process"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// beProgram is an MCP server on standard input and output.
func beProgram(kind string) {
	if starts := os.Getenv("STARTS"); starts != "" {
		f, err := os.OpenFile(starts, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(f, os.Getpid())
		f.Close()
	}
	switch kind {
	case "dying":
		fmt.Fprintln(os.Stderr, "no database")
		os.Exit(7)
	case "deaf":
		bufio.NewReader(os.Stdin).ReadString(0)
		return
	case "old": // falls over a request that it does not know
		in := bufio.NewReader(os.Stdin)
		first, _ := in.ReadString('\n')
		if strings.Contains(first, "server/discover") {
			os.Exit(1)
		}
		fmt.Fprintln(os.Stdout, "Welcome!")
		serve(&mcp.IOTransport{Reader: io.NopCloser(io.MultiReader(strings.NewReader(first), in)), Writer: os.Stdout})
		return
	}
	fmt.Fprintln(os.Stdout, "Welcome to things!")
	serve(&mcp.StdioTransport{})
}

func serve(t mcp.Transport) {
	s := mcp.NewServer(&mcp.Implementation{Name: "things", Version: "1"}, nil)
	things(s)
	answer := func(name string, f func(args string) string) {
		addTool(s, name, func(_ context.Context, args string) (*mcp.CallToolResult, error) { return text(f(args)), nil })
	}
	answer("pid", func(string) string { return fmt.Sprint(os.Getpid()) })
	answer("key", func(string) string { return "your key is " + os.Getenv("ACCOUNT_KEY") })
	answer("env", func(string) string { return strings.Join(os.Environ(), "\n") })
	answer("crash", func(string) string { os.Exit(3); return "" })
	answer("flip", func(string) string {
		s.AddTool(sayTool(2), func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return text("edition 2"), nil
		})
		return "flipped"
	})
	answer("drop", func(string) string { s.RemoveTools("say"); return "dropped" })
	answer("garbage", func(string) string { fmt.Fprintln(os.Stdout, "{not a message"); return "said" })
	if err := s.Run(context.Background(), t); err != nil && !errors.Is(err, context.Canceled) {
		os.Exit(1)
	}
}

// programWorld is a runner before a toolkit that is a program of a kind.
func programWorld(t *testing.T, kind string, changes ...func(*execute.Options)) (w *world, starts func() int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "starts")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := map[string]string{"PATH": os.Getenv("PATH"), "PATCHBAY_MASTER_KEY": "master", "INHERITED_TOKEN": "inherited-token"}
	host := process.NewHost(process.Options{})
	w = newWorld(t, nil, append([]func(*execute.Options){func(o *execute.Options) {
		o.Programs = execute.ProgramOptions{
			Host: host, Lookup: func(name string) (string, bool) { v, ok := server[name]; return v, ok },
			Env: map[string]map[string]secret.Value{"things": {"OPERATORS": secret.Hide("operators-secret")}},
		}
	}}, changes...)...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.Stop(ctx)
	})
	d := &catalog.Definition{
		Slug: "things", Name: "Things", Source: catalog.Source{Kind: "mcp"},
		Program: &catalog.Program{
			Command: []string{self}, Env: map[string]string{"TEST_PROGRAM": kind, "STARTS": file, "OPERATORS": "in clear"}, Inherit: []string{"INHERITED_TOKEN", "ABSENT"},
		},
		Auth: []catalog.DefinedAuth{{
			Mode: "API_KEY", AccountFields: []catalog.Field{{Name: "api_key", Required: true, Secret: true}}, Env: map[string]string{"ACCOUNT_KEY": "{api_key}"},
		}},
	}
	for _, name := range []string{"say", "json", "refuse", "break", "huge", "pid", "key", "env", "crash", "garbage", "hang", "flip", "drop"} {
		d.Tools = append(d.Tools, catalog.DefinedTool{
			Slug: "THINGS_" + strings.ToUpper(name), Name: name, Input: anyObject, MCP: &catalog.DefinedMCP{Tool: name}, Hints: catalog.Hints{Destructive: true},
		})
	}
	if w.toolkit, err = d.Toolkit(); err != nil {
		t.Fatal(err)
	}
	return w, func() int {
		lines, _ := os.ReadFile(file)
		return strings.Count(string(lines), "\n")
	}
}

func (w *world) said(name string) string {
	w.t.Helper()
	res := w.run(name, `{}`)
	var data struct{ Text string }
	if err := json.Unmarshal(res.Data, &data); err != nil || res.Error != "" {
		w.t.Fatalf("%s: %s %v", name, res.Error, err)
	}
	return data.Text
}

func TestToolsOfPrograms(t *testing.T) {
	t.Parallel()
	w, starts := programWorld(t, "things", func(o *execute.Options) { o.MaxAnswer = 1 << 20 })
	for tool, want := range map[string]string{
		"SAY": `{"text":"heard {\"a\":9007199254740993}"}`, "JSON": `{"details":[1,2]}`, "GARBAGE": `{"text":"said"}`, "KEY": `{"text":"your key is [redacted]"}`,
	} {
		if res := w.run(tool, `{"a":9007199254740993}`); string(res.Data) != want || res.Error != "" || res.AccountID != "ca_1" {
			t.Errorf("%s: %s %s", tool, res.Data, res.Error)
		}
	}
	for tool, want := range map[string]string{"REFUSE": "Things refused the call: no such thing; your key is [redacted].", "BREAK": "it broke", "HANG": "refused the call"} {
		wantFailure(t, w.run(tool, `{}`), want)
	}
	env := "\n" + w.said("ENV") + "\n"
	for _, want := range []string{"\nPATH=", "\nOPERATORS=[redacted]\n", "\nINHERITED_TOKEN=[redacted]\n", "\nACCOUNT_KEY=[redacted]\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("its environment lacks %q: %s", want, env)
		}
	}
	if strings.Contains(env, "MASTER_KEY") || strings.Contains(env, "ABSENT") {
		t.Errorf("its environment has what it must not have: %s", env)
	}
	if n := starts(); n != 1 {
		t.Errorf("started %d times", n)
	}
	wantFailure(t, w.run("HUGE", `{}`), "ended before it answered")
	if res := w.run("SAY", `{}`); res.Error != "" {
		t.Errorf("after a message that was too large: %s", res.Error)
	}
}

// approved gives the world's toolkit the definitions that its program lists.
func (w *world) approved() {
	w.t.Helper()
	tools, _, err := w.ListServerTools(w.t.Context(), caller, w.toolkit, connect.Selection{}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	d := &catalog.Definition{
		Slug: "things", Name: "Things", Source: catalog.Source{Kind: "mcp"}, Program: w.toolkit.Program, Tools: tools,
		Auth: []catalog.DefinedAuth{{Mode: "API_KEY", AccountFields: []catalog.Field{{Name: "api_key", Required: true, Secret: true}}}},
	}
	if w.toolkit, err = d.Toolkit(); err != nil {
		w.t.Fatal(err)
	}
}

func TestToolsOfProgramsThatChangedAreNotRun(t *testing.T) {
	t.Parallel()
	w, starts := programWorld(t, "things")
	w.approved()
	for _, tool := range []string{"SAY", "FLIP"} {
		if res := w.run(tool, `{}`); res.Error != "" {
			t.Fatalf("%s as approved: %s", tool, res.Error)
		}
	}
	for tries := 0; w.run("SAY", `{}`).Error == ""; tries++ { // the program says a little later that its list changed
		if tries == 10_000 {
			t.Fatal("a changed tool is called")
		}
	}
	wantFailure(t, w.run("SAY", `{}`), "has changed what it says of this tool", "not called", "patchbay toolkit relist things")
	if res := w.run("DROP", `{}`); res.Error != "" {
		t.Errorf("another tool: %s", res.Error)
	}
	w.ForgetServerLists(caller.ProjectID, "things")
	wantFailure(t, w.run("SAY", `{}`), "does not offer this tool any more")
	w.approved()
	if res := w.run("FLIP", `{}`); res.Error != "" || starts() != 1 {
		t.Errorf("after the approval: %s, %d starts", res.Error, starts())
	}
	w.approved()
	if res := w.run("SAY", `{}`); string(res.Data) != `{"text":"edition 2"}` {
		t.Errorf("approved anew: %s %s", res.Data, res.Error)
	}
}

func TestOneProgramForEachAccount(t *testing.T) {
	t.Parallel()
	w, _ := programWorld(t, "things")
	var all sync.WaitGroup
	pids := make([]string, 4)
	for i := range pids {
		all.Go(func() { pids[i] = w.said("PID") })
	}
	all.Wait()
	for _, pid := range pids[1:] {
		if pid != pids[0] {
			t.Errorf("one account has the programs %v", pids)
		}
	}
	w.accounts.mu.Lock()
	w.accounts.key = "key-of-another"
	w.accounts.mu.Unlock()
	if other := w.said("PID"); other == pids[0] {
		t.Error("another credential has the same program")
	}
	call := w.call("PID", `{}`)
	call.Custom = &execute.CustomAuth{Header: map[string]string{"X-Key": "k"}}
	res, err := w.Run(t.Context(), caller, call)
	if err == nil || !strings.Contains(err.Error(), "program on the server's machine") {
		t.Errorf("%+v, %v", res, err)
	}
	call.Custom = &execute.CustomAuth{Scheme: "API_KEY", Fields: connect.Fields{"api_key": secret.Hide("key-of-the-call")}}
	if res, err := w.Run(t.Context(), caller, call); err != nil || strings.Contains(string(res.Data), pids[0]) {
		t.Errorf("a credential of the call: %s, %v", res.Data, err)
	}
}

func TestProgramsThatDieComeBack(t *testing.T) {
	t.Parallel()
	w, starts := programWorld(t, "things")
	first := w.said("PID")
	wantFailure(t, w.run("CRASH", `{}`), "ended before it answered", "look before you repeat it")
	second := w.said("PID")
	var pid int
	fmt.Sscan(second, &pid)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.waitGone(pid)
	if third := w.said("PID"); first == second || second == third || starts() != 3 {
		t.Errorf("programs %s, %s, %s; %d starts", first, second, third, starts())
	}
}

// wantRunning waits until so many programs run.
func (w *world) wantRunning(n int) {
	w.t.Helper()
	for w.ProgramsRunning() != n {
		select {
		case <-w.t.Context().Done():
			w.t.Fatalf("%d programs run, want %d", w.ProgramsRunning(), n)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// waitGone waits until a program that was killed is known to be.
func (w *world) waitGone(pid int) {
	w.t.Helper()
	for syscall.Kill(pid, 0) == nil {
		select {
		case <-w.t.Context().Done():
			w.t.Fatal("it does not end")
		case <-time.After(5 * time.Millisecond):
		}
	}
	w.wantRunning(0)
}

func TestProgramsThatHangAreReplaced(t *testing.T) {
	t.Parallel()
	w, _ := programWorld(t, "things")
	var pid int
	fmt.Sscan(w.said("PID"), &pid)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	res, err := w.Run(ctx, caller, w.call("SAY", `{}`))
	if err == nil && !strings.Contains(res.Error, "did not answer") {
		t.Errorf("%+v, %v", res, err)
	}
	w.waitGone(pid)
	if again := w.said("PID"); again == fmt.Sprint(pid) {
		t.Error("the program that hung is still used")
	}
}

func TestProgramsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	w, starts := programWorld(t, "dying")
	wantFailure(t, w.run("SAY", `{}`), "was started and ended at once (exit status 7)", "not called")
	before := starts()
	if before == 0 || before > 4 {
		t.Errorf("started %d times", before)
	}
	wantFailure(t, w.run("SAY", `{}`), "times in a row", "started again in")
	if n := starts(); n != before {
		t.Errorf("it was not left alone: %d starts, then %d", before, n)
	}
	absent, _ := programWorld(t, "x")
	absent.toolkit.Program.Command = []string{"no-such-program"}
	wantFailure(t, absent.run("SAY", `{}`), "no-such-program cannot be started: it is not on the PATH")
}

func TestProgramsThatGreetTheOldWay(t *testing.T) {
	t.Parallel()
	w, starts := programWorld(t, "old")
	if w.said("SAY"); starts() != 2 {
		t.Errorf("%d starts", starts())
	}
}

func TestProgramsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	w, _ := programWorld(t, "deaf", func(o *execute.Options) { o.Deadline = 300 * time.Millisecond })
	wantFailure(t, w.run("SAY", `{}`), "did not answer within")
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestProgramsAreFew(t *testing.T) {
	t.Parallel()
	w, starts := programWorld(t, "things", func(o *execute.Options) { o.Programs.Max = 1; o.Programs.Idle = time.Hour })
	first := w.said("PID")
	w.accounts.mu.Lock()
	w.accounts.key = "key-of-another"
	w.accounts.mu.Unlock()
	if second := w.said("PID"); second == first || starts() != 2 {
		t.Errorf("%s, %s", first, second)
	}
	w.wantRunning(1)
}

func TestProgramsThatNobodyCallsAreEnded(t *testing.T) {
	t.Parallel()
	w, starts := programWorld(t, "things", func(o *execute.Options) { o.Programs.Idle = time.Millisecond })
	var pid int
	fmt.Sscan(w.said("PID"), &pid)
	w.waitGone(pid)
	if w.said("SAY"); starts() != 2 {
		t.Errorf("%d starts", starts())
	}
}

func TestProgramsNeedAHost(t *testing.T) {
	t.Parallel()
	w, starts := programWorld(t, "things", func(o *execute.Options) { o.Programs.Host.Close(context.Background()); o.Programs.Host = nil })
	wantFailure(t, w.run("SAY", `{}`), "No programs are started here")
	if starts() != 0 {
		t.Error("it was started")
	}
	if _, _, err := w.ListServerTools(t.Context(), caller, w.toolkit, connect.Selection{UserID: "ann"}, nil); !fault.Is(err, fault.Upstream) {
		t.Error(err)
	}
}

func TestProgramsListTheirTools(t *testing.T) {
	t.Parallel()
	w, _ := programWorld(t, "things")
	tools, leftOut, err := w.ListServerTools(t.Context(), caller, w.toolkit, connect.Selection{UserID: "ann"}, nil)
	if err != nil || len(tools) != 14 || len(leftOut) != 0 {
		t.Errorf("%d tools, %q, %v", len(tools), leftOut, err)
	}
}
