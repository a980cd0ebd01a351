package graphql

import (
	"slices"
	"strings"
)

// Limits of a default selection.
const (
	maxSelected = 40 // fields of one object
	maxPossible = 6  // types of a union that are told apart
	maxLevels   = 3  // of objects within objects, lists of a connection not counted
)

// labels are the fields by which an object within another is known.
var labels = []string{"id", "name", "title", "login", "slug", "key", "number", "email", "identifier", "url", "code", "displayName"}

// selection writes what is answered of a type by default: its plain fields, and of the objects in it what tells them apart.
// Empty for types without fields.
func (s *schema) selection(name string) string {
	out, known := s.selections[name]
	if !known {
		out = strings.Join(s.fieldsOf(name, 0, nil), " ")
		s.selections[name] = out
	}
	return out
}

func (s *schema) fieldsOf(name string, level int, open []string) []string {
	t := s.types[name]
	if t == nil || level >= maxLevels || slices.Contains(open, name) {
		return nil
	}
	open = append(open, name)
	var out []string
	switch t.kind {
	case objectType, interfaces:
		if out = s.connection(t, level, open); out == nil {
			out = s.objectFields(t, level, open)
		}
	case union:
		out = []string{"__typename"}
	default:
		return nil
	}
	if t.kind == union || t.kind == interfaces && level == 0 {
		for _, p := range t.possible[:min(len(t.possible), maxPossible)] {
			if inner := s.labelsOf(p); len(inner) > 0 && t.kind == union {
				out = append(out, "... on "+p+" { "+strings.Join(inner, " ")+" }")
			}
		}
	}
	if len(out) == 0 && t.kind != inputObject {
		out = []string{"__typename"}
	}
	return out
}

// objectFields are the plain fields, and at the top the labels of objects beside them.
func (s *schema) objectFields(t *typeDef, level int, open []string) []string {
	var out []string
	for i := range t.fields {
		f := &t.fields[i]
		if len(out) >= maxSelected || f.deprecated || slices.ContainsFunc(f.args, func(a input) bool { return a.required() }) {
			continue
		}
		inner := s.types[f.typ.named()]
		switch {
		case inner == nil || inner.kind == scalar || inner.kind == enum:
			if level == 0 || slices.Contains(labels, f.name) || level == 1 && isConnectionPart(open) {
				out = append(out, f.name)
			}
		case level > 0 || s.isConnection(inner) || f.typ.list != nil && level > 0:
		case inner.kind == objectType || inner.kind == interfaces:
			if picked := s.labelsOf(inner.name); len(picked) > 0 {
				out = append(out, f.name+" { "+strings.Join(picked, " ")+" }")
			}
		}
	}
	return out
}

// labelsOf gives the plain fields by which an object is known, at most four.
func (s *schema) labelsOf(name string) []string {
	t := s.types[name]
	if t == nil {
		return nil
	}
	if known, is := s.labelled[name]; is {
		return known
	}
	var out []string
	for _, label := range labels {
		for i := range t.fields {
			f := &t.fields[i]
			inner := s.types[f.typ.named()]
			if f.name == label && len(f.args) == 0 && (inner == nil || inner.kind == scalar || inner.kind == enum) && len(out) < 4 {
				out = append(out, label)
			}
		}
	}
	s.labelled[name] = out
	return out
}

func (s *schema) isConnection(t *typeDef) bool {
	is, known := s.pages[t]
	if !known {
		is = slices.ContainsFunc(t.fields, func(f field) bool { return f.name == "edges" || f.name == "nodes" }) &&
			slices.ContainsFunc(t.fields, func(f field) bool { return f.name == "pageInfo" })
		s.pages[t] = is
	}
	return is
}

// isConnectionPart reports whether the object is an element of a connection, which is listed like one asked for itself.
func isConnectionPart(open []string) bool { return len(open) > 1 }

// connection selects the elements of a page and how it goes on; nil for what is no connection.
func (s *schema) connection(t *typeDef, level int, open []string) []string {
	if !s.isConnection(t) {
		return nil
	}
	out := []string{}
	for i := range t.fields {
		f := &t.fields[i]
		switch f.name {
		case "nodes":
			out = append(out, s.elements("nodes", f.typ.named(), level, open)...)
		case "edges":
			if !slices.ContainsFunc(t.fields, func(f field) bool { return f.name == "nodes" }) {
				out = append(out, s.edges(f.typ.named(), level, open)...)
			}
		case "totalCount":
			out = append(out, "totalCount")
		case "pageInfo":
			out = append(out, "pageInfo { "+s.pageInfo(f.typ.named())+" }")
		}
	}
	return out
}

func (s *schema) edges(edge string, level int, open []string) []string {
	t := s.types[edge]
	if t == nil {
		return nil
	}
	for i := range t.fields {
		if f := &t.fields[i]; f.name == "node" {
			if inner := s.elements("node", f.typ.named(), level, open); len(inner) > 0 {
				return []string{"edges { " + strings.Join(inner, " ") + " }"}
			}
		}
	}
	return []string{"edges { __typename }"}
}

func (s *schema) elements(name, of string, level int, open []string) []string {
	t := s.types[of]
	if t == nil || t.kind == scalar || t.kind == enum {
		return []string{name}
	}
	if inner := s.fieldsOf(of, level+1, open); len(inner) > 0 {
		return []string{name + " { " + strings.Join(inner, " ") + " }"}
	}
	return []string{name + " { __typename }"}
}

func (s *schema) pageInfo(name string) string {
	var out []string
	if t := s.types[name]; t != nil {
		for i := range t.fields {
			if f := t.fields[i].name; f == "hasNextPage" || f == "endCursor" {
				out = append(out, f)
			}
		}
	}
	if len(out) == 0 {
		return "__typename"
	}
	return strings.Join(out, " ")
}
