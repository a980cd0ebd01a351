// Command server is Patchbay's MCP edge over the fixture tools that the MCP conformance suite calls by name. The edge is the
// server's own (internal/mcpserver); what stands behind it here is a session that exists in this program only.
//
// It listens on a free port of the loopback address and prints its URL.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/patchbay-dev/patchbay/internal/mcpserver"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

func main() {
	log.SetFlags(0)
	handler, err := mcpserver.New(mcpserver.Options{
		Sessions: fixture{},
		Keys: func(context.Context, string) (tenant.Caller, error) {
			return tenant.Caller{ProjectID: "pr_conformance"}, nil
		},
		PublicURL: func(r *http.Request) (string, error) { return "http://" + r.Host, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/tool_router/{session_id}/mcp", withKey(handler))
	fmt.Fprintf(os.Stdout, "http://%s/tool_router/trs_conformance/mcp\n", listener.Addr())
	log.Fatal(http.Serve(listener, mux)) // ends with the process, which the script that started it kills
}

// withKey sends a key along: the suite cannot.
func withKey(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Api-Key", "ak_conformance")
		next.ServeHTTP(w, r)
	})
}
