// Package mcpserver is the MCP edge: it serves a session's tools under the session's URL, in both eras of the protocol
// (2026-07-28, which is stateless, and 2025-11-25 and older), with JSON answers and no protocol state on the node, so that
// any node answers any request.
//
// It owns who may come in (guard.go, credential.go), how tools are described (list.go) and answers worded (answer.go) for an
// MCP client, and asking a person to open a connect link (elicit.go). The protocol itself is the official SDK's (sdk.go);
// in front of it stands a shorter way for the two requests that are nearly all of the traffic (fastpath.go), which must not be
// told from the SDK's by its answers.
//
// It decides nothing: what a session shows, allows and does is package session's. It knows no REST.
package mcpserver
