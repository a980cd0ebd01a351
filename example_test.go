package patchbay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/patchbay-dev/patchbay"
)

// A session for one user, handed to an agent by its MCP URL.
func Example() {
	server := exampleServer() // yours is at http://127.0.0.1:8484 after "patchbay serve"
	defer server.Close()
	ctx := context.Background()

	client, err := patchbay.New(patchbay.Options{BaseURL: server.URL, APIKey: "ak_example"})
	if err != nil {
		log.Fatal(err)
	}
	session, err := client.Sessions.Create(ctx, patchbay.NewSession{
		UserID:   "user_7",
		Toolkits: &patchbay.Filter{Enable: []string{"github", "slack"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	mcp := session.MCP()
	fmt.Println(mcp.URL, len(mcp.Headers))
	// Output: https://patchbay.example.com/tool_router/trs_PTncEoK-r2ZE/mcp 1
}

func ExampleSession_Execute() {
	server := exampleServer()
	defer server.Close()
	ctx := context.Background()
	client, _ := patchbay.New(patchbay.Options{BaseURL: server.URL, APIKey: "ak_example"})
	session, _ := client.Sessions.Use(ctx, "trs_PTncEoK-r2ZE")

	result, err := session.Execute(ctx, patchbay.Call{
		Tool:           "GITHUB_CREATE_AN_ISSUE",
		Arguments:      map[string]any{"owner": "octocat", "repo": "hello-world", "title": "Fix login"},
		IdempotencyKey: "ticket-4711", // asked twice, done once
	})
	var failed *patchbay.ToolError
	if errors.As(err, &failed) {
		fmt.Println("GitHub said no:", failed.Message)
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	var issue struct{ Number int }
	if err := result.Decode(&issue); err != nil {
		log.Fatal(err)
	}
	fmt.Println("issue", issue.Number)
	// Output: issue 7
}

// Connect a user's account: show the link, wait until the user is done.
func ExampleSession_Authorize() {
	server := exampleServer()
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	client, _ := patchbay.New(patchbay.Options{BaseURL: server.URL, APIKey: "ak_example"})
	session, _ := client.Sessions.Use(ctx, "trs_PTncEoK-r2ZE")

	link, err := session.Authorize(ctx, patchbay.Authorization{Toolkit: "github"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("open", link.URL)
	account, err := link.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(account.ID, account.Status)
	// Output:
	// open https://patchbay.example.com/link/lt_1
	// ca_1 ACTIVE
}

func ExampleTools_All() {
	server := exampleServer()
	defer server.Close()
	client, _ := patchbay.New(patchbay.Options{BaseURL: server.URL, APIKey: "ak_example"})

	for tool, err := range client.Tools.All(context.Background(), patchbay.ToolFilter{Toolkits: []string{"github"}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(tool.Slug)
	}
	// Output: GITHUB_CREATE_AN_ISSUE
}

// exampleServer answers what a Patchbay server would.
func exampleServer() *httptest.Server {
	session := `{"session_id":"trs_PTncEoK-r2ZE","config":{"user_id":"user_7"},
		"mcp":{"type":"http","url":"https://patchbay.example.com/tool_router/trs_PTncEoK-r2ZE/mcp","headers":{"Authorization":"Bearer pst_example"}}}`
	mux := http.NewServeMux()
	for route, body := range map[string]string{
		"POST /api/v3.1/tool_router/session":              session,
		"GET /api/v3.1/tool_router/session/{id}":          session,
		"POST /api/v3.1/tool_router/session/{id}/execute": `{"data":{"number":7},"error":null,"log_id":"log_1"}`,
		"POST /api/v3.1/tool_router/session/{id}/link":    `{"redirect_url":"https://patchbay.example.com/link/lt_1","connected_account_id":"ca_1"}`,
		"GET /api/v3.1/connected_accounts/{id}":           `{"id":"ca_1","status":"ACTIVE"}`,
		"GET /api/v3.1/tools":                             `{"items":[{"slug":"GITHUB_CREATE_AN_ISSUE"}],"next_cursor":null}`,
	} {
		mux.HandleFunc(route, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
	}
	return httptest.NewServer(mux)
}
