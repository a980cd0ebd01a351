// Package archtest keeps the rules of the tree as tests: which package may import which, what may be used where, and that
// everything is documented. It holds no code of the product.
package archtest
