package api

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/session"
)

// Tools are the largest things this API writes and the ones most often written, and they change only with the catalog. So
// each is encoded once, and whole lists of a session's tools are kept as they were sent. What is kept is bounded in bytes.
const (
	preparedToolBytes = 16 << 20
	preparedPageBytes = 16 << 20
)

// preparedTools keeps encoded tools and pages of them. The zero value is ready.
type preparedTools struct {
	tools generations[toolKey, preparedTool]
	pages generations[pageKey, []byte]
}

type toolKey struct{ snapshot, slug string }

// pageKey says all that a page of a session's tools depends on.
type pageKey struct {
	tools  string // session.View.ToolsKey
	origin string
	from   string
	page   int
	size   int
}

// preparedTool is an encoded tool with two gaps, where the origin that its logo is served from goes.
type preparedTool [3][]byte

func (t preparedTool) writeTo(w io.Writer, origin []byte) {
	w.Write(t[0])
	w.Write(origin)
	w.Write(t[1])
	w.Write(origin)
	w.Write(t[2])
}

func (t preparedTool) size() int { return len(t[0]) + len(t[1]) + len(t[2]) }

// toolList is a page of tools, ready to be written piece by piece: a page of hundreds is never put together in memory.
type toolList struct {
	tools  []preparedTool
	origin []byte
	end    string
}

const toolListStart = `{"items":[`

func newToolList[T any](items []T, info pageInfo, origin string, prepare func(T) preparedTool) toolList {
	return toolList{tools: mapped(items, prepare), origin: []byte(origin), end: "]," + mustEncode(info)[1:]}
}

func (l toolList) size() int {
	n := len(toolListStart) + len(l.end) + max(0, len(l.tools)-1)
	for _, tool := range l.tools {
		n += tool.size() + 2*len(l.origin)
	}
	return n
}

func (l toolList) writeTo(w io.Writer) {
	io.WriteString(w, toolListStart)
	for i, tool := range l.tools {
		if i > 0 {
			io.WriteString(w, ",")
		}
		tool.writeTo(w, l.origin)
	}
	io.WriteString(w, l.end)
}

func (l toolList) bytes() []byte {
	buf := bytes.NewBuffer(make([]byte, 0, l.size()))
	l.writeTo(buf)
	return buf.Bytes()
}

// app gives the encoded form of an app's tool.
func (p *preparedTools) app(snapshotID string, t *catalog.Tool) preparedTool {
	key := toolKey{snapshotID, t.Slug}
	if ready, ok := p.tools.get(key); ok {
		return ready
	}
	ready := encodeTool(appToolFacts(t))
	p.tools.put(key, ready, ready.size(), preparedToolBytes)
	return ready
}

// listed gives the encoded form of a tool that a session lists.
func (p *preparedTools) listed(snapshotID string, spec session.ToolSpec) preparedTool {
	switch {
	case spec.Tool == nil:
		return encodeTool(metaToolFacts(spec))
	case len(spec.Input) == len(spec.Tool.Detail().Input.JSON): // what sessions add to a schema makes it longer
		return p.app(snapshotID, spec.Tool)
	}
	key := toolKey{snapshotID + " with account", spec.Tool.Slug}
	if ready, ok := p.tools.get(key); ok {
		return ready
	}
	facts := appToolFacts(spec.Tool)
	facts.InputParameters = spec.Input
	ready := encodeTool(facts)
	p.tools.put(key, ready, ready.size(), preparedToolBytes)
	return ready
}

// toolFacts are the members of a tool object (API contract section 7.1) that follow those with the logo in them.
type toolFacts struct {
	tool, toolkit nameFacts

	Description       string             `json:"description"`
	HumanDescription  string             `json:"human_description"`
	InputParameters   json.RawMessage    `json:"input_parameters"`
	OutputParameters  json.RawMessage    `json:"output_parameters"`
	NoAuth            bool               `json:"no_auth"`
	Version           string             `json:"version"`
	AvailableVersions []string           `json:"available_versions"`
	Scopes            []string           `json:"scopes"`
	ScopeRequirements *scopeRequirements `json:"scope_requirements"`
	Tags              []string           `json:"tags"`
	IsDeprecated      bool               `json:"is_deprecated"`
}

// nameFacts are how a tool or a toolkit is called.
type nameFacts struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// scopeRequirements are the scopes a grant must hold. An element is one scope, or {any_of: […]}.
type scopeRequirements struct {
	AllOf []any `json:"all_of"`
}

type anyOfScopes struct {
	AnyOf []string `json:"any_of"`
}

