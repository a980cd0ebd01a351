// Package tenant answers who is calling and for whom: projects, their keys, and the Caller that every service
// method takes as an argument.
//
// It owns projects, their settings, and API keys: making, listing, revoking and checking them. It does not own user ids, which are
// opaque texts of the application that calls us, nor session tokens, which belong to package session.
package tenant
