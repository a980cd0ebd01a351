package wording

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// Limits of names. Model vendors refuse names of tools over 64 characters.
const (
	MaxToolkitSlug = 30
	MaxToolSlug    = 64
	MaxArgumentKey = 64
)

// ToolkitSlug makes a slug of a name or a title: "Swagger Petstore - OpenAPI 3.0" is swagger_petstore.
func ToolkitSlug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(strings.TrimSuffix(name, ".com")), func(r rune) bool { // "GitHub" is one word
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	kept := words[:0:0]
	for _, w := range words {
		if noise[w] || versionWord.MatchString(w) && len(kept) > 0 {
			continue
		}
		kept = append(kept, w)
	}
	if len(kept) == 0 {
		kept = words
	}
	slug := Fit(kept, MaxToolkitSlug, name)
	if slug == "" {
		slug = "api_" + Digest(name)
	}
	if slug[0] >= '0' && slug[0] <= '9' {
		slug = Clip("api_"+slug, MaxToolkitSlug)
	}
	return strings.ToLower(slug)
}

// noise are words of titles that say nothing about which API it is.
var noise = map[string]bool{
	"api": true, "apis": true, "rest": true, "restful": true, "openapi": true, "swagger": true, "http": true, "https": true,
	"the": true, "documentation": true, "docs": true, "specification": true, "spec": true, "reference": true, "definition": true,
	"public": true, "web": true, "json": true, "for": true, "of": true, "and": true, "v": true,
}

var versionWord = regexp.MustCompile(`^(v\d+([a-z]+\d*)?|\d+|v)$`)

// IsVersion reports whether a word of a name only says a version: v2, v1beta1, 3.
func IsVersion(word string) bool { return versionWord.MatchString(word) }

// stopWords may be left out of a name that is too long.
var stopWords = map[string]bool{"the": true, "a": true, "an": true, "of": true, "for": true, "with": true, "and": true, "in": true, "to": true, "on": true, "from": true}

// Fit joins words to a name of at most limit characters: stop words go first, then repeated ones; what is still too long is cut
// and ends in a digest of the key, so that names stay apart.
func Fit(words []string, limit int, key string) string {
	name := strings.Join(words, "_")
	if len(name) <= limit {
		return name
	}
	seen := map[string]bool{}
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		again := seen[w]
		seen[w] = true
		return again || stopWords[w]
	})
	if name = strings.Join(words, "_"); len(name) <= limit {
		return name
	}
	return WithDigest(name, limit, key)
}

// WithDigest ends a name in a digest of the key, within a limit.
func WithDigest(name string, limit int, key string) string {
	return Clip(name, limit-digestLength-1) + "_" + Digest(key)
}

const digestLength = 4

// Digest is a short fingerprint of a key, for names that would be the same without it.
func Digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])[:digestLength]
}

// Clip cuts a name to at most limit characters, at the end of a word if one is near.
func Clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := s[:limit]
	if i := strings.LastIndexByte(cut, '_'); i > limit*2/3 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, "_")
}

// ArgumentKey makes a name that models may use and expressions can name: letters, digits and _, beginning with a letter.
func ArgumentKey(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	key := strings.TrimRight(b.String(), "_")
	switch {
	case key == "":
		key = "value"
	case key[0] >= '0' && key[0] <= '9':
		key = "n" + key
	}
	if len(key) > MaxArgumentKey-8 {
		key = WithDigest(key, MaxArgumentKey-8, name)
	}
	return key
}
