// Package secret keeps secrets secret: Value never prints itself, and Sealer encrypts what is stored.
//
// It owns the master key, the sealing of bytes with the row's identity as associated data (so that a sealed value
// copied to another row does not open) and the comparison of hashed keys. It does not know what the secrets are for
// and it never stores anything itself.
package secret
