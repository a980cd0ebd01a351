package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/patchbay-dev/patchbay/internal/mapping"
)

// LoadToolkits reads all toolkits of a file system: each directory at its root that holds a toolkit.yaml is one. The error
// lists every problem of every toolkit.
func LoadToolkits(fsys fs.FS) ([]*Toolkit, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read toolkits: %w", err)
	}
	var dirs []string
	for _, e := range entries {
		if _, err := fs.Stat(fsys, path.Join(e.Name(), toolkitFile)); e.IsDir() && err == nil {
			dirs = append(dirs, e.Name())
		}
	}
	toolkits, problems := make([]*Toolkit, len(dirs)), make([][]Problem, len(dirs))
	var wg sync.WaitGroup
	for i, dir := range dirs { // a start should not wait for one after the other
		wg.Go(func() { toolkits[i], problems[i] = LoadToolkit(fsys, dir) })
	}
	wg.Wait()
	return toolkits, asError(slices.Concat(problems...))
}

// LoadToolkit reads the toolkit in one directory. It is usable only when there are no problems.
func LoadToolkit(fsys fs.FS, dir string) (*Toolkit, []Problem) {
	return loadToolkit(directory{fsys, dir}, dir)
}

// loadFiles reads a toolkit from files that are in memory, by name.
func loadFiles(files map[string]string) (*Toolkit, []Problem) {
	return loadToolkit(inMemory(files), ".")
}

func loadToolkit(from fileSource, dir string) (*Toolkit, []Problem) {
	l := &loader{from: from, dir: dir, toolkit: &Toolkit{}}
	l.load()
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		return a.Line - b.Line
	})
	return l.toolkit, l.problems
}

// Check gives all problems of the toolkit in a directory, in the order of files and lines.
func Check(fsys fs.FS, dir string) []Problem {
	_, problems := LoadToolkit(fsys, dir)
	return problems
}

func asError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return errors.New(strings.Join(lines, "\n"))
}

const (
	toolkitFile  = "toolkit.yaml"
	triggersFile = "triggers.yaml"
)

// loader reads one toolkit.
type loader struct {
	from     fileSource
	dir      string
	problems []Problem

	toolkit *Toolkit
	shared  shared
	at      map[string]place // where each tool and alias was declared
	refs    []reference
}

// shared is what toolkit.yaml says once for all its tools.
type shared struct {
	hasBase     bool                  // there is a base_url
	fields      []string              // connection fields
	inputs      map[string]*yaml.Node // arguments that tools take over by naming them
	page        *yaml.Node
	trim        *Trim
	lists       ListStyle
	names       nameStyle
	graphqlPath string
}

// nameStyle is how the provider writes names, for arguments that go upstream as they are.
type nameStyle string

const (
	namesAsIs  nameStyle = "as-is"
	namesCamel nameStyle = "camelCase"
)

// place is a position in a file.
type place struct {
	file string
	line int
}

// reference is a slug that a tool names in before or after.
type reference struct {
	from place
	slug string
	to   *[]string
	at   int
}

func (l *loader) load() {
	l.at = map[string]place{}
	root, r := l.read(toolkitFile)
	if root == nil {
		return
	}
	l.readToolkit(r, root)
	for _, name := range l.files() {
		l.readTools(name)
	}
	l.resolveReferences()
	l.finish()
}

// files gives the tool files of the directory, in order.
func (l *loader) files() []string {
	all, err := l.from.names()
	if err != nil {
		l.fail(toolkitFile, "%s", err)
		return nil
	}
	var names []string
	for _, name := range all {
		switch {
		case name == toolkitFile || strings.HasPrefix(name, "."):
		case path.Ext(name) == ".yaml":
			names = append(names, name)
		case path.Ext(name) == ".yml":
			l.fail(name, "toolkit files end in .yaml")
		}
	}
	return names
}

func (l *loader) fail(file, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: path.Join(l.dir, file), Line: 1, Message: fmt.Sprintf(format, args...)})
}

// read parses one file; nil when that fails.
func (l *loader) read(name string) (*yaml.Node, *reader) {
	r := &reader{file: path.Join(l.dir, name), problems: &l.problems}
	data, err := l.from.content(name)
	if err != nil {
		l.fail(name, "%s", err)
		return nil, r
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			l.fail(name, "the file is empty")
			return nil, r
		}
		line, message := yamlError(err)
		*r.problems = append(*r.problems, Problem{File: r.file, Line: line, Message: message})
		return nil, r
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		l.fail(name, "the file holds more than one document")
	}
	if problem := unwieldy(&doc); problem != nil {
		problem.File = r.file
		*r.problems = append(*r.problems, *problem)
		return nil, r
	}
	return doc.Content[0], r
}

