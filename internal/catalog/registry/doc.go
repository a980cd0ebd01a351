// Package registry reads the format of the official MCP registry (modelcontextprotocol/registry): server.json, in its revisions
// from 2025-07-09 to 2025-12-11, and the answers of a registry that list servers. It says how each server is reached, which fields
// people fill in for it, and why one cannot be a toolkit.
//
// It only reads texts. Fetching them, asking servers for their tools and keeping what comes of it is package intake's.
package registry
