package config

import (
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Config is everything an operator can set. It is complete and checked when Load returns it; the table in settings.go
// says what each field means.
type Config struct {
	File      string // the settings file that was read; empty when there was none
	Listen    string // host:port
	PublicURL string // without a slash at the end; empty: taken from each request
	Data      string
	Database  secret.Value // "sqlite" or a postgres:// URL, which may hold a password
	APIKey    secret.Value
	MasterKey secret.Value // empty: kept in a file in Data

	OutboundAllow []string
	Registration  bool // of OAuth clients by themselves
	SignIn        SignIn
	Toolkits      map[string]Toolkit // by slug
	ToolkitDirs   []string
	Connect       tenant.Settings // of projects that choose nothing themselves

	Embeddings Model // what texts mean, for searches
	Chat       Model // puts plans in words

	LogLevel       slog.Level
	LogFormat      string // "text", "json" or "auto"
	Metrics        bool
	MetricsListen  string // address of /metrics alone; empty: with everything else
	TraceEndpoint  string // URL of an OTLP collector; empty: none
	TrustedProxies []netip.Prefix
	MaxRequest     int64 // bytes
	MaxStreams     int   // of events, that one key holds open

	MaxPrograms int // MCP servers that run beside this one
	ProgramIdle time.Duration

	RefreshInterval time.Duration
	PollInterval    time.Duration
	MinPollInterval time.Duration
	SweepInterval   time.Duration
	MCPInterval     time.Duration // between two looks at what an MCP server lists
	MCPOnChange     string        // what toolkits do that say nothing: refuse, run or follow
	LogRetention    time.Duration
	EventRetention  time.Duration
	FirstRetry      time.Duration // of a webhook delivery, after its first failure
	LongestRetry    time.Duration
	StopTimeout     time.Duration

	// Warnings are things that were ignored but look like mistakes, for the operator to read.
	Warnings []string

	lines   map[string]Line // by key
	environ []string
}

// Model is a model at an endpoint in the format of OpenAI's API. Without a URL there is none.
type Model struct {
	URL, Model string
	APIKey     secret.Value // empty: none is sent
	Dimensions int          // of embeddings; 0: the model's own
	Timeout    time.Duration
}

// Toolkit overrides one toolkit: another server, or the operator's own OAuth app.
type Toolkit struct {
	BaseURL    string
	OAuth2     OAuth2
	ProgramEnv map[string]secret.Value // of a toolkit that is a program
}

// SignIn says where people sign in besides with personal keys: at an OpenID Connect issuer. Without an issuer, nowhere.
type SignIn struct {
	Issuer       string
	ClientID     string
	ClientSecret secret.Value
	UserClaim    string
	Users        []string
	Tokens       bool
	Audience     []string
}

// OAuth2 overrides a toolkit's OAuth endpoints; with a client id and secret the toolkit needs no auth config.
type OAuth2 struct {
	AuthorizeURL, TokenURL, RevokeURL string
	ClientID                          string
	ClientSecret                      secret.Value
	Scopes                            []string
}

// Line is one setting as it is in force, for people to read.
type Line struct {
	Key   string
	Value string // "[redacted]" for a secret
	From  string // "default", "flag --listen", "PATCHBAY_LISTEN", "patchbay.yaml:3"
}

// Lookup reads a variable of the environment that the settings were loaded with, for settings that name one.
func (c *Config) Lookup(name string) (string, bool) {
	for _, entry := range slices.Backward(c.environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// Lines lists every setting that has a value, ordered by key.
func (c *Config) Lines() []Line {
	lines := slices.Collect(maps.Values(c.lines))
	slices.SortFunc(lines, func(a, b Line) int { return strings.Compare(a.Key, b.Key) })
	return lines
}
