// Package execute runs one tool call from beginning to end: validate and coerce the arguments, have the account chosen,
// get its credential, ask the upstream by the tool's kind (http, graphql, mcp, native), shape the answer, log it.
//
// The Runner owns these phases; a kind fills in only how the upstream is asked. Every way of calling a tool (REST,
// session, meta tool, MCP, legacy server) comes through here. It does not decide whether a session may call a tool
// (package session) and holds no credentials (package connect).
package execute
