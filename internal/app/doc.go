// Package app is the composition root: it makes every part out of the settings, starts them, and stops them in the right
// order. wire.go shows on one page what is given to what.
//
// It owns construction, the HTTP listener, the periodic jobs, the server's log and what the first start does. It owns no
// behaviour of the product: whatever could be decided in a package below is decided there. Nothing imports it but
// cmd/patchbay and tests.
package app
