// Package outbound is the only way to the outside: one pooled HTTP client that refuses private and special addresses after
// name resolution unless the operator allows them, never follows redirects to elsewhere with a credential, bounds time and
// size, and ignores proxy variables.
//
// client.go is the pool, guard.go decides where it may go, proxy.go goes through a project's proxy, redirect.go
// follows, body.go bounds what is read. It does not
// know providers, credentials or retries of tools.
package outbound
