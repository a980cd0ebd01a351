package execute

import (
	"bytes"
	"errors"
	"log/slog"
	"regexp"
	"runtime"
	"sync"
	"weak"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// schemas compiles the argument schema of each tool once. Tools live as long as the catalog snapshot they are in, so they
// are held weakly: a replaced snapshot takes its compiled schemas along.
type schemas struct {
	log      *slog.Logger
	compiled sync.Map // weak.Pointer[catalog.Tool] -> *jsonschema.Schema
}

// of gives the compiled schema, or nil when there is none or it cannot be compiled: then the provider is the judge.
func (s *schemas) of(t *catalog.Tool) *jsonschema.Schema {
	key := weak.Make(t)
	if known, ok := s.compiled.Load(key); ok {
		return known.(*jsonschema.Schema)
	}
	schema, err := compileSchema(t.Detail().Input.JSON)
	if err != nil {
		s.log.Warn("arguments of a tool are not checked: its schema does not compile", "tool", t.Slug, "error", err)
	}
	if _, raced := s.compiled.LoadOrStore(key, schema); !raced {
		runtime.AddCleanup(t, func(key weak.Pointer[catalog.Tool]) { s.compiled.Delete(key) }, key)
	}
	return schema
}

func compileSchema(raw []byte) (*jsonschema.Schema, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	const url = "arguments:///" // never loaded; it only has to be absolute
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(lenientRegexp)
	noteFormats(c)
	noteFiles(c)
	if err := c.AddResource(url, doc); err != nil {
		return nil, err
	}
	return c.Compile(url)
}

// noteFormats makes formats known without checking them: providers differ in what they take for a date or a URL, and the
// coercer only asks whether there is one.
func noteFormats(c *jsonschema.Compiler) {
	c.AssertFormat()
	for _, name := range []string{
		"date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri",
		"uri-reference", "uri-template", "iri", "iri-reference", "uuid", "json-pointer", "relative-json-pointer", "period", "semver",
	} {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(any) error { return nil }})
	}
}

// noteFiles makes the compiled schema remember which values are files: the keyword is the SDKs' own (API contract
// section 15).
func noteFiles(c *jsonschema.Compiler) {
	c.AssertVocabs()
	c.RegisterVocabulary(&jsonschema.Vocabulary{
		URL: "urn:patchbay:files",
		Compile: func(_ *jsonschema.CompilerContext, schema map[string]any) (jsonschema.SchemaExt, error) {
			if schema["file_uploadable"] == true {
				return fileMark{}, nil
			}
			return nil, nil
		},
	})
}

// fileMark is on the schema of a file argument.
type fileMark struct{}

func (fileMark) Validate(*jsonschema.ValidatorContext, any) {}

func isFile(s *jsonschema.Schema) bool {
	for _, e := range s.Extensions {
		if _, ok := e.(fileMark); ok {
			return true
		}
	}
	return false
}

// noLoader keeps an imported schema from making us read files or URLs.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("references to other documents are not followed")
}

// lenientRegexp accepts patterns that only ECMAScript has (lookaheads); they then match everything.
func lenientRegexp(pattern string) (jsonschema.Regexp, error) {
	if re, err := regexp.Compile(pattern); err == nil {
		return re, nil
	}
	return anyText(pattern), nil
}

type anyText string

func (anyText) MatchString(string) bool { return true }
func (p anyText) String() string        { return string(p) }
