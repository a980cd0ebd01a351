package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this test binary as "patchbay".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"patchbay": main})
}

// TestScripts runs the command line from end to end: each file below testdata/script is a conversation with the binary.
//
//	provider            starts a stand-in for the apps' APIs; $PROVIDER is its URL
//	server [flags]      starts "patchbay serve" and waits for it; $PATCHBAY_URL and $PATCHBAY_API_KEY lead there
//	stopserver          sends SIGTERM and waits for its end
//	greeting FILE …     starts "patchbay serve" for a person, stops it, and writes what it said to the file
//	connect ARGS…       runs "patchbay connect", opens its link as a browser would, fills in the form, and prints what the page said
//	post PATH BODY      sends a request to the server's API and keeps the answer in answer.json; $NAME in the body is replaced
//	outage on|off       lets the stand-in's revocation fail
//	cutoff FILE TO      copies the first half of a file
//	capture NAME FIELD  sets a variable to a member ("a" or "a.b") of the JSON that the last command printed, or of a file
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Values[processKey{}] = &process{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"provider":   startProvider,
			"server":     startServer,
			"stopserver": stopServer,
			"greeting":   recordGreeting,
			"connect":    connectInBrowser,
			"post":       post,
			"capture":    capture,
			"cutoff":     cutOff,
			"outage":     setOutage,
		},
	})
}

// process is the server that a script started.
type process struct {
	*exec.Cmd
	log    strings.Builder
	outage atomic.Bool // of the provider
}

type processKey struct{}

// start starts "patchbay serve" and gives its output.
func (p *process) start(ts *testscript.TestScript, args ...string) io.Reader {
	p.Cmd = exec.Command("patchbay", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	p.Dir = ts.MkAbs(".")
	p.Env = append(os.Environ(), "PATCHBAY_API_KEY="+ts.Getenv("PATCHBAY_API_KEY"))
	p.Stderr = &p.log
	stdout, err := p.StdoutPipe()
	ts.Check(err)
	ts.Check(p.Start())
	ts.Defer(func() {
		if p.ProcessState == nil { // the script did not stop it
			p.Process.Kill()
			p.Wait()
		}
		ts.Logf("the server's log:\n%s", p.log.String())
	})
	return stdout
}

func startServer(ts *testscript.TestScript, _ bool, args []string) {
	p := ts.Value(processKey{}).(*process)
	var g greeting
	if err := json.NewDecoder(p.start(ts, append(args, "--json")...)).Decode(&g); err != nil {
		p.Wait()
		ts.Fatalf("the server did not start: %v\n%s", err, p.log.String())
	}
	ts.Setenv("PATCHBAY_URL", g.URL)
	if g.APIKey != "" {
		ts.Setenv("PATCHBAY_API_KEY", g.APIKey)
	}
}

func recordGreeting(ts *testscript.TestScript, _ bool, args []string) {
	p := ts.Value(processKey{}).(*process)
	stdout := p.start(ts, args[1:]...)
	said := make([]byte, 16<<10) // it is written in one piece
	n, err := stdout.Read(said)
	ts.Check(err)
	stopServer(ts, false, nil)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), said[:n], 0o600))
}

func stopServer(ts *testscript.TestScript, _ bool, _ []string) {
	p := ts.Value(processKey{}).(*process)
	ts.Check(p.Process.Signal(syscall.SIGTERM))
	timer := time.AfterFunc(30*time.Second, func() { p.Process.Kill() })
	defer timer.Stop()
	ts.Check(p.Wait())
}

func post(ts *testscript.TestScript, _ bool, args []string) {
	body := os.Expand(args[1], ts.Getenv)
	req, err := http.NewRequest(http.MethodPost, ts.Getenv("PATCHBAY_URL")+args[0], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("X-Api-Key", ts.Getenv("PATCHBAY_API_KEY"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{}).Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode >= 300 {
		ts.Fatalf("%s %s is answered %s: %s", args[0], body, resp.Status, answer)
	}
	ts.Check(os.WriteFile(ts.MkAbs("answer.json"), answer, 0o600))
}

func setOutage(ts *testscript.TestScript, _ bool, args []string) {
	ts.Value(processKey{}).(*process).outage.Store(args[0] == "on")
}

func cutOff(ts *testscript.TestScript, _ bool, args []string) {
	whole := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(whole[:len(whole)/2]), 0o600))
}

func capture(ts *testscript.TestScript, _ bool, args []string) {
	var value map[string]any
	from := "stdout"
	if len(args) > 2 {
		from = args[2]
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(from)), &value))
	member := any(value)
	for name := range strings.SplitSeq(args[1], ".") {
		within, ok := member.(map[string]any)
		if !ok {
			ts.Fatalf("there is no %s", args[1])
		}
		member = within[name]
	}
	ts.Setenv(args[0], fmt.Sprint(member))
}
