package registry

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Endpoint is how a server is reached over streamable HTTP. Texts hold {field} where people fill something in.
type Endpoint struct {
	URL    string
	Header map[string]string
	Query  map[string]string // what of the address' query is filled in
	Fields []catalog.Field
	Notes  []string // what is left out of it
}

// Remote gives the first way to reach the server over streamable HTTP. The error says why there is none, for people.
func (s *Server) Remote() (Endpoint, error) {
	why := errors.New("it has no address")
	for _, t := range s.Remotes {
		switch t.Type {
		case "streamable-http", "streamable", "http":
			e, err := t.endpoint()
			if err == nil {
				return e, nil
			}
			why = err
		case "sse":
			why = errors.New("it speaks the older SSE transport only, which MCP has given up and no session can use; ask its publisher for streamable HTTP")
		default:
			why = fmt.Errorf("its transport %q is not known", clip(t.Type))
		}
	}
	return Endpoint{}, why
}

// ownHeaders are the protocol's, or the connection's, and not a publisher's to set.
var ownHeaders = regexp.MustCompile(`(?i)^(mcp-.*|host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*|accept|expect|user-agent|last-event-id)$`)

var headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$`)

func (t *Transport) endpoint() (Endpoint, error) {
	in := &inputs{}
	e := Endpoint{Header: map[string]string{}, Query: map[string]string{}}
	if err := e.address(in, t); err != nil {
		return e, err
	}
	for _, kv := range t.Headers {
		switch {
		case !headerName.MatchString(kv.Name):
			return e, fmt.Errorf("%q is no name of a header", clip(kv.Name))
		case ownHeaders.MatchString(kv.Name):
			in.note("the header %s is not a publisher's to set, and is not sent", clip(kv.Name))
			continue
		}
		text, err := in.text(kv)
		if err != nil {
			return e, err
		}
		if text != "" {
			e.Header[kv.Name] = text
		}
	}
	e.Fields, e.Notes = in.fields, in.notes
	return e, nil
}

// address reads the template of an address. What is filled into the query becomes a parameter of its own, so that it may be a
// secret and may be left out; the rest of an address is shown to people and holds none.
func (e *Endpoint) address(in *inputs, t *Transport) error {
	unsaid := func(name string) Input { return Input{Required: true, Secret: secretName.MatchString(name)} }
	base, query, _ := strings.Cut(t.URL, "?")
	base = in.fill(base, t.Variables, unsaid)
	if i := slices.IndexFunc(in.fields, func(f catalog.Field) bool { return f.Secret }); i >= 0 {
		return fmt.Errorf("its address holds a secret, %s, where addresses are shown to people", in.fields[i].Title)
	}
	for i := range in.fields { // an address without a part of it is another one
		in.fields[i].Required = true
	}
	var fixed []string
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part == "" {
			continue
		}
		if !place.MatchString(value) {
			fixed = append(fixed, part)
			continue
		}
		plain, err := url.QueryUnescape(name)
		if err != nil || strings.ContainsAny(place.ReplaceAllString(value, "")+name, "{}$%+") {
			return fmt.Errorf("the query of its address, %q, can be written in no template", clip(part))
		}
		e.Query[plain] = in.fill(value, t.Variables, unsaid)
	}
	if e.URL = base; len(fixed) > 0 {
		e.URL += "?" + strings.Join(fixed, "&")
	}
	return wrongAddress(e.URL)
}

// wrongAddress refuses what is no address even after everything is filled in.
func wrongAddress(text string) error {
	u, err := url.Parse(place.ReplaceAllString(text, "1"))
	switch {
	case strings.HasPrefix(text, "{"):
		return errors.New("its address begins with a variable, so it could lead anywhere")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q is not an http or https address", clip(text))
	case u.User != nil || u.Fragment != "" || strings.ContainsAny(place.ReplaceAllString(text, ""), "{}$# \\"):
		return fmt.Errorf("%q is not the address of an MCP server", clip(text))
	}
	return nil
}
