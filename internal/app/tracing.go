package app

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// tracing sends spans to an OpenTelemetry collector: one for each request that comes in, and below it one for each request to
// a provider. A span says which route, which host and how it went; never a path, a query, a header or a body, in which there
// are credentials. Provider requests carry no trace header: what providers learn of the operator's system is nothing.
type tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// newTracing connects to the collector of the settings. The zero endpoint gives nil, on which every method does nothing.
func newTracing(ctx context.Context, endpoint, version string) (*tracing, error) {
	if endpoint == "" {
		return nil, nil //nolint:nilnil // "no tracing" is what the operator chose
	}
	if u, err := url.Parse(endpoint); err == nil && u.Path == "" {
		endpoint += "/v1/traces" // where collectors listen
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w", endpoint, err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "patchbay"), attribute.String("service.version", version))),
	)
	return &tracing{provider: provider, tracer: provider.Tracer("github.com/patchbay-dev/patchbay")}, nil
}

// incoming wraps the server's handler. A caller's trace is continued.
func (t *tracing) incoming(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	propagator := propagation.TraceContext{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		r = r.WithContext(ctx)
		next.ServeHTTP(seen, r)
		route := strings.TrimPrefix(r.Pattern, r.Method+" ") // known once the request was routed
		span.SetName(r.Method + " " + route)
		span.SetAttributes(
			attribute.String("http.request.method", r.Method),
			attribute.String("http.route", route),
			attribute.Int("http.response.status_code", seen.status),
			attribute.String("patchbay.request_id", w.Header().Get("X-Request-Id")),
		)
		if session := r.PathValue("session_id"); session != "" {
			span.SetAttributes(attribute.String("patchbay.session_id", session))
		}
		if seen.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(seen.status))
		}
	})
}

// outgoing wraps the transport to providers.
func (t *tracing) outgoing(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		ctx, span := t.tracer.Start(r.Context(), r.Method+" "+r.URL.Hostname(), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("http.request.method", r.Method),
			attribute.String("server.address", r.URL.Hostname()),
		))
		defer span.End()
		resp, err := next.RoundTrip(r.WithContext(ctx))
		if err != nil {
			span.SetStatus(codes.Error, "not reached")
			return resp, err
		}
		span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
		return resp, nil
	})
}

// stop sends what is left.
func (t *tracing) stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status, unless it is one of those that come before the answer.
func (w *statusWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController, and so MCP streams, reach the server's own writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
