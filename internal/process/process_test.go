package process_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/process"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// buffer is a log that tests may read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newHost(t *testing.T, maxMessage int) (*process.Host, *buffer) {
	t.Helper()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("the programs of these tests are shell scripts")
	}
	log := &buffer{}
	h := process.NewHost(process.Options{Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), MaxMessage: maxMessage})
	t.Cleanup(func() { h.Close(context.Background()) })
	return h, log
}

func start(t *testing.T, h *process.Host, script string, env map[string]string, hide ...secret.Value) *process.Process {
	t.Helper()
	p, err := h.Start("script", process.Command{Args: []string{"/bin/sh", "-c", script}, Env: env, Hide: hide})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMessagesGoBothWays(t *testing.T) {
	t.Parallel()
	h, log := newHost(t, 1000)
	p := start(t, h, `
		echo 'hello, I am a server'
		echo '{"level":"info"}'
		echo '[{"jsonrpc":"2.0"}]'
		echo '{"jsonrpc":"2.0"'
		head -c 5000 /dev/zero | tr '\0' x; echo
		read line; echo "  {\"jsonrpc\":\"2.0\",\"result\":$line}"
		read line; echo "{\"jsonrpc\":\"2.0\",\"last\":$line}"`, map[string]string{"PATH": os.Getenv("PATH")})
	in := bufio.NewReader(p)
	for _, want := range []string{`{"jsonrpc":"2.0","result":1}`, `{"jsonrpc":"2.0","last":1}`} {
		if _, err := io.WriteString(p, "1\n"); err != nil {
			t.Fatal(err)
		}
		if got, err := in.ReadString('\n'); err != nil || got != want+"\n" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := in.ReadString('\n'); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if n := strings.Count(log.String(), "what is no message"); n != 5 {
		t.Errorf("%d lines were passed over:\n%s", n, log)
	}
}

func TestMessagesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	h, _ := newHost(t, 1000)
	p := start(t, h, `printf '{"jsonrpc":"2.0","x":"'; head -c 5000 /dev/zero | tr '\0' x; echo '"}'; read line`, map[string]string{"PATH": os.Getenv("PATH")})
	if _, err := io.ReadAll(p); !errors.Is(err, process.ErrTooLarge) {
		t.Errorf("%v", err)
	}
}

func TestTheEnvironmentIsWhatWasSaid(t *testing.T) {
	t.Setenv("PATCHBAY_API_KEY", "ak_of_the_server")
	h, log := newHost(t, 0)
	dir := t.TempDir()
	p, err := h.Start("script", process.Command{
		Args: []string{"sh", "-c", `echo "token $TOKEN" >&2; echo "{\"jsonrpc\":\"2.0\",\"key\":\"$PATCHBAY_API_KEY\",\"token\":\"$TOKEN\",\"dir\":\"$PWD\"}"`},
		Env:  map[string]string{"PATH": "bin:/bin:/usr/bin", "TOKEN": "token-of-ann"}, Dir: dir, Hide: []secret.Value{secret.Hide("token-of-ann")},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(p)
	if want := `{"jsonrpc":"2.0","key":"","token":"token-of-ann","dir":"` + dir + "\"}\n"; err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if <-p.Done(); p.How() != "exit status 0" {
		t.Errorf("it ended with %s", p.How())
	}
	p.Close()
	if said := strings.Join(p.Said(), "\n") + log.String(); strings.Contains(said, "token-of-ann") || !strings.Contains(said, "[redacted]") {
		t.Errorf("it said %s", said)
	}
}

func TestProgramsThatCannotBeStarted(t *testing.T) {
	t.Parallel()
	h, _ := newHost(t, 0)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		command process.Command
		want    string
	}{
		{process.Command{Args: []string{"no-such-program"}, Env: map[string]string{"PATH": "/bin:/usr/bin"}}, "no-such-program cannot be started: it is not on the PATH."},
		{process.Command{Args: []string{"sh"}, Env: map[string]string{"PATH": "."}, Dir: "/bin"}, "sh cannot be started: it is not on the PATH."},
		{process.Command{Args: []string{"/no/such/program"}}, "program cannot be started: no such file or directory."},
		{process.Command{Args: []string{file}}, "file cannot be started: permission denied."},
		{process.Command{Args: []string{"/bin/sh"}, Dir: "/no/such/dir"}, "sh cannot be started: the directory to run it in is not there."},
		{process.Command{}, "a command needs a program"},
	} {
		p, err := h.Start("script", c.command)
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.command.Args, err, c.want)
		}
	}
}

