package session

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// policy is the part of a configuration that says which tools there are, compiled against one snapshot. Sessions with the
// same rules share one, whoever their users are.
type policy struct {
	key      string
	catalog  *catalog.Snapshot
	toolkits *listRule            // nil: every toolkit
	tools    map[string]*toolRule // by toolkit slug
	tags     *tagRule             // nil: any
	meta     []metaTool           // those that are switched on
	multi    bool                 // several accounts per toolkit: some meta tools look different
	preload  Preload
	specs    func() []ToolSpec
}

// listRule allows only what it names, or everything else.
type listRule struct {
	line  string // where the configuration says so, for messages
	only  bool
	slugs map[string]bool
	shown []string // the slugs as configured, for messages
}

func (r *listRule) allows(slug string) bool { return r.slugs[slug] == r.only }

// toolRule is what is said of one toolkit's tools.
type toolRule struct {
	list *listRule // nil: no list
	tags *tagRule  // nil: the session's own
}

// tagRule keeps tools that carry one of enable (when there are any) and none of disable.
type tagRule struct {
	line            string
	enable, disable []string
}

// allows lets every tool through when nothing is named: a toolkit's empty tags lift the session's own.
func (r *tagRule) allows(t *catalog.Tool) bool {
	if len(r.enable) > 0 && !slices.ContainsFunc(r.enable, func(tag string) bool { return carries(t, tag) }) {
		return false
	}
	return !slices.ContainsFunc(r.disable, func(tag string) bool { return carries(t, tag) })
}

// policyRules are the members of a configuration that a policy depends on; their encoding is its key.
type policyRules struct {
	Toolkits *ToolkitFilter
	Tools    map[string]ToolFilter
	Tags     *TagFilter
	Preload  Preload
	Meta     []string
	Multi    bool
}

func policyKey(c Config, s *catalog.Snapshot) string {
	rules := policyRules{Toolkits: c.Toolkits, Tools: c.Tools, Tags: c.Tags, Preload: c.Preload, Multi: c.MultiAccount.Enable}
	for _, m := range metaTools() {
		if m.on(c) {
			rules.Meta = append(rules.Meta, m.slug)
		}
	}
	text, err := json.Marshal(rules)
	if err != nil { // only plain lists and maps of text
		panic(err)
	}
	sum := sha256.Sum256(append(text, s.ID...))
	return hex.EncodeToString(sum[:16])
}

func compilePolicy(key string, c Config, s *catalog.Snapshot) *policy {
	p := &policy{key: key, catalog: s, preload: c.Preload, multi: c.MultiAccount.Enable}
	if f := c.Toolkits; f != nil {
		if f.Only {
			p.toolkits = compileList("toolkits.enable", true, f.Enable, func(slug string) string { return currentToolkit(s, slug) })
		} else {
			p.toolkits = compileList("toolkits.disable", false, f.Disable, func(slug string) string { return currentToolkit(s, slug) })
		}
	}
	p.tags = compileTags("tags", c.Tags)
	if len(c.Tools) > 0 {
		p.tools = make(map[string]*toolRule, len(c.Tools))
	}
	for toolkit, f := range c.Tools {
		line := "tools." + toolkit
		rule := &toolRule{tags: compileTags(line+".tags", f.Tags)}
		switch {
		case f.Only:
			rule.list = compileList(line+".enable", true, f.Enable, func(slug string) string { return currentTool(s, slug) })
		case len(f.Disable) > 0:
			rule.list = compileList(line+".disable", false, f.Disable, func(slug string) string { return currentTool(s, slug) })
		}
		p.tools[currentToolkit(s, toolkit)] = rule
	}
	for _, m := range metaTools() {
		if m.on(c) {
			p.meta = append(p.meta, m)
		}
	}
	p.specs = sync.OnceValue(p.list)
	return p
}

func compileList(line string, only bool, slugs []string, current func(string) string) *listRule {
	r := &listRule{line: line, only: only, slugs: make(map[string]bool, len(slugs)), shown: slugs}
	for _, slug := range slugs {
		r.slugs[current(slug)] = true
	}
	return r
}

func compileTags(line string, f *TagFilter) *tagRule {
	if f == nil {
		return nil
	}
	return &tagRule{line: line, enable: f.Enable, disable: f.Disable}
}

// currentToolkit and currentTool follow renames that happened after the configuration was stored.
func currentToolkit(s *catalog.Snapshot, slug string) string {
	if t, ok := s.Toolkit(slug); ok {
		return t.Slug
	}
	return strings.ToLower(slug)
}

func currentTool(s *catalog.Snapshot, slug string) string {
	if t, ok := s.Tool(slug); ok {
		return t.Slug
	}
	return strings.ToUpper(slug)
}

// allowsToolkit and allows are the rule itself; refuseToolkit and refuse say the same with reasons. The order is: the
// toolkit first; then, inside it, a list beats tags; a toolkit's own tags stand in for the session's.
func (p *policy) allowsToolkit(slug string) bool {
	return p.toolkits == nil || p.toolkits.allows(slug)
}

func (p *policy) allows(t *catalog.Tool) bool {
	if !p.allowsToolkit(t.Toolkit.Slug) {
		return false
	}
	list, tags := p.rules(t.Toolkit.Slug)
	if list != nil && (list.only || !list.allows(t.Slug)) {
		return list.allows(t.Slug)
	}
	return tags == nil || tags.allows(t)
}

func (p *policy) rules(toolkit string) (*listRule, *tagRule) {
	rule, ok := p.tools[toolkit]
	switch {
	case !ok:
		return nil, p.tags
	case rule.tags == nil:
		return rule.list, p.tags
	default:
		return rule.list, rule.tags
	}
}

