package patchbay

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say which server a Client talks to, and as whom.
type Options struct {
	// BaseURL is the server's address without "/api", for example "https://patchbay.example.com". Required.
	BaseURL string
	// APIKey is a project key ("ak_…"). Required.
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
}

// New checks the options and makes a Client. It does not contact the server.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("patchbay: BaseURL %q is not an http:// or https:// URL", o.BaseURL)
	}
	if o.APIKey == "" || strings.ContainsAny(o.APIKey, " \t\r\n") {
		return nil, errors.New(`patchbay: APIKey must be a project key ("ak_…")`)
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
	}, nil
}
