// Package connect owns how a user's account at a provider comes to be usable: AuthConfig (how a project
// authenticates against a toolkit), ConnectedAccount (one user's grant, which keeps its id for life),
// ConnectionRequest (the handshake in progress), the schemes (scheme_*.go) and refresh.
//
// The states of an account (contract section 10.1, behaviours known to the SDKs):
//
//	INITIALIZING --link opened--> INITIATED --callback ok--> ACTIVE <--enable/disable--> INACTIVE
//	     |                            |                        |
//	     +--10 minutes--> EXPIRED <---+        refresh dead -> EXPIRED, revoked -> REVOKED
//	                                  +--denied or failed--> FAILED
//
// EXPIRED, FAILED and REVOKED become ACTIVE again by connecting anew under the same id. Each transition is stored
// before it is announced and carries a reason that a person understands.
//
// It does not choose what a session may see (package session), does not call tools (package execute) and has no
// pages of its own (package web renders what this package decides).
package connect
