package registry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Entry is a server in a list, with what the registry says of it.
type Entry struct {
	Server *Server
	Name   string // also where the server cannot be read
	Left   string // why it is left out; empty: it is not
	Broken bool   // it is left out because it cannot be read
}

// Page is an answer of a registry: a part of its list.
type Page struct {
	Entries []Entry
	Next    string // cursor of the next part; empty: it is the last
}

// meta is what a registry says of an entry.
type meta struct {
	Official struct {
		Status        string `json:"status"`
		StatusMessage string `json:"statusMessage"`
		Latest        *bool  `json:"isLatest"`
	} `json:"io.modelcontextprotocol.registry/official"`
}

// document is any of the forms in which servers come: one, one with what a registry says of it, or a list.
type document struct {
	Name     string            `json:"name"`
	Remotes  json.RawMessage   `json:"remotes"`
	Packages json.RawMessage   `json:"packages"`
	Server   json.RawMessage   `json:"server"`
	Servers  []json.RawMessage `json:"servers"`
	Meta     json.RawMessage   `json:"_meta"`
	Metadata struct {
		Next string `json:"nextCursor"`
	} `json:"metadata"`

	OpenAPI json.RawMessage `json:"openapi"`
	Swagger json.RawMessage `json:"swagger"`
	Paths   json.RawMessage `json:"paths"`
}

// ErrOther says that a text is JSON and nothing of a registry.
var ErrOther = errors.New("it is not of the MCP registry's format")

// ParsePage reads a text in any of the forms in which servers come: a server.json, the answer of a registry about one server, its
// answer that lists servers, or an array of them. ErrOther when it is none of them.
func ParsePage(text []byte) (Page, error) {
	text = newSpelling(bytes.TrimSpace(text))
	if bytes.HasPrefix(text, []byte{'['}) {
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil {
			return Page{}, fmt.Errorf("it cannot be read: %w", err)
		}
		return pageOf(list, "")
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return Page{}, ErrOther
	}
	switch {
	case d.OpenAPI != nil || d.Swagger != nil || d.Paths != nil:
		return Page{}, ErrOther
	case d.Servers != nil:
		return pageOf(d.Servers, d.Metadata.Next)
	default:
		return pageOf([]json.RawMessage{text}, "")
	}
}

func pageOf(list []json.RawMessage, next string) (Page, error) {
	p := Page{Next: next}
	for _, raw := range list {
		e, err := parseEntry(raw)
		if err != nil {
			return Page{}, err
		}
		p.Entries = append(p.Entries, e)
	}
	return p, nil
}

// parseEntry reads one server of a list. One that is wrong costs itself only.
func parseEntry(raw json.RawMessage) (Entry, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil || d.Server == nil && d.Remotes == nil && d.Packages == nil && d.Name == "" {
		return Entry{}, ErrOther
	}
	text := []byte(raw)
	if d.Server != nil {
		text = d.Server
	} else if d.Remotes == nil && d.Packages == nil && !strings.Contains(d.Name, "/") {
		return Entry{}, ErrOther
	}
	server, err := Parse(text)
	e := Entry{Server: server, Name: clip(d.Name)}
	if server != nil {
		e.Name = clip(server.Name)
	}
	if err != nil {
		e.Left, e.Broken = err.Error(), true
		return e, nil //nolint:nilerr // it is the entry's
	}
	var m meta
	if len(d.Meta) > 0 {
		_ = json.Unmarshal(d.Meta, &m) // what is not a registry's word says nothing
	}
	status := cmp.Or(m.Official.Status, server.Status, "active")
	switch {
	case status != "active":
		e.Left = strings.TrimSpace("the registry says it is " + clip(status) + ". " + clip(strings.Join(strings.Fields(m.Official.StatusMessage), " ")))
	case m.Official.Latest != nil && !*m.Official.Latest:
		e.Left = "there is a newer version of it"
	}
	return e, nil
}

// Newest leaves out of entries those of which the list holds a newer version, and those that are there twice.
func Newest(entries []Entry) []Entry {
	newest := map[string]int{}
	for i, e := range entries {
		if e.Left != "" {
			continue
		}
		best, twice := newest[e.Name]
		if !twice {
			newest[e.Name] = i
			continue
		}
		older := i
		if compareVersions(e.Server.Version, entries[best].Server.Version) > 0 {
			older, newest[e.Name] = best, i
		}
		entries[older].Left = "there is a newer version of it"
	}
	return entries
}

// compareVersions compares versions by their numbers, and puts one with a word behind it (1.0.0-beta) before the one without.
func compareVersions(a, b string) int {
	aCore, aRest, _ := strings.Cut(strings.TrimPrefix(a, "v"), "-")
	bCore, bRest, _ := strings.Cut(strings.TrimPrefix(b, "v"), "-")
	order := slices.CompareFunc(strings.Split(aCore, "."), strings.Split(bCore, "."), func(x, y string) int {
		n, errX := strconv.Atoi(x)
		m, errY := strconv.Atoi(y)
		if errX != nil || errY != nil {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(n, m)
	})
	switch {
	case order != 0:
		return order
	case aRest == "" || bRest == "":
		return cmp.Compare(len(bRest), len(aRest))
	}
	return cmp.Compare(aRest, bRest)
}
