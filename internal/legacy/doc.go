// Package legacy keeps the MCP servers of the older API (API contract section 14) working: a server is a stored template, and
// each user who comes to its URL gets a session made from it. From there on nothing is special: the session's View and the
// one Runner do the rest, and an application that moves to sessions finds the same accounts.
//
// It owns servers, their instances (which session serves which visitor) and the translation of a server into a session's
// configuration. It runs no tools, holds no accounts and knows neither HTTP nor MCP.
package legacy
