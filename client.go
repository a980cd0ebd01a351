package patchbay

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Options say which server a Client talks to, and as whom.
type Options struct {
	// BaseURL is the server's address without "/api", for example "https://patchbay.example.com". Empty: what PATCHBAY_URL or
	// else COMPOSIO_BASE_URL says, else http://127.0.0.1:8484, where "patchbay serve" is by default.
	BaseURL string
	// APIKey is a project key ("ak_…"). Empty: what PATCHBAY_API_KEY or else COMPOSIO_API_KEY says.
	APIKey string
	// HTTPClient does the requests; nil means one with a time limit of 90 seconds. Its redirect policy is not used: a
	// redirect is never followed, because the key would travel with it.
	HTTPClient *http.Client
	// UserAgent is put in front of the client's own name; empty means nothing is.
	UserAgent string
}

// Client is a connection to one project on one server.
type Client struct {
	Sessions          Sessions
	Toolkits          Toolkits
	Tools             Tools
	AuthConfigs       AuthConfigs
	ConnectedAccounts ConnectedAccounts
	MCPServers        MCPServers
	Webhooks          Webhooks
	Events            Events
	Triggers          Triggers
	CustomToolkits    CustomToolkits
	Project           Project
}

// ErrNoAPIKey is New's error when neither the options nor the environment hold a key.
var ErrNoAPIKey = errors.New("patchbay: there is no API key: set Options.APIKey or PATCHBAY_API_KEY")

const defaultBaseURL = "http://127.0.0.1:8484"

// New checks the options and makes a Client. It does not contact the server.
func New(o Options) (*Client, error) {
	o.BaseURL = cmp.Or(o.BaseURL, os.Getenv("PATCHBAY_URL"), os.Getenv("COMPOSIO_BASE_URL"), defaultBaseURL)
	o.APIKey = cmp.Or(o.APIKey, os.Getenv("PATCHBAY_API_KEY"), os.Getenv("COMPOSIO_API_KEY"))
	if o.APIKey == "" {
		return nil, ErrNoAPIKey
	}
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("patchbay: BaseURL %q is not an http:// or https:// URL", o.BaseURL)
	}
	if strings.ContainsAny(o.APIKey, " \t\r\n") {
		return nil, errors.New("patchbay: APIKey holds blanks, which no key does")
	}
	httpClient := http.Client{Timeout: 90 * time.Second}
	if o.HTTPClient != nil {
		httpClient = *o.HTTPClient
	}
	httpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	t := &transport{
		base:      strings.TrimRight(o.BaseURL, "/"),
		key:       o.APIKey,
		http:      &httpClient,
		userAgent: strings.TrimSpace(o.UserAgent + " patchbay-go"),
	}
	return &Client{
		Sessions:          Sessions{t},
		Toolkits:          Toolkits{t},
		Tools:             Tools{t},
		AuthConfigs:       AuthConfigs{t},
		ConnectedAccounts: ConnectedAccounts{t},
		MCPServers:        MCPServers{t},
		Webhooks:          Webhooks{t},
		Events:            Events{t},
		Triggers:          Triggers{t},
		CustomToolkits:    CustomToolkits{t},
		Project:           Project{t},
	}, nil
}
