package execute

import (
	"bytes"
	"errors"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// schemas compiles the argument schema of each tool once, and keeps those that were used lately: a compiled schema takes many times
// its text, and catalogs have a hundred thousand. Tools are held weakly, so that a replaced snapshot can go.
//
// When the young ones have taken half of what may be kept they become the old ones, and the old ones that were not used since are
// dropped. Looking one up takes no lock.
type schemas struct {
	log        *slog.Logger
	most       int64 // bytes of each generation, as far as they can be estimated
	turning    sync.Mutex
	young, old atomic.Pointer[generation]
}

// generation is compiled schemas that came into use in one stretch of time.
type generation struct {
	compiled sync.Map // weak.Pointer[catalog.Tool] -> compiled
	bytes    atomic.Int64
}

// compiled is a schema with its weight.
type compiled struct {
	schema *jsonschema.Schema
	bytes  int64
}

// The weight of compiled schemas.
const (
	schemaBytes     = 8 << 20 // of each generation
	bytesOfCompiled = 13      // for each byte of text: the mean over 1,500 imported tools
	bytesOfEach     = 1 << 10
)

func newSchemas(log *slog.Logger, most int64) *schemas {
	s := &schemas{log: log, most: most}
	s.young.Store(&generation{})
	s.old.Store(&generation{})
	return s
}

// of gives the compiled schema, or nil when there is none or it cannot be compiled: then the provider is the judge.
func (s *schemas) of(t *catalog.Tool) *jsonschema.Schema {
	key := weak.Make(t)
	if known, ok := s.young.Load().compiled.Load(key); ok {
		return known.(compiled).schema
	}
	if known, ok := s.old.Load().compiled.Load(key); ok {
		s.keep(key, known.(compiled))
		return known.(compiled).schema
	}
	raw := t.Detail().Input.JSON
	schema, err := compileSchema(raw)
	if err != nil {
		s.log.Warn("arguments of a tool are not checked: its schema does not compile", "tool", t.Slug, "error", err)
	}
	s.keep(key, compiled{schema, bytesOfEach + bytesOfCompiled*int64(len(raw))})
	return schema
}

func (s *schemas) keep(key weak.Pointer[catalog.Tool], c compiled) {
	young := s.young.Load()
	if _, there := young.compiled.LoadOrStore(key, c); there || young.bytes.Add(c.bytes) <= s.most {
		return
	}
	s.turning.Lock()
	defer s.turning.Unlock()
	if s.young.Load() == young { // else somebody else did it
		s.old.Store(young)
		s.young.Store(&generation{})
	}
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
