package connect

import (
	"crypto/rand"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
)

// Keys come out of forms that strangers fill in, and signing with a huge one takes minutes.
func TestKeysTooLargeToSignWith(t *testing.T) {
	t.Parallel()
	for bits, want := range map[int]error{4096: nil, 16384: errKeyTooLarge} {
		if _, err := readPrivateKey(fakeKey(t, bits)); !errors.Is(err, want) {
			t.Errorf("%d bits: got %v, want %v", bits, err, want)
		}
	}
}

// fakeKey makes a key of factors that need not be prime: real ones of this size take too long to find.
func fakeKey(t *testing.T, bits int) string {
	t.Helper()
	one, e := big.NewInt(1), big.NewInt(65537)
	less := func(n *big.Int) *big.Int { return new(big.Int).Sub(n, one) }
	for {
		p, q := oddNumber(t, bits/2), oddNumber(t, bits/2)
		phi := new(big.Int).Mul(less(p), less(q))
		d, inverse := new(big.Int).ModInverse(e, phi), new(big.Int).ModInverse(q, p)
		if d == nil || inverse == nil {
			continue
		}
		der, err := asn1.Marshal(struct {
			Version                     int
			N, E, D, P, Q, Dp, Dq, Qinv *big.Int
		}{0, new(big.Int).Mul(p, q), e, d, p, q, new(big.Int).Mod(d, less(p)), new(big.Int).Mod(d, less(q)), inverse})
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}))
	}
}

func oddNumber(t *testing.T, bits int) *big.Int {
	t.Helper()
	raw := make([]byte, bits/8)
	rand.Read(raw)
	raw[0] |= 0xC0 // so that the product has twice the bits
	raw[len(raw)-1] |= 1
	return new(big.Int).SetBytes(raw)
}
