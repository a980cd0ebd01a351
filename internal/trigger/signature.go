package trigger

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/mapping"
	"github.com/patchbay-dev/patchbay/internal/secret"
)

// Why a call is refused.
var (
	errBadSignature = errors.New("the signature is missing or wrong")
	errStale        = errors.New("the timestamp is too far from now")
	errNoSecret     = errors.New("no signing secret is known")
	errDisabled     = errors.New("the trigger is disabled")
)

// verify checks the proof that a call carries.
func verify(s *catalog.Signature, key secret.Value, call *mapping.Env, body []byte, now time.Time) error {
	if key.Empty() {
		return errNoSecret
	}
	given, stamp := proof(s, call.Header[s.Header])
	if s.HMAC == "" {
		return matches([]byte(key.Reveal()), given)
	}
	if s.Timestamp != nil {
		v, err := s.Timestamp.Eval(call)
		if err != nil {
			return errBadSignature
		}
		stamp = mapping.AsText(v)
	}
	mac := hmac.New(hashOf(s.HMAC), []byte(key.Reveal()))
	writeSigned(mac, s.Signed, stamp, body)
	if err := matches(mac.Sum(nil), decoded(given, s.Base64)); err != nil {
		return err
	}
	if s.Timestamp == nil && s.Pairs["timestamp"] == "" {
		return nil
	}
	if at := moment(stamp); at.IsZero() || now.Sub(at).Abs() > s.Tolerance {
		return errStale
	}
	return nil
}

// proof gives what a header claims, in one form or several (while secrets are exchanged), and the timestamp if it is in there.
func proof(s *catalog.Signature, header string) (given []string, stamp string) {
	if len(s.Pairs) == 0 {
		if claimed, ok := strings.CutPrefix(header, s.Prefix); ok && header != "" {
			given = []string{claimed}
		}
		return given, ""
	}
	for pair := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		switch name {
		case s.Pairs["timestamp"]:
			stamp = value
		case s.Pairs["signature"]:
			given = append(given, strings.TrimPrefix(value, s.Prefix))
		}
	}
	return given, stamp
}

// decoded gives the digests that texts stand for; what is none is left out.
func decoded(texts []string, inBase64 bool) []string {
	var digests []string
	for _, t := range texts {
		var digest []byte
		var err error
		if inBase64 {
			digest, err = base64.StdEncoding.DecodeString(t)
		} else {
			digest, err = hex.DecodeString(t)
		}
		if err == nil {
			digests = append(digests, string(digest))
		}
	}
	return digests
}

// matches looks for the right one among what is claimed, in a time that says nothing about how near a claim comes.
func matches(right []byte, claimed []string) error {
	found := 0
	for _, c := range claimed {
		found |= subtle.ConstantTimeCompare(right, []byte(c))
	}
	if found == 0 {
		return errBadSignature
	}
	return nil
}

func hashOf(name string) func() hash.Hash {
	switch name {
	case "sha1":
		return sha1.New
	case "sha512":
		return sha512.New
	default:
		return sha256.New
	}
}

func writeSigned(mac hash.Hash, parts []catalog.SignedPart, stamp string, body []byte) {
	if len(parts) == 0 {
		mac.Write(body)
	}
	for _, p := range parts {
		switch {
		case p.Body:
			mac.Write(body)
		case p.Timestamp:
			mac.Write([]byte(stamp))
		default:
			mac.Write([]byte(p.Literal))
		}
	}
}

// genericSignature is how the calls of any app are proved, as the subscriber says; nil when they are not. What an unknown app signs may
// well be the same twice ("the door is open"). Where nobody says what tells its calls apart, the same body is the same call for as long
// as a timestamp could be off, and news afterwards.
func genericSignature(g catalog.GenericWebhookConfig) *catalog.Signature {
	if g.Verify == "none" {
		return nil
	}
	s := &catalog.Signature{
		Header: lower(g.SignatureHeader), Prefix: g.SignaturePrefix, Base64: g.SignatureEncoding == "base64", Delivery: lower(g.EventIDHeader),
	}
	if s.Delivery == "" && g.EventIDPath == "" {
		s.AlikeFor = catalog.DefaultTolerance
	}
	if name, ok := strings.CutPrefix(g.Verify, "hmac-"); ok {
		s.HMAC = name
	}
	return s
}
