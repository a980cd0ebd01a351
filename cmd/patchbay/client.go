package main

import (
	"cmp"
	"strings"

	"github.com/patchbay-dev/patchbay"
)

// clientFlags say which server a client command talks to.
type clientFlags struct {
	URL    string `name:"url" placeholder:"URL" help:"Address of the server ($$PATCHBAY_URL, $$COMPOSIO_BASE_URL). Default: http://127.0.0.1:8484"`
	APIKey string `name:"api-key" placeholder:"ak_…" help:"Project key ($$PATCHBAY_API_KEY, $$COMPOSIO_API_KEY)."`
}

// defaultURL is where "patchbay serve" is by default.
const defaultURL = "http://127.0.0.1:8484"

// client makes the SDK's client. What no flag says is looked for in the environment: our own names first, then those that
// the official SDKs read.
func (f clientFlags) client(c *console) (*patchbay.Client, error) {
	base := cmp.Or(f.URL, c.variable("PATCHBAY_URL"), c.variable("COMPOSIO_BASE_URL"), defaultURL)
	key := cmp.Or(f.APIKey, c.variable("PATCHBAY_API_KEY"), c.variable("COMPOSIO_API_KEY"))
	if key == "" {
		return nil, wrongUsage("no API key is given",
			`export PATCHBAY_API_KEY with the key that the first "patchbay serve" printed, or make one on the server's machine with: patchbay key create`)
	}
	client, err := patchbay.New(patchbay.Options{BaseURL: base, APIKey: key, UserAgent: "patchbay-cli/" + versionText()})
	if err != nil {
		return nil, wrongUsage(strings.TrimPrefix(err.Error(), "patchbay: "), "correct --url or PATCHBAY_URL, --api-key or PATCHBAY_API_KEY")
	}
	return client, nil
}

// variable gives a variable of the environment; empty when it is not set.
func (c *console) variable(name string) string {
	for _, entry := range c.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}
