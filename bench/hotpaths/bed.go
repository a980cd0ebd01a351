package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const apiKey = "ak_bench_0123456789abcdefghijklmnopqrstuvwxyz"

// bed is the processes that a measurement needs.
type bed struct {
	directory    string
	processes    []*exec.Cmd
	upstreamURL  string
	proxyURL     string
	patchbayURL  string
	proxy        process
	patchbay     process
	startToReady time.Duration
	client       *http.Client
}

func startBed(ctx context.Context, binary string) (*bed, error) {
	directory, err := os.MkdirTemp("", "patchbay-bench-")
	if err != nil {
		return nil, err
	}
	b := &bed{directory: directory, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
		Timeout:   30 * time.Second,
	}}
	if err := b.start(ctx, binary); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

func (b *bed) start(ctx context.Context, binary string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if b.upstreamURL, _, err = b.startFloor(ctx, self, "-role", "upstream"); err != nil {
		return err
	}
	if b.proxyURL, b.proxy, err = b.startFloor(ctx, self, "-role", "proxy", "-target", b.upstreamURL); err != nil {
		return err
	}
	return b.startPatchbay(ctx, binary)
}

func (b *bed) startFloor(ctx context.Context, self string, args ...string) (string, process, error) {
	cmd := exec.CommandContext(ctx, self, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, err
	}
	if err := cmd.Start(); err != nil {
		return "", 0, err
	}
	b.processes = append(b.processes, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(line), process(cmd.Process.Pid), err
}

func (b *bed) startPatchbay(ctx context.Context, binary string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	if err := writeToolkit(filepath.Join(b.directory, "toolkits", "bench"), b.upstreamURL); err != nil {
		return err
	}
	settings := fmt.Sprintf("listen: 127.0.0.1:%d\ndata: %s\ntoolkit_dirs: [%s]\noutbound: {allow: [\"127.0.0.1/32\"]}\n",
		port, filepath.Join(b.directory, "data"), filepath.Join(b.directory, "toolkits"))
	file := filepath.Join(b.directory, "patchbay.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(b.directory, "patchbay.log"))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "serve", "--config", file)
	cmd.Env = append(os.Environ(), "PATCHBAY_API_KEY="+apiKey)
	cmd.Stdout, cmd.Stderr = log, log
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	b.processes = append(b.processes, cmd)
	b.patchbay = process(cmd.Process.Pid)
	b.patchbayURL = fmt.Sprintf("http://127.0.0.1:%d", port)
	for range 5000 {
		if reply, err := b.client.Get(b.patchbayURL + "/readyz"); err == nil {
			_ = reply.Body.Close()
			if reply.StatusCode == http.StatusOK {
				b.startToReady = time.Since(began)
				return nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("patchbay did not become ready:\n%s", text)
}

func (b *bed) stop() {
	for _, cmd := range b.processes {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	b.processes = nil
	_ = os.RemoveAll(b.directory)
}

// api calls the REST API and decodes the answer.
func (b *bed) api(method, path string, body, into any) error {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, b.patchbayURL+"/api/v3.1"+path, reader)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Api-Key", apiKey)
	reply, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	if reply.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %d: %s", method, path, reply.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// process reads what the operating system says about a running process.
type process int

// cpu is the CPU time it has used so far, user and system: the sum over its threads, in nanoseconds, where the figure of
// the process itself comes in ticks of ten milliseconds.
func (p process) cpu() (time.Duration, error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", int(p)))
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, task := range tasks {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", int(p), task.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		nanos, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(nanos)
	}
	return total, nil
}

// rss is its resident memory in megabytes.
func (p process) rss() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", int(p)))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kilobytes / 1024, err
		}
	}
	return 0, errors.New("no VmRSS")
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// writeToolkit declares a toolkit of 500 tools over the upstream, connected by an API key.
func writeToolkit(directory, upstream string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	toolkit := fmt.Sprintf(`slug: bench
name: Bench
description: Things for measuring, and nothing else in the world.
version: 20261122_00
categories: [developer-tools]
base_url: %s
auth:
  - scheme: API_KEY
    fields: {api_key*: {title: Key, secret: true}}
    header: {Authorization: "Bearer {api_key}"}
errors: {message: message, reconnect_on: [401]}
`, upstream)
	var tools strings.Builder
	for i := range 500 {
		fmt.Fprintf(&tools, `- slug: UPDATE_THING_%03d
  title: Update thing %d
  description: Updates a thing of kind %d and answers what has become of it.
  hints: [update]
  input:
    id*: Id of the thing.
    title*: New title.
    count: {type: integer, description: How many., min: 0}
    labels: {type: [string], description: Labels of the thing.}
  request: POST /things/{id}
  example: {id: a, title: b}
`, i, i, i)
	}
	if err := os.WriteFile(filepath.Join(directory, "toolkit.yaml"), []byte(toolkit), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "things.yaml"), []byte(tools.String()), 0o600)
}
