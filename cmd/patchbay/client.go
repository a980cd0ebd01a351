package main

import (
	"github.com/patchbay-dev/patchbay"
)

// clientFlags say which server a client command talks to.
type clientFlags struct {
	URL    string `name:"url" env:"PATCHBAY_URL,COMPOSIO_BASE_URL" default:"http://127.0.0.1:8484" placeholder:"URL" help:"Address of the server (${env}). Default: ${default}"`
	APIKey string `name:"api-key" env:"PATCHBAY_API_KEY,COMPOSIO_API_KEY" placeholder:"ak_…" help:"Project key (${env})."`
}

// client makes the SDK's client.
func (f clientFlags) client() (*patchbay.Client, error) {
	if f.APIKey == "" {
		return nil, wrongUsage("no API key is given",
			`export PATCHBAY_API_KEY with the key that the first "patchbay serve" printed, or make one on the server's machine with: patchbay key create`)
	}
	client, err := patchbay.New(patchbay.Options{BaseURL: f.URL, APIKey: f.APIKey, UserAgent: "patchbay-cli/" + versionText()})
	if err != nil {
		return nil, wrongUsage(err.Error(), "correct --url or PATCHBAY_URL, --api-key or PATCHBAY_API_KEY")
	}
	return client, nil
}
