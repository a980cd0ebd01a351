package mapping

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Text is a compiled text with {name} placeholders and ${{ expressions }}: a URL, a path, a header value. How values are
// put in depends on what the text is; see the Compile functions. It is safe for concurrent use.
type Text struct {
	source string
	parts  []textPart
	refs   refs
	kind   textKind
}

type textKind uint8

const (
	plainText textKind = iota
	pathText
	urlText
	bodyText // a text leaf of a Tree: braces mean nothing, line breaks are welcome
)

// textPart is literal text or a value.
type textPart struct {
	literal string
	name    string // for messages
	value   *Expr
	slashes bool // {+name}: a path whose slashes stay
	host    bool // part of a URL's scheme, host or port
	whole   bool // the placeholder is the whole URL
}

// CompileText compiles a text whose values are put in as they are: a header, a form value. {name} is a connection field.
func CompileText(source string, scope Scope, line int) (*Text, error) {
	return compileText(source, plainText, scope, line)
}

// CompilePath compiles the path of a request. {name} is an argument, or a connection field of that name; its value becomes
// one percent-encoded path segment, and {+name} (or ${{+ … }}) a path of several. A value that would change the path ("", "..") is refused.
func CompilePath(source string, scope Scope, line int) (*Text, error) {
	return compileText(source, pathText, scope, line)
}

// CompileURL compiles an absolute URL such as https://{subdomain}.example.com/v2. {name} is a connection field. A value in
// the host may hold nothing but letters, digits, dots and hyphens; a text that is one placeholder takes a whole http(s) URL.
func CompileURL(source string, scope Scope, line int) (*Text, error) {
	t, err := compileText(source, urlText, scope, line)
	if err != nil {
		return nil, err
	}
	if err := t.markHost(line); err != nil {
		return nil, err
	}
	return t, nil
}

