// Package fault is the vocabulary of failure: a small set of kinds, and one error type that carries what a
// person needs (what went wrong, where, how to fix it) apart from what only the log may see (the cause).
//
// It owns the kinds, the stable slugs and numbers of the API contract, and the rule that every other error is
// internal. It does not know HTTP or MCP: each edge maps a kind once (api.writeFault, mcpserver).
package fault
