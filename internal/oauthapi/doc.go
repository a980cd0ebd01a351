// Package oauthapi is the OAuth edge for programs: the descriptions of this server (RFC 8414) and of its MCP endpoints (RFC 9728), and
// where clients exchange, end and register (RFC 6749, 7009, 7591). What people see in between are pages, and those are package web's.
//
// It owns the wire forms of these RFCs, errors included. It decides nothing: package authserver does.
package oauthapi
