// Package session owns the product: a Session is one user's workspace over many toolkits with one MCP URL; its View says
// what that user may see and call; the meta tools (meta_*.go) let a model find, connect and run tools at run time.
//
// It owns the session's configuration and its versions, the filters and their precedence, the session token, and the
// meta tools. It does not run tools (package execute), does not hold accounts (package connect), does not rank
// (package search) and knows neither HTTP nor MCP.
package session
