package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// plan says how much is measured.
type plan struct{ calls, rounds, sessions int }

// results is one run.
type results struct {
	Paths             []path
	StartToReady      time.Duration
	IdleRSS           float64 // MB
	CreatePerSecond   float64
	CreateMicros      float64 // CPU
	Sessions          int
	RSSBeforeSessions float64
	RSSAfterSessions  float64
}

// path is one hot path: CPU per call in microseconds, the median over the rounds.
type path struct {
	Name        string
	FloorMicros float64
	Micros      float64
	Ratio       float64       // median of the rounds' ratios
	Wall        time.Duration // median time one call took, eight at once
}

// call is one request that is sent again and again.
type call struct {
	method, url string
	header      map[string]string
	body        string
	want        string // must occur in the answer
}

func measureAll(ctx context.Context, b *bed, p plan) (results, error) {
	r := results{StartToReady: b.startToReady, Sessions: p.sessions}
	var err error
	if r.IdleRSS, err = b.patchbay.rss(); err != nil {
		return r, err
	}
	s, err := b.prepare()
	if err != nil {
		return r, err
	}
	for _, pair := range s.pairs(b) {
		measured, err := b.compare(ctx, pair, p)
		if err != nil {
			return r, fmt.Errorf("%s: %w", pair.name, err)
		}
		r.Paths = append(r.Paths, measured)
	}
	return r, b.measureSessions(ctx, &r, p)
}

// stage is what the calls need: a user with an account, and sessions of several shapes.
type stage struct {
	ten, fiveHundred, meta session
}

type session struct {
	ID  string `json:"session_id"`
	MCP struct {
		URL string `json:"url"`
	} `json:"mcp"`
}

func (b *bed) prepare() (stage, error) {
	var s stage
	var config struct {
		AuthConfig struct {
			ID string `json:"id"`
		} `json:"auth_config"`
	}
	err := b.api("POST", "/auth_configs", map[string]any{
		"toolkit":     map[string]any{"slug": "bench"},
		"auth_config": map[string]any{"type": "use_custom_auth", "name": "bench", "authScheme": "API_KEY", "credentials": map[string]any{}},
	}, &config)
	if err != nil {
		return s, err
	}
	err = b.api("POST", "/connected_accounts", map[string]any{
		"auth_config": map[string]any{"id": config.AuthConfig.ID},
		"connection": map[string]any{"user_id": "bench", "state": map[string]any{
			"authScheme": "API_KEY", "val": map[string]any{"status": "ACTIVE", "api_key": "key"},
		}},
	}, nil)
	if err != nil {
		return s, err
	}
	tools := make([]string, 500)
	for i := range tools {
		tools[i] = fmt.Sprintf("BENCH_UPDATE_THING_%03d", i)
	}
	if s.ten, err = b.directSession(tools[:10]); err != nil {
		return s, err
	}
	if s.fiveHundred, err = b.directSession(tools); err != nil {
		return s, err
	}
	return s, b.api("POST", "/tool_router/session", map[string]any{"user_id": "bench"}, &s.meta)
}

func (b *bed) directSession(tools []string) (session, error) {
	var s session
	off := map[string]any{"enable": false}
	err := b.api("POST", "/tool_router/session", map[string]any{
		"user_id":            "bench",
		"toolkits":           map[string]any{"enable": []string{"bench"}},
		"tools":              map[string]any{"bench": map[string]any{"enable": tools}},
		"manage_connections": off, "workbench": off, "search": off,
		"execute": map[string]any{"enable_multi_execute": false},
		"preload": map[string]any{"tools": "all"},
	}, &s)
	return s, err
}

// pair is a hot path and its floor.
type pair struct {
	name          string
	floor, server call
	bytes         bool // the floor writes as many prepared bytes as the server answers
}

func (s stage) pairs(b *bed) []pair {
	arguments := `{"id":"t1","title":"Hello","count":3,"labels":["a","b"]}`
	upstream := call{method: "POST", url: b.proxyURL + "/things/t1", body: arguments, want: "item number 3"}
	mcpCall := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"BENCH_UPDATE_THING_001","arguments":` + arguments + `%s}}`
	const modernMeta = `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	const modernListMeta = `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}`
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":%s}`
	key := map[string]string{"X-Api-Key": apiKey, "Content-Type": "application/json"}
	legacy := with(key, "Accept", "application/json, text/event-stream", "Mcp-Protocol-Version", "2025-11-25")
	modern := func(method, name string) map[string]string {
		h := with(key, "Accept", "application/json, text/event-stream", "Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", method)
		if name != "" {
			h["Mcp-Name"] = name
		}
		return h
	}
	execute := fmt.Sprintf("%s/api/v3.1/tool_router/session/%s/execute", b.patchbayURL, s.ten.ID)
	return []pair{
		{name: "session execute, REST", floor: upstream, server: call{
			method: "POST", url: execute, header: key,
			body: `{"tool_slug":"BENCH_UPDATE_THING_001","arguments":` + arguments + `}`, want: "item number 3",
		}},
		{name: "tools/call, MCP 2025-11-25", floor: upstream, server: call{
			method: "POST", url: s.ten.MCP.URL, header: legacy, body: fmt.Sprintf(mcpCall, ""), want: "item number 3",
		}},
		{name: "tools/call, MCP 2026-07-28", floor: upstream, server: call{
			method: "POST", url: s.ten.MCP.URL, header: modern("tools/call", "BENCH_UPDATE_THING_001"),
			body: fmt.Sprintf(mcpCall, modernMeta), want: "item number 3",
		}},
		{name: "tools/list of 10, MCP 2025-11-25 (prepared bytes)", bytes: true, server: call{
			method: "POST", url: s.ten.MCP.URL, header: legacy, body: fmt.Sprintf(list, "{}"), want: "BENCH_UPDATE_THING_009",
		}},
		{name: "tools/list of 500, MCP 2025-11-25", bytes: true, server: call{
			method: "POST", url: s.fiveHundred.MCP.URL, header: legacy, body: fmt.Sprintf(list, "{}"), want: "BENCH_UPDATE_THING_499",
		}},
		{name: "tools/list of 500, MCP 2026-07-28", bytes: true, server: call{
			method: "POST", url: s.fiveHundred.MCP.URL, header: modern("tools/list", ""), body: fmt.Sprintf(list, modernListMeta), want: "BENCH_UPDATE_THING_499",
		}},
		{name: "session tools of 500, REST", bytes: true, server: call{
			method: "GET", url: fmt.Sprintf("%s/api/v3.1/tool_router/session/%s/tools?limit=500", b.patchbayURL, s.fiveHundred.ID), header: key, want: "BENCH_UPDATE_THING_499",
		}},
		{name: "session search, REST", bytes: true, server: call{
			method: "POST", url: fmt.Sprintf("%s/api/v3.1/tool_router/session/%s/search", b.patchbayURL, s.meta.ID), header: key,
			body: `{"queries":[{"use_case":"create an issue in a repository"}]}`, want: "GITHUB_CREATE_AN_ISSUE",
		}},
	}
}

