package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// defaultFile is read when it is there and no other file was named.
const defaultFile = "patchbay.yaml"

// Sources are where settings come from, strongest first.
type Sources struct {
	Flags   map[string]string // key -> text, only those that were given
	Environ []string          // "NAME=value", as os.Environ gives it
	Dir     string            // where patchbay.yaml is looked for; empty: the current directory
}

// given is a value as one source gave it.
type given struct {
	values []string
	place  string // for messages: "flag --listen", "PATCHBAY_LISTEN", "patchbay.yaml:3"
}

// layer is all that one source gave, by concrete key.
type layer map[string]given

// Load reads and checks all settings. Every fault is reported at once, each with its place and what would be right.
func Load(s Sources) (Config, error) {
	flags := fromFlags(s.Flags)
	env, warnings := fromEnviron(s.Environ)
	name, file, faults := fromFile(s.Dir, flags, env)

	c := Config{File: name, Warnings: warnings, Toolkits: map[string]Toolkit{}, lines: map[string]Line{}, environ: s.Environ}
	for _, l := range []layer{defaults(), file, env, flags} { // weakest first: later ones overwrite
		faults = append(faults, c.apply(l)...)
	}
	faults = append(faults, c.check()...)
	if len(faults) > 0 {
		return Config{}, errors.Join(faults...)
	}
	return c, nil
}

func defaults() layer {
	l := layer{}
	for _, s := range Settings() {
		if s.Default != "" {
			l[s.Key] = given{values: s.split(s.Default), place: "default"}
		}
	}
	return l
}

func fromFlags(flags map[string]string) layer {
	l := layer{}
	for key, value := range flags {
		place := "flag --" + flagName(key)
		s, _, _, ok := find(key)
		if ok && s.PerToolkit() || !ok {
			place = "flag --set " + key
		}
		l[key] = given{values: s.split(value), place: place}
	}
	return l
}

// apply sets everything a layer gives, in a fixed order so that messages have one too.
func (c *Config) apply(l layer) []error {
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if err := c.applyOne(l, key); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", l[key].place, err))
		}
	}
	return faults
}

func (c *Config) applyOne(l layer, key string) error {
	s, slug, isFile, ok := find(key)
	if !ok {
		return unknown(key)
	}
	values := l[key].values
	if isFile {
		plain := strings.TrimSuffix(key, fileSuffix)
		if _, both := l[plain]; both {
			return fmt.Errorf("%s and %s are both set; keep one", plain, key)
		}
		content, err := os.ReadFile(strings.Join(values, ","))
		if err != nil {
			return fmt.Errorf("%s names a file that cannot be read: %w", key, err)
		}
		values, key = []string{strings.TrimSpace(string(content))}, plain
	}
	if !s.List && len(values) != 1 {
		return fmt.Errorf("%s takes one value, not a list", key)
	}
	if err := s.set(c, slug, values); err != nil {
		if s.Secret { // parsers of secrets do not quote what they were given, and neither do we
			return fmt.Errorf("%s: %w", key, err)
		}
		return fmt.Errorf("%s is %q: %w", key, strings.Join(values, ","), err)
	}
	line := Line{Key: key, Value: strings.Join(values, ","), From: l[key].place}
	if s.Secret && line.From != "default" {
		line.Value = "[redacted]"
	}
	c.lines[key] = line
	return nil
}

// check looks at settings that only make sense together.
func (c *Config) check() []error {
	var faults []error
	for _, slug := range slices.Sorted(maps.Keys(c.Toolkits)) {
		o := c.Toolkits[slug].OAuth2
		if (o.ClientID == "") != o.ClientSecret.Empty() {
			faults = append(faults, fmt.Errorf("toolkits.%s.oauth2 has only one of client_id and client_secret; set both, or neither", slug))
		}
	}
	for _, m := range []struct {
		group string
		model Model
	}{{"search.embeddings", c.Embeddings}, {"search.chat", c.Chat}} {
		if (m.model.URL == "") != (m.model.Model == "") {
			faults = append(faults, fmt.Errorf("%s has only one of url and model; set both, or neither", m.group))
		}
	}
	return faults
}

// split cuts a text into the values of a list setting; other settings take the text as it is.
func (s Setting) split(text string) []string {
	if !s.List {
		return []string{text}
	}
	var values []string
	for v := range strings.SplitSeq(text, ",") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

func unknown(key string) error {
	var known []string
	for _, s := range Settings() {
		known = append(known, s.Key)
		if s.Secret {
			known = append(known, s.Key+fileSuffix)
		}
	}
	slug := ""
	if rest, isToolkit := strings.CutPrefix(key, toolkitsPart); isToolkit {
		slug, _, _ = strings.Cut(rest, ".")
	}
	for i, k := range known {
		if slug != "" {
			known[i] = strings.Replace(k, slugMark, slug, 1)
		}
	}
	if near := nearest(key, known); near != "" {
		return fmt.Errorf("there is no setting %q; did you mean %q?", key, near)
	}
	return fmt.Errorf("there is no setting %q; docs/configuration.md lists them all", key)
}
