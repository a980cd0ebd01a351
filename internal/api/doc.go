// Package api is the REST edge: it turns HTTP requests into calls of the services and their answers, or faults, into JSON.
//
// It owns the routes (all on one page, routes.go), the wire structs and both vocabularies of the API contract, authentication
// by header, the error envelope, the middleware around every request, and openapi.json, which the tests hold every
// response against. The files are named for the API's own nouns: one resource or operation each.
//
// It does not decide anything: what a session may do, which account is used and how a tool runs are matters of the packages
// below. It knows no SQL, speaks no MCP (package mcpserver) and has no pages of its own (package web); both are handlers that
// are given to it and mounted beside the API.
package api
