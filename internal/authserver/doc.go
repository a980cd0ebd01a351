// Package authserver lets people let programs in. It is the OAuth 2.1 authorization server of this server's MCP endpoints:
// a program (an MCP client) sends its person here, the person signs in and agrees, and the program receives tokens that open
// one endpoint as that person and nothing else.
//
// It owns clients (registered ones, and those described by a document at their id), grants with their codes and tokens, and who is
// signed in on the pages. A grant goes
//
//	agreed (a code waits, one minute) ─ redeemed ─ active (access and refresh tokens) ─ ended: revoked, or not used for 30 days
//	   └ the code comes twice, or a refresh token comes twice: ended at once, with every token
//
// It does not own keys (package tenant) or sessions, renders no page (package web) and reads no request (package oauthapi). Tokens
// are random texts of which only the hash is kept; it signs nothing.
package authserver