// compare lets the floor and the server take turns.
func (b *bed) compare(ctx context.Context, p pair, plan plan) (path, error) {
	if p.bytes {
		length, err := b.answerLength(p.server)
		if err != nil {
			return path{}, err
		}
		if err := b.once(call{method: "GET", url: fmt.Sprintf("%s/prepare?n=%d", b.proxyURL, length)}); err != nil {
			return path{}, err
		}
		p.floor = call{method: p.server.method, url: fmt.Sprintf("%s/bytes?n=%d", b.proxyURL, length), body: p.server.body}
	}
	calls := plan.calls
	if p.bytes {
		calls /= 3
	}
	if _, _, err := b.round(ctx, b.proxy, p.floor, calls/5+1); err != nil {
		return path{}, fmt.Errorf("floor: %w", err)
	}
	if _, _, err := b.round(ctx, b.patchbay, p.server, calls/5+1); err != nil {
		return path{}, err
	}
	var floors, servers, ratios []float64
	var walls []time.Duration
	for range plan.rounds {
		floor, _, err := b.round(ctx, b.proxy, p.floor, calls)
		if err != nil {
			return path{}, err
		}
		server, wall, err := b.round(ctx, b.patchbay, p.server, calls)
		if err != nil {
			return path{}, err
		}
		floors, servers, ratios, walls = append(floors, floor), append(servers, server), append(ratios, server/floor), append(walls, wall)
	}
	return path{Name: p.name, FloorMicros: median(floors), Micros: median(servers), Ratio: median(ratios), Wall: median(walls)}, nil
}

// round sends a call n times, eight at once, and gives the CPU time per call of the process in microseconds and the median
// time of one call.
func (b *bed) round(ctx context.Context, p process, c call, n int) (float64, time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	const workers = 8
	var group sync.WaitGroup
	failures := make(chan error, workers)
	walls := make([][]time.Duration, workers)
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				if ctx.Err() != nil {
					failures <- ctx.Err()
					return
				}
				began := time.Now()
				if err := b.once(c); err != nil {
					failures <- err
					return
				}
				walls[w] = append(walls[w], time.Since(began))
			}
		})
	}
	group.Wait()
	select {
	case err := <-failures:
		return 0, 0, err
	default:
	}
	after, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	return float64(after-before) / float64(time.Microsecond) / float64(n), median(slices.Concat(walls...)), nil
}

func (b *bed) once(c call) error {
	text, err := b.send(c)
	if err != nil {
		return err
	}
	if c.want != "" && !bytes.Contains(text, []byte(c.want)) {
		return fmt.Errorf("the answer lacks %q: %.400s", c.want, text)
	}
	return nil
}

func (b *bed) answerLength(c call) (int, error) {
	text, err := b.send(c)
	return len(text), err
}

func (b *bed) send(c call) ([]byte, error) {
	request, err := http.NewRequest(c.method, c.url, bytes.NewReader([]byte(c.body)))
	if err != nil {
		return nil, err
	}
	for name, value := range c.header {
		request.Header.Set(name, value)
	}
	reply, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s: %d: %.400s", c.url, reply.StatusCode, text)
	}
	return text, nil
}

// measureSessions creates many sessions and looks at speed and memory.
func (b *bed) measureSessions(ctx context.Context, r *results, p plan) error {
	var err error
	if r.RSSBeforeSessions, err = b.patchbay.rss(); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"user_id": "bench", "toolkits": map[string]any{"enable": []string{"bench", "github"}}})
	if err != nil {
		return err
	}
	create := call{
		method: "POST", url: b.patchbayURL + "/api/v3.1/tool_router/session", body: string(body), want: "trs_",
		header: map[string]string{"X-Api-Key": apiKey, "Content-Type": "application/json"},
	}
	began := time.Now()
	if r.CreateMicros, _, err = b.round(ctx, b.patchbay, create, p.sessions); err != nil {
		return err
	}
	r.CreatePerSecond = float64(p.sessions) / time.Since(began).Seconds()
	r.RSSAfterSessions, err = b.patchbay.rss()
	return err
}

func with(header map[string]string, more ...string) map[string]string {
	out := map[string]string{}
	for k, v := range header {
		out[k] = v
	}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

func median[T interface{ ~float64 | ~int64 }](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