func TestSecretsAreNotRepeated(t *testing.T) {
	t.Parallel()
	h, log := newHost(t, 0)
	token, longer, pem := "token-of-ann", "token-of-ann-and-bob", "-----BEGIN KEY-----\nAAAABBBBCCCC\nDDDDEEEEFFFF"
	p, err := h.Start("script", process.Command{
		Args: []string{"/bin/sh", "-c", `
			printf '%s\n' "$LONGER" "$PEM" >&2
			printf '{%4090s%s%4090s%s\nafterwards\n' x "$LONGER" x "$LONGER" >&2`},
		Env: map[string]string{"LONGER": longer, "PEM": pem}, Hide: []secret.Value{secret.Hide(token), secret.Hide(longer), secret.Hide(pem)},
	})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	said := strings.Join(p.Said(), "\n")
	if len(p.Said()) != 6 || !strings.HasSuffix(said, "\nafterwards") {
		t.Errorf("it said %s", said)
	}
	for _, part := range []string{"ann", "and-bob", "KEY", "AAAA", "DDDD"} {
		if strings.Contains(said+log.String(), part) {
			t.Errorf("%q is repeated: %s\n%s", part, said, log)
		}
	}
}

// family is a program with a child that holds on to nothing of ours, and neither of which ends when it is asked to.
const family = `trap '' TERM; sh -c 'trap "" TERM; echo "{\"jsonrpc\":\"2.0\",\"pid\":$$}"; exec <&- >&-; while :; do sleep 1; done' & while :; do sleep 1; done`

// child reads the number of a family's child.
func child(t *testing.T, p *process.Process) int {
	t.Helper()
	line, err := bufio.NewReader(p).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscanf(line, `{"jsonrpc":"2.0","pid":%d}`, &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// wantGone waits until a process is gone, or a zombie whose parent does not look after it.
func wantGone(t *testing.T, pid int) {
	t.Helper()
	for {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return
		}
		if state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && strings.Contains(string(state), ") Z ") {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("it is still there")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestTheEndIsTheEndOfAll(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(h *process.Host, p *process.Process){
		"killed":          func(_ *process.Host, p *process.Process) { p.Kill() },
		"the host closes": func(h *process.Host, _ *process.Process) { h.Close(ended()) },
		"it dies itself": func(_ *process.Host, p *process.Process) {
			if err := syscall.Kill(p.Pid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, log := newHost(t, 0)
			p := start(t, h, family, map[string]string{"PATH": os.Getenv("PATH")})
			pid := child(t, p)
			end(h, p)
			<-p.Done()
			wantGone(t, pid)
			if p.How() != "signal: killed" {
				t.Errorf("it ended with %s", p.How())
			}
			if unexpected := strings.Contains(log.String(), "level=WARN"); unexpected != (name == "it dies itself") {
				t.Errorf("the log says\n%s", log)
			}
			p.Close()
		})
	}
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestACloseIsKind(t *testing.T) {
	t.Parallel()
	h, log := newHost(t, 0)
	p := start(t, h, `read line; echo "saved" >&2`, nil)
	p.Close()
	if p.How() != "exit status 0" || strings.Contains(log.String(), "WARN") {
		t.Errorf("it ended with %s:\n%s", p.How(), log)
	}
	h.Close(context.Background())
	if _, err := h.Start("late", process.Command{Args: []string{"/bin/sh"}}); err == nil {
		t.Error("a closed host starts programs")
	}
}
