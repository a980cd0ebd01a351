package app_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTraces sends a tool call with a trace of the caller's own and looks at what reaches the collector.
func TestTraces(t *testing.T) {
	t.Parallel()
	var collected lockedBuffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			io.Copy(&collected, r.Body)
		}
	}))
	t.Cleanup(collector.Close)
	provider := newProvider(t)
	close(provider.release)
	server := start(t, load(t, t.TempDir(), append(provider.settings(), "PATCHBAY_TELEMETRY_OTLP_ENDPOINT="+collector.URL)...))

	const callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/api/v3.1/tools/execute/HACKERNEWS_GET_USER",
		strings.NewReader(`{"user_id":"ada","arguments":{"username":"somebody_private"}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", operatorsKey)
	req.Header.Set("Traceparent", "00-"+callersTrace+"-00f067aa0ba902b7-01")
	if status, body := send(t, req); status != http.StatusOK {
		t.Fatalf("%d: %s", status, body)
	}
	stop(t, server) // sends what is left

	// Protobuf keeps texts as they are.
	sent := []byte(collected.String())
	for _, want := range []string{"POST /api/v3.1/tools/execute/{tool_slug}", "GET 127.0.0.1", "patchbay.request_id", "service.name"} {
		if !bytes.Contains(sent, []byte(want)) {
			t.Errorf("%q was not sent to the collector", want)
		}
	}
	trace, err := hex.DecodeString(callersTrace)
	if err != nil || bytes.Count(sent, trace) != 2 {
		t.Errorf("the caller's trace is on %d spans, want the request's and the provider's", bytes.Count(sent, trace))
	}
	for _, hidden := range []string{"somebody_private", operatorsKey, "HACKERNEWS_GET_USER"} {
		if bytes.Contains(sent, []byte(hidden)) {
			t.Errorf("%q reached the collector", hidden)
		}
	}
	if provider.header().Get("Traceparent") != "" {
		t.Error("the provider was told of the trace")
	}
}
