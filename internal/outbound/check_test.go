package outbound

import (
	"testing"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

func TestCredentialsGoEncryptedOrToNamedHosts(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{
		Allow:    []string{"127.0.0.1:8080", "mcp.corp", "10.0.0.0/8"},
		Resolver: namesFor(map[string]string{"inside.test.": "10.1.2.3", "outside.test.": "93.184.215.14"}),
	})
	for address, fine := range map[string]bool{
		"https://outside.test/mcp": true, "https://{tenant}.outside.test/mcp": true, "http://127.0.0.1:8080/mcp": true, "http://mcp.corp/mcp": true, "http://inside.test/mcp": true,
		"http://outside.test/mcp": false, "http://127.0.0.1:8081/mcp": false, "http://unknown.test/mcp": false, "http://{tenant}.outside.test/mcp": false,
	} {
		if err := c.CheckCredential(t.Context(), address); (err == nil) != fine || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