// Expand puts the values in. Faults are of kind Invalid and name the value.
func (t *Text) Expand(env *Env) (string, error) {
	if len(t.parts) == 1 && t.parts[0].value == nil {
		return t.parts[0].literal, nil
	}
	var b strings.Builder
	b.Grow(len(t.source) + 32)
	for i := range t.parts {
		p := &t.parts[i]
		if p.value == nil {
			b.WriteString(p.literal)
			continue
		}
		v, err := p.value.Eval(env)
		if err != nil {
			return "", err
		}
		s, err := t.encode(p, AsText(v))
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// ExpandFields is Expand where only connection fields matter.
func (t *Text) ExpandFields(fields map[string]string) (string, error) {
	return t.Expand(&Env{Fields: fields})
}

// FieldNames gives the connection fields that the text uses.
func (t *Text) FieldNames() []string { return sortedNames(t.refs.fields) }

// Constant gives the text when nothing in it varies.
func (t *Text) Constant() (string, bool) {
	if len(t.parts) == 1 && t.parts[0].value == nil {
		return t.parts[0].literal, true
	}
	return "", len(t.parts) == 0
}

// String is the source.
func (t *Text) String() string { return t.source }

func (t *Text) encode(p *textPart, s string) (string, error) {
	switch t.kind {
	case pathText:
		return encodePath(p, s)
	case urlText:
		return encodeURL(p, s)
	case bodyText:
		return s, nil
	default:
		if strings.ContainsAny(s, "\r\n\x00") {
			return "", badValue(p.name, "must not contain line breaks")
		}
		return s, nil
	}
}

func encodePath(p *textPart, s string) (string, error) {
	if p.slashes {
		s = strings.TrimPrefix(s, "/")
	}
	segments := []string{s}
	if p.slashes {
		segments = strings.Split(s, "/")
	}
	for i, segment := range segments {
		switch {
		case Traverses(segment):
			return "", badValue(p.name, `must not be "." or ".."`)
		case segment == "" && len(segments) == 1 && !p.slashes:
			return "", badValue(p.name, "must not be empty")
		}
		segments[i] = url.PathEscape(segment)
	}
	return strings.Join(segments, "/"), nil
}

func encodeURL(p *textPart, s string) (string, error) {
	switch {
	case s == "":
		return "", badValue(p.name, "is needed and empty")
	case p.whole:
		u, err := url.Parse(s)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || strings.ContainsAny(s, "?#") {
			return "", badValue(p.name, "must be an http or https URL without user, query or fragment")
		}
		return strings.TrimSuffix(s, "/"), nil
	case p.host:
		for _, c := range s {
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
				return "", badValue(p.name, "may hold only letters, digits, dots and hyphens: it is part of a host name")
			}
		}
		return s, nil
	default:
		return encodePath(p, s)
	}
}

func badValue(name, problem string) error {
	return fault.New(fault.Invalid, fault.SlugInvalidArguments, "%q %s.", name, problem)
}

// markHost finds the placeholders before the path.
func (t *Text) markHost(line int) error {
	if len(t.parts) == 1 && t.parts[0].value != nil {
		t.parts[0].whole = true
		return nil
	}
	if len(t.parts) == 0 || t.parts[0].value != nil {
		return errorAt(line, "%q: a URL starts with https:// or is one placeholder", t.source)
	}
	scheme, rest, ok := strings.Cut(t.parts[0].literal, "://")
	if !ok || (scheme != "https" && scheme != "http") {
		return errorAt(line, "%q: a URL starts with https://", t.source)
	}
	inHost := !strings.Contains(rest, "/")
	for i := range t.parts[1:] {
		p := &t.parts[i+1]
		if p.value != nil {
			p.host = inHost
		} else if strings.Contains(p.literal, "/") {
			inHost = false
		}
	}
	return nil
}

func compileInterpolation(source string, scope Scope, line int) (*Text, error) {
	return compileText(source, bodyText, scope, line)
}

func compileText(source string, kind textKind, scope Scope, line int) (*Text, error) {
	t := &Text{source: source, kind: kind}
	for rest := source; rest != ""; {
		cut := strings.IndexAny(rest, "{$")
		if cut < 0 {
			t.addLiteral(rest)
			break
		}
		t.addLiteral(rest[:cut])
		rest = rest[cut:]
		n, err := t.addValue(rest, scope, line)
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return t, nil
}

func (t *Text) addLiteral(s string) {
	if s == "" {
		return
	}
	if n := len(t.parts); n > 0 && t.parts[n-1].value == nil {
		t.parts[n-1].literal += s
		return
	}
	t.parts = append(t.parts, textPart{literal: s})
}

// addValue takes a placeholder, an expression or a lone "$" from the start of s and says how long it was.
func (t *Text) addValue(s string, scope Scope, line int) (int, error) {
	switch {
	case strings.HasPrefix(s, "${{"):
		end := expressionEnd(s, 3)
		if end < 0 {
			return 0, errorAt(line, "%q: ${{ is not closed", t.source)
		}
		source, slashes := strings.CutPrefix(s[3:end], "+")
		if slashes && t.kind != pathText {
			return 0, errorAt(line, "%q: ${{+ … }} is only for paths", t.source)
		}
		e, err := CompileExpr(source, scope, line)
		if err != nil {
			return 0, err
		}
		t.addPart(textPart{name: e.source, value: e, slashes: slashes})
		return end + 2, nil
	case s[0] == '$' || t.kind == bodyText:
		t.addLiteral(s[:1])
		return 1, nil
	default:
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return 0, errorAt(line, "%q: { is not closed", t.source)
		}
		return end + 1, t.addPlaceholder(s[1:end], scope, line)
	}
}

func (t *Text) addPlaceholder(name string, scope Scope, line int) error {
	name, slashes := strings.CutPrefix(name, "+")
	if slashes && t.kind != pathText {
		return errorAt(line, "%q: {+%s} is only for paths", t.source, name)
	}
	root := "fields"
	if t.kind == pathText && (scope.AnyInput || contains(scope.Input, name) || !contains(scope.Fields, name)) {
		root = "input"
	}
	e, err := CompileExpr(root+"."+name, scope, line)
	if err != nil {
		return err
	}
	t.addPart(textPart{name: name, value: e, slashes: slashes})
	return nil
}

func (t *Text) addPart(p textPart) {
	t.parts = append(t.parts, p)
	t.refs.add(p.value.refs)
}

// AsText writes a value as it belongs in a path, a query or a header: numbers without exponent, times as RFC 3339, lists
// and objects as JSON, nothing as "".
func AsText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339)
	case []byte:
		return string(v)
	default:
		b, err := EncodeJSON(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
}