// yamlError takes the line out of the parser's message ("yaml: line 3: …").
func yamlError(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	if _, scanErr := fmt.Sscanf(message, "line %d:", &line); scanErr == nil {
		_, message, _ = strings.Cut(message, ": ")
		if strings.Contains(message, "mapping values are not allowed") {
			message += " (a text with a colon and a blank in it, for example an expression, goes in quotes or below >-)"
		}
		return line, message
	}
	return 1, message
}

func (l *loader) readTools(name string) {
	root, r := l.read(name)
	if root == nil {
		return
	}
	if name == triggersFile {
		r.elements(root, "a trigger file", func(v *yaml.Node) { l.readTrigger(r, v) })
		return
	}
	r.elements(root, "a tool file", func(v *yaml.Node) { l.readTool(r, v) })
}

// resolveReferences turns the short slugs in before and after into full ones.
func (l *loader) resolveReferences() {
	known := make([]string, 0, len(l.toolkit.Tools))
	for _, t := range l.toolkit.Tools {
		known = append(known, t.Slug)
	}
	for _, ref := range l.refs {
		full := l.fullSlug(ref.slug)
		if !slices.Contains(known, full) {
			message := fmt.Sprintf("there is no tool %q in this toolkit", ref.slug)
			if near := nearest(full, known, 1); len(near) > 0 {
				message += fmt.Sprintf("; did you mean %q?", strings.TrimPrefix(near[0], l.prefix()))
			}
			l.problems = append(l.problems, Problem{File: ref.from.file, Line: ref.from.line, Message: message})
			continue
		}
		(*ref.to)[ref.at] = full
	}
}

// finish puts the important tools first and completes what depends on all tools.
func (l *loader) finish() {
	t := l.toolkit
	defer func() { t.hash = t.contentHash() }()
	slices.SortStableFunc(t.Tools, func(a, b *Tool) int {
		switch {
		case a.Important == b.Important:
			return 0
		case a.Important:
			return -1
		default:
			return 1
		}
	})
	l.spellOutSlugs()
	if len(t.Tools) == 0 {
		l.fail(toolkitFile, "the toolkit has no tools: they go into files beside this one, named for their area")
	}
	if slices.ContainsFunc(t.Tools, func(t *Tool) bool { return t.Held.Request.GraphQL != nil }) {
		t.Errors.addGraphQL()
	}
	for i := range t.Auth {
		if o := t.Auth[i].OAuth2; o != nil && o.AvailableScopes == nil {
			o.AvailableScopes = t.allScopes(o.DefaultScopes)
		}
	}
}

// spellOutSlugs writes the slugs of other tools in texts as models know them: with the toolkit's name in front.
func (l *loader) spellOutSlugs() {
	spell := func(s string) string {
		return slugInText.ReplaceAllStringFunc(s, func(word string) string {
			if _, known := l.at[l.fullSlug(word)]; known {
				return l.fullSlug(word)
			}
			return word
		})
	}
	texts := func(list []string) {
		for i, s := range list {
			list[i] = spell(s)
		}
	}
	advice := func(m map[int]string) {
		for status, s := range m {
			m[status] = spell(s)
		}
	}
	advice(l.toolkit.Errors.Advice)
	for _, t := range l.toolkit.Tools {
		t.Description = spell(t.Description)
		d := t.Held
		d.Input.JSON = json.RawMessage(spell(string(d.Input.JSON)))
		texts(d.Pitfalls)
		advice(d.Advice)
		for i := range d.Refusals {
			d.Refusals[i].Say = spell(d.Refusals[i].Say)
		}
	}
}

// slugInText finds words of two parts or more in capitals; one of a single part may be an ordinary word.
var slugInText = regexp.MustCompile(`\b[A-Z0-9]+(_[A-Z0-9]+)+\b`)

// addGraphQL says what every GraphQL API says about failure, where the toolkit does not say it itself.
func (e *ErrorRules) addGraphQL() {
	if e.FailedWhen == nil {
		e.FailedWhen, _ = mapping.CompileExpr(`type(body) == "map" && len(list(body.errors)) > 0`, mapping.Scope{Answer: true}, 0)
	}
	if e.Message == nil {
		message, _ := mapping.ParsePath("errors[0].message")
		e.Message = []mapping.Path{message}
	}
}

// allScopes gives the default scopes and whatever a tool may need beyond them.
func (t *Toolkit) allScopes(defaults []string) []string {
	scopes := slices.Clone(defaults)
	for _, tool := range t.Tools {
		scopes = append(scopes, tool.Scopes.All...)
		for _, group := range tool.Scopes.Any {
			scopes = append(scopes, group...)
		}
	}
	return unique(scopes)
}

func (l *loader) prefix() string { return strings.ToUpper(l.toolkit.Slug) + "_" }

func (l *loader) fullSlug(slug string) string { return l.prefix() + slug }