func appToolFacts(t *catalog.Tool) toolFacts {
	detail := t.Detail()
	return toolFacts{
		tool: nameFacts{t.Slug, t.Name}, toolkit: nameFacts{t.Toolkit.Slug, t.Toolkit.Name},
		Description: t.Description, HumanDescription: t.Description,
		InputParameters: detail.Input.JSON, OutputParameters: detail.Output.JSON,
		NoAuth: t.NoAuth, Version: t.Toolkit.Version, AvailableVersions: versionsOf(t.Toolkit),
		Scopes: scopesOf(t), ScopeRequirements: requirementsOf(t.Scopes),
		Tags: list(t.Tags()), IsDeprecated: t.Deprecated,
	}
}

// Meta tools belong to a toolkit that exists in name only. Their version is that of the contract they follow.
var metaToolkit = nameFacts{"composio", "Composio"}

const metaToolVersion = "20260601_00"

func metaToolFacts(spec session.ToolSpec) toolFacts {
	return toolFacts{
		tool: nameFacts{spec.Slug, spec.Name}, toolkit: metaToolkit,
		Description: spec.Description, HumanDescription: spec.Description,
		InputParameters: spec.Input, OutputParameters: spec.Output,
		NoAuth: true, Version: metaToolVersion, AvailableVersions: []string{metaToolVersion},
		Scopes: []string{}, Tags: list(spec.Tags),
	}
}

// versionsOf gives the versions of a toolkit, newest first, at least one.
func versionsOf(tk *catalog.Toolkit) []string {
	if len(tk.Versions) == 0 {
		return []string{tk.Version}
	}
	return tk.Versions
}

// scopesOf lists every scope that a tool's requirements name.
func scopesOf(t *catalog.Tool) []string {
	scopes := append([]string{}, t.Scopes.All...)
	for _, group := range t.Scopes.Any {
		scopes = append(scopes, group...)
	}
	return scopes
}

func requirementsOf(s catalog.Scopes) *scopeRequirements {
	if len(s.All)+len(s.Any) == 0 {
		return nil
	}
	r := &scopeRequirements{AllOf: make([]any, 0, len(s.All)+len(s.Any))}
	for _, scope := range s.All {
		r.AllOf = append(r.AllOf, scope)
	}
	for _, group := range s.Any {
		r.AllOf = append(r.AllOf, anyOfScopes{group})
	}
	return r
}

// deprecatedFacts is the contract's older copy of some members, kept because it is required.
type deprecatedFacts struct {
	DisplayName       string   `json:"displayName"`
	Version           string   `json:"version"`
	AvailableVersions []string `json:"available_versions"`
	IsDeprecated      bool     `json:"is_deprecated"`
}

// encodeTool writes a tool with gaps for the origin of its logo, which stands in it twice.
func encodeTool(f toolFacts) preparedTool {
	logo := "/logos/" + f.toolkit.Slug + `.svg"}`
	deprecated := deprecatedFacts{f.tool.Name, f.Version, f.AvailableVersions, f.IsDeprecated}
	return preparedTool{
		[]byte(open(f.tool) + `,"toolkit":` + open(f.toolkit) + `,"logo":"`),
		[]byte(logo + `,"deprecated":` + open(deprecated) + `,"toolkit":{"logo":"`),
		[]byte(logo + `},` + mustEncode(f)[1:]),
	}
}

// open encodes an object without its closing brace, so that a member can follow.
func open(v any) string {
	object := mustEncode(v)
	return object[:len(object)-1]
}

// mustEncode encodes a value of plain fields and schemas that were checked when they were loaded.
func mustEncode(v any) string {
	var buf bytes.Buffer
	if err := encode(&buf, v); err != nil {
		panic(err)
	}
	return string(bytes.TrimRight(buf.Bytes(), "\n"))
}

// generations is a cache bounded in bytes. When the young generation is full it becomes the old one, and what was old and
// has not been asked for since is dropped. The zero value is ready; it is safe for concurrent use.
type generations[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]sized[V]
	bytes      int // of the young generation
}

type sized[V any] struct {
	value V
	bytes int
}

func (g *generations[K, V]) get(key K) (V, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if entry, ok := g.young[key]; ok {
		return entry.value, true
	}
	entry, ok := g.old[key]
	if ok {
		delete(g.old, key)
		g.keep(key, entry)
	}
	return entry.value, ok
}

// put keeps a value of a size. Half of most is for the young generation.
func (g *generations[K, V]) put(key K, value V, bytes, most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bytes+bytes > most/2 {
		g.old, g.young, g.bytes = g.young, nil, 0
	}
	if bytes <= most/2 {
		g.keep(key, sized[V]{value, bytes})
	}
}

func (g *generations[K, V]) keep(key K, entry sized[V]) {
	if g.young == nil {
		g.young = make(map[K]sized[V])
	}
	if _, again := g.young[key]; !again {
		g.bytes += entry.bytes
	}
	g.young[key] = entry
}
