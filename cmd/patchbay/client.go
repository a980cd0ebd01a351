package main

import (
	"errors"
	"strings"

	"github.com/patchbay-dev/patchbay"
)

// clientFlags say which server a client command talks to. What they do not say, the SDK takes from the environment.
type clientFlags struct {
	URL    string `name:"url" placeholder:"URL" help:"Address of the server ($$PATCHBAY_URL, $$COMPOSIO_BASE_URL). Default: http://127.0.0.1:8484"`
	APIKey string `name:"api-key" placeholder:"ak_…" help:"Project key ($$PATCHBAY_API_KEY, $$COMPOSIO_API_KEY)."`
}

// client makes the SDK's client.
func (f clientFlags) client() (*patchbay.Client, error) {
	client, err := patchbay.New(patchbay.Options{BaseURL: f.URL, APIKey: f.APIKey, UserAgent: "patchbay-cli/" + versionText()})
	switch {
	case errors.Is(err, patchbay.ErrNoAPIKey):
		return nil, wrongUsage("no API key is given",
			`export PATCHBAY_API_KEY with the key that the first "patchbay serve" printed, or make one on the server's machine with: patchbay key create`)
	case err != nil:
		return nil, wrongUsage(strings.TrimPrefix(err.Error(), "patchbay: "), "correct --url or PATCHBAY_URL, --api-key or PATCHBAY_API_KEY")
	}
	return client, nil
}
