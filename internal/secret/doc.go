// Package secret keeps secrets secret: Value never prints itself, and Sealer encrypts what is stored.
//
// It owns the master key and where it comes from (KeySource), the Keyring of data keysets that the master key wraps, one per
// project, the sealing of bytes with the row's identity as associated data (so that a sealed value copied to another row
// does not open), and the hash under which credentials are looked up. It does not know what the secrets are for, and it
// reaches storage only through KeysetStore.
package secret
