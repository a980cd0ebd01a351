package outbound

import "net/http"

// Options of a Client.
type Options struct {
	Allow []string // CIDRs, hosts or host:port that may be private, for example 127.0.0.1/32
}

// Client does guarded requests. A refused destination is a fault with slug Outbound_DestinationRefused.
type Client struct{}

// New checks the options and makes a client.
func New(o Options) (*Client, error) { panic("being written") }

// Do sends one request. Redirects are not followed: the answer is handed back as it is.
func (c *Client) Do(r *http.Request) (*http.Response, error) { panic("being written") }
