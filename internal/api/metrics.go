package api

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/patchbay-dev/patchbay/internal/execute"
)

// Metrics are the server's own numbers. Labels take values from fixed sets only (routes, statuses, outcomes), so that no
// caller can make the number of series grow.
type Metrics struct {
	requests      *prometheus.CounterVec
	durations     *prometheus.HistogramVec
	toolCalls     *prometheus.CounterVec
	toolDurations prometheus.Histogram
	upstream      prometheus.Histogram
	sessionCache  *prometheus.CounterVec
	refreshes     *prometheus.CounterVec
}

// durationBuckets reach from an answer out of memory to a call that runs into its deadline. Seconds.
var durationBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// NewMetrics registers the metrics.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "patchbay_http_requests_total",
			Help: "HTTP requests by route and status.",
		}, []string{"route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "patchbay_http_request_duration_seconds",
			Help:    "Time from the request's head to the end of the answer, by route.",
			Buckets: durationBuckets,
		}, []string{"route"}),
		toolCalls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "patchbay_tool_calls_total",
			Help: "Tool calls by the way they came and by outcome (success, failed).",
		}, []string{"origin", "outcome"}),
		toolDurations: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "patchbay_tool_call_duration_seconds",
			Help:    "Time of a tool call from validation to shaped answer.",
			Buckets: durationBuckets,
		}),
		upstream: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "patchbay_upstream_duration_seconds",
			Help:    "Part of a tool call spent waiting for the provider.",
			Buckets: durationBuckets,
		}),
		sessionCache: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "patchbay_session_cache_total",
			Help: "Sessions opened, by whether they were in memory (hit, miss).",
		}, []string{"result"}),
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "patchbay_token_refreshes_total",
			Help: "Tries to refresh a token by outcome (refreshed, failed, expired).",
		}, []string{"outcome"}),
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.durations, m.toolCalls, m.toolDurations, m.upstream, m.sessionCache, m.refreshes,
	} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Metrics) request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(route).Observe(took.Seconds())
}

// ToolCalled counts one call of a tool, or of a toolkit's API. It is for execute.Options.Called.
func (m *Metrics) ToolCalled(e execute.LogEntry) {
	m.toolCalls.WithLabelValues(e.Origin, e.Status).Inc()
	m.toolDurations.Observe(e.Took.Seconds())
	if e.UpstreamFor > 0 {
		m.upstream.Observe(e.UpstreamFor.Seconds())
	}
}

// SessionOpened counts one look into the session cache. It is for session.Options.Opened.
func (m *Metrics) SessionOpened(hit bool) {
	result := "miss"
	if hit {
		result = "hit"
	}
	m.sessionCache.WithLabelValues(result).Inc()
}

// TokenRefreshed counts one try to refresh a token. It is for connect.Options.Refreshed.
func (m *Metrics) TokenRefreshed(outcome string) { m.refreshes.WithLabelValues(outcome).Inc() }