func (p *policy) refuseToolkit(slug string) error {
	if p.allowsToolkit(slug) {
		return nil
	}
	f := restriction("Toolkit '%s' is not allowed in this session: %s.", slug, p.toolkits.says())
	if p.toolkits.only {
		return f.WithFix("To allow it, add %q to toolkits.enable: %s.", slug, howToChange)
	}
	return f.WithFix("To allow it, take %q out of toolkits.disable: %s.", slug, howToChange)
}

func (p *policy) refuse(t *catalog.Tool) error {
	if err := p.refuseToolkit(t.Toolkit.Slug); err != nil {
		return err
	}
	if p.allows(t) {
		return nil
	}
	list, tags := p.rules(t.Toolkit.Slug)
	switch {
	case list != nil && list.only:
		return restriction("Tool '%s' is not allowed in this session: %s.", t.Slug, list.says()).
			WithFix("To allow it, add it to %s: %s.", list.line, howToChange)
	case list != nil && !list.allows(t.Slug):
		return restriction("Tool '%s' is not allowed in this session: %s names it.", t.Slug, list.line).
			WithFix("To allow it, take it out of %s: %s.", list.line, howToChange)
	default:
		return restriction("Tool '%s' is not allowed in this session: %s, and the tool is tagged %s.",
			t.Slug, tags.says(), strings.Join(t.Tags(), ", ")).
			WithFix("To allow this tool alone, name it in tools.%s.enable: %s.", t.Toolkit.Slug, howToChange)
	}
}

const howToChange = "session.update(…) in the application, or PATCH /api/v3.1/tool_router/session/{session_id}"

func restriction(format string, args ...any) *fault.Error {
	f := fault.New(fault.Forbidden, fault.SlugSessionToolNotAllowed, "[Session Restriction] "+format, args...)
	f.NoRetry = true
	return f
}

func (r *listRule) says() string {
	switch {
	case !r.only:
		return r.line + " names it"
	case len(r.shown) == 0:
		return r.line + " is empty, which allows none"
	default:
		return r.line + " allows only " + some(r.shown)
	}
}

func (r *tagRule) says() string {
	var parts []string
	if len(r.enable) > 0 {
		parts = append(parts, fmt.Sprintf("%s.enable asks for one of %s", r.line, strings.Join(r.enable, ", ")))
	}
	if len(r.disable) > 0 {
		parts = append(parts, fmt.Sprintf("%s.disable leaves out %s", r.line, strings.Join(r.disable, ", ")))
	}
	return strings.Join(parts, " and ")
}

// some writes a list out, but not without end.
func some(slugs []string) string {
	const most = 8
	if len(slugs) <= most {
		return strings.Join(slugs, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(slugs[:most], ", "), len(slugs)-most)
}

// carries reports whether a tool has a tag, without making the list of its tags.
func carries(t *catalog.Tool, tag string) bool {
	switch tag {
	case catalog.TagImportant:
		return t.Important
	case catalog.TagRead:
		return t.Hints.Read
	case catalog.TagCreate:
		return t.Hints.Create
	case catalog.TagUpdate:
		return t.Hints.Update
	case catalog.TagDestructive:
		return t.Hints.Destructive
	case catalog.TagIdempotent:
		return t.Hints.Idempotent
	case catalog.TagOpenWorld:
		return !t.Hints.ClosedWorld
	default:
		return false
	}
}

// maxPreload bounds preload "all".
const maxPreload = 1000

// list makes what a session shows: meta tools in their own order, then the preloaded tools that the rules allow.
func (p *policy) list() []ToolSpec {
	specs := make([]ToolSpec, 0, len(p.meta)+len(p.preload.Tools))
	for _, m := range p.meta {
		specs = append(specs, m.spec(p.multi))
	}
	for _, t := range p.preloaded() {
		spec := appToolSpec(t)
		if p.multi {
			spec.Input = withAccount(t, spec.Input)
		}
		specs = append(specs, spec)
	}
	return specs
}

// preloaded gives the app tools to list: those named, in the order they were named; or all that the rules ask for.
func (p *policy) preloaded() []*catalog.Tool {
	if p.preload.All {
		all, _ := p.asked()
		return all
	}
	tools := make([]*catalog.Tool, 0, len(p.preload.Tools))
	for _, slug := range p.preload.Tools {
		if t, ok := p.catalog.Tool(slug); ok && p.allows(t) && !slices.Contains(tools, t) {
			tools = append(tools, t)
		}
	}
	return tools
}

// asked gives the tools that preload "all" means, in the catalog's order and up to the bound, and how many there are
// without it. Where no toolkits are chosen but tools of some are, those are meant and not the rest of the catalog.
func (p *policy) asked() (tools []*catalog.Tool, total int) {
	chosen := p.toolkits != nil && p.toolkits.only
	for _, toolkit := range p.catalog.Toolkits() {
		if !p.allowsToolkit(toolkit.Slug) || !chosen && p.choosesTools() && !p.tools[toolkit.Slug].positive() {
			continue
		}
		for _, t := range toolkit.Tools {
			if !p.allows(t) {
				continue
			}
			if total++; total <= maxPreload {
				tools = append(tools, t)
			}
		}
	}
	return tools, total
}

// positive reports whether the rules name what they want, rather than only what they do not want.
func (p *policy) positive() bool {
	return p.toolkits != nil && p.toolkits.only || p.tags != nil && len(p.tags.enable) > 0 || p.choosesTools()
}

func (p *policy) choosesTools() bool {
	for _, rule := range p.tools {
		if rule.positive() {
			return true
		}
	}
	return false
}

func (r *toolRule) positive() bool {
	return r != nil && (r.list != nil && r.list.only || r.tags != nil && len(r.tags.enable) > 0)
}
