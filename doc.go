// Package patchbay is the Go client of a Patchbay server: it gives each of your users a session, one MCP URL over all of
// the user's apps, and lets your program search, run and connect tools in it.
//
//	client, err := patchbay.New(patchbay.Options{}) // PATCHBAY_URL and PATCHBAY_API_KEY say where and as whom
//	session, err := client.Sessions.Create(ctx, patchbay.NewSession{UserID: "user_7"})
//	mcp := session.MCP() // hand mcp.URL and mcp.Headers to any MCP client
//
// Everything here is also had over plain HTTP; the package owns the wire structs and nothing else, uses only the standard
// library, and keeps no state besides connections. A Client and what it hands out are safe for concurrent use.
//
// # Errors
//
// A refused request is an [*Error], which says what is wrong and how to mend it. A tool that ran and failed is a
// [*ToolError]. A connection that did not come about is a [*ConnectionError].
//
// # Retries
//
// Reads are tried up to three times when the server is unreachable, busy or rate limited, and wait as long as it asks.
// Writes are sent once: whether to repeat one is your decision. Give a [Call] an IdempotencyKey to make that safe.
package patchbay
