//go:build unix

package execute_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// BenchmarkCall compares what a warm call costs here with Go's reverse proxy before the same upstream. Client, server and
// upstream share the process, so "direct" (the client at the upstream) is taken off both before they are compared:
//
//	go test ./internal/execute -run '^$' -bench Call -benchtime 20000x
//
// The metric to read is "floors": CPU of ours over CPU of the reverse proxy.
func BenchmarkCall(b *testing.B) {
	body := `{"id":1,"items":[` + strings.Repeat(`{"name":"thing","size":12345,"open":true,"user":{"name":"octocat"}},`, 12) + `{}]}`
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}))
	defer upstream.Close()
	target, _ := url.Parse(upstream.URL)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	floor := httptest.NewServer(proxy)
	defer floor.Close()

	cost := map[string]float64{}
	measure := func(name, server, args string) {
		b.Run(name, func(b *testing.B) {
			post(b, server, args, 200)
			b.ReportAllocs()
			before := cpu(b)
			b.ResetTimer()
			post(b, server, args, b.N)
			b.StopTimer()
			cost[name] = float64(cpu(b)-before) / float64(b.N) / float64(time.Microsecond)
			b.ReportMetric(cost[name], "cpu-µs/op")
			if name != "direct" && name != "reverse proxy" {
				b.ReportMetric((cost[name]-cost["direct"])/(cost["reverse proxy"]-cost["direct"]), "floors")
			}
		})
	}
	const create = `{"title":"T","count":3,"tags":["a","b"]}`
	measure("direct", upstream.URL, create)
	measure("reverse proxy", floor.URL, create)
	for _, tool := range []string{"CREATE_THING", "LIST_THINGS", "PICKED_LIST"} {
		server := httptest.NewServer(runnerHandler(b, upstream.URL, tool))
		defer server.Close()
		measure(tool, server.URL, map[string]string{"CREATE_THING": create, "LIST_THINGS": `{"limit":2}`, "PICKED_LIST": `{}`}[tool])
	}
}

// BenchmarkRun is the call alone, over a transport that answers from memory.
func BenchmarkRun(b *testing.B) {
	answer := []byte(`{"id":1,"items":[{"name":"thing"}]}`)
	client, err := outbound.New(outbound.Options{Wrap: func(http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				io.Copy(io.Discard, r.Body)
			}
			return &http.Response{
				StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(answer)),
				ContentLength: int64(len(answer)),
			}, nil
		})
	}})
	if err != nil {
		b.Fatal(err)
	}
	r := benchRunner(b, client)
	toolkit := loadToolkit(b, "acme", "https://api.acme.example")
	for _, name := range []string{"CREATE_THING", "PICKED_LIST"} {
		call := execute.Call{
			Tool: toolNamed(b, toolkit, name), Arguments: map[string]any{"title": "T", "count": json.Number("3"), "tags": []any{"a", "b"}},
			Select: connect.Selection{UserID: "ann"},
		}
		if name == "PICKED_LIST" {
			call.Arguments = nil
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if res, err := r.Run(b.Context(), caller, call); err != nil || res.Error != "" {
					b.Fatal(res, err)
				}
			}
		})
	}
}

func benchRunner(b *testing.B, client *outbound.Client) *execute.Runner {
	b.Helper()
	r, err := execute.New(execute.Options{Accounts: &warm{}, Client: client, Store: discard{newMemoryStore()}})
	if err != nil {
		b.Fatal(err)
	}
	r.Start()
	b.Cleanup(func() { r.Stop(context.Background()) })
	return r
}

// runnerHandler answers a POST of arguments with a tool's data: the least that an edge can do.
func runnerHandler(b *testing.B, upstream, tool string) http.Handler {
	b.Helper()
	client, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	r := benchRunner(b, client)
	declared := toolNamed(b, loadToolkit(b, "acme", upstream), tool)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var args map[string]any
		d := json.NewDecoder(req.Body)
		d.UseNumber()
		if err := d.Decode(&args); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		res, err := r.Run(req.Context(), caller, execute.Call{Tool: declared, Arguments: args, Select: connect.Selection{UserID: "ann"}})
		if err != nil || res.Error != "" {
			http.Error(w, res.Error, 500)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(res.Data)
	})
}

// discard is a store that forgets the log, whose writing is not part of a call.
type discard struct{ *memoryStore }

func (discard) AppendLogs(context.Context, []execute.LogEntry) error { return nil }

// warm answers as connect.Service does when it has everything in memory.
type warm struct{ accounts }

var (
	warmAccount    = connect.ConnectedAccount{ID: "ca_1", AuthConfigID: "ac_1", UserID: "ann", Status: connect.Active}
	warmCredential = keyCredential("ca_1", "key-of-the-account")
)

func (*warm) Select(context.Context, tenant.Caller, connect.Selection) (connect.ConnectedAccount, error) {
	return warmAccount, nil
}

func (*warm) Credential(context.Context, tenant.Caller, connect.ConnectedAccount) (connect.Credential, error) {
	return warmCredential, nil
}

func post(b *testing.B, server, args string, n int) {
	b.Helper()
	for range n {
		res, err := http.Post(server+"/v1/things", "application/json", strings.NewReader(args))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 {
			b.Fatal(res.Status, err)
		}
		res.Body.Close()
	}
}

// cpu gives what this process has used so far, in user and system mode.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
