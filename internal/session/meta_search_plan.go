package session

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// Plans and pitfalls say only what the tools' declarations and the user's connections say: what is missing, what usually
// comes before and after, what destroys something.

// ToolSchema is a tool as a search shows it: whole where it is likely to be called, a pointer otherwise.
type ToolSchema struct {
	Toolkit     string          `json:"toolkit"`
	Slug        string          `json:"tool_slug"`
	Description string          `json:"description,omitempty"`
	Input       json.RawMessage `json:"input_schema,omitempty"`
	Output      json.RawMessage `json:"output_schema,omitempty"`
	Full        *bool           `json:"hasFullSchema,omitempty"`
	Ref         *SchemaRef      `json:"schemaRef,omitempty"`
}

// SchemaRef is the call that gets a schema which is not here.
type SchemaRef struct {
	Tool    string        `json:"tool"`
	Args    SchemaRefArgs `json:"args"`
	Message string        `json:"message,omitempty"`
}

// SchemaRefArgs are the arguments of that call.
type SchemaRefArgs struct {
	Slugs []string `json:"tool_slugs"`
}

// Characters of input schemas in one search answer. What does not fit is pointed to.
const schemaBudget = 24_000

// schemas gives the best tools of every query their whole schema first, so that one query with large schemas does not take
// the room of the others.
func (f *finder) schemas(found []findings) map[string]ToolSchema {
	out := make(map[string]ToolSchema)
	room := schemaBudget
	for rank := range maxPrimary {
		for _, one := range found {
			if rank >= len(one.primary) {
				continue
			}
			t := one.primary[rank]
			if _, done := out[t.slug()]; done {
				continue
			}
			whole := wholeSchema(t)
			if len(whole.Input) > room {
				out[t.slug()] = schemaPointer(t)
				continue
			}
			room -= len(whole.Input)
			out[t.slug()] = whole
		}
	}
	for _, one := range found {
		for _, t := range one.related {
			if _, done := out[t.slug()]; !done {
				out[t.slug()] = schemaPointer(t)
			}
		}
	}
	return out
}

func wholeSchema(t foundTool) ToolSchema {
	full := true
	schema := ToolSchema{Toolkit: t.toolkit(), Slug: t.slug(), Full: &full}
	if t.tool != nil {
		schema.Description, schema.Input = t.tool.Description, t.tool.Detail().Input.JSON
	} else {
		schema.Description, schema.Input = t.custom.Description, t.custom.InputSchema
	}
	return schema
}

func schemaPointer(t foundTool) ToolSchema {
	schema := wholeSchema(t)
	full := false
	schema.Full, schema.Input = &full, nil
	schema.Ref = &SchemaRef{Tool: slugGetToolSchemas, Args: SchemaRefArgs{Slugs: []string{t.slug()}}, Message: "Get the input schema before you call this tool."}
	return schema
}

// explain puts what was found for a query into words.
func (f *finder) explain(index int, q SearchQuery, found findings) SearchResult {
	r := SearchResult{
		Index: index, UseCase: q.UseCase, Primary: slugsOf(found.primary), Related: slugsOf(found.related),
		Toolkits: append([]string{}, found.toolkits...),
	}
	switch {
	case len(found.primary) == 0:
		r.Guidance, r.Difficulty = f.nothingFits(found), noDifficulty
	case found.primary[0].tool == nil:
		custom := found.primary[0].custom
		r.Guidance = fmt.Sprintf("%s fits best: %s. It is a custom tool and runs in the application.", custom.Slug, firstSentence(custom.Description))
		r.Difficulty = "easy"
	default:
		p := f.plan(found.primary[0].tool, q)
		r.Guidance, r.Difficulty, r.Plan = p.guidance(found), p.difficulty(), p.steps()
		if why := f.keptAway(found); why != "" {
			r.Guidance += " The request names another app. " + why
		} else if found.missing != "" {
			r.Guidance += fmt.Sprintf(" The request names %q, which is not among the apps here: use this only if it will do as well.", found.missing)
		}
		r.Pitfalls = f.pitfalls(found)
	}
	return r
}

func slugsOf(tools []foundTool) []string {
	slugs := make([]string, len(tools))
	for i, t := range tools {
		slugs[i] = t.slug()
	}
	return slugs
}

func (f *finder) nothingFits(found findings) string {
	if why := f.keptAway(found); why != "" {
		return "No tool of this session fits. " + why
	}
	if found.missing != "" {
		return fmt.Sprintf("No tool of this session fits: %q is not among the apps here. Tell the user that this cannot be done here.", found.missing)
	}
	return "No tool of this session fits. Say it in other words, name the app, or tell the user that this cannot be done here."
}

// keptAway says why a toolkit that would fit is not among the findings.
func (f *finder) keptAway(found findings) string {
	kit, ok := f.view.Catalog.Toolkit(found.barred)
	switch {
	case !ok:
		return ""
	case !f.view.policy.allowsToolkit(kit.Slug):
		return fmt.Sprintf("%s would, but its toolkit %q is not allowed in this session: %s.", kit.Name, kit.Slug, f.view.policy.toolkits.says())
	case f.only != nil && !f.only[kit.Slug]:
		return fmt.Sprintf("%s would, but toolkits leaves %q out of this search.", kit.Name, kit.Slug)
	default:
		return fmt.Sprintf("A tool of %s would, but the session's filters leave it out.", kit.Name)
	}
}

// plan is what has to happen so that one tool can run.
type plan struct {
	tool     *catalog.Tool
	standing standing
	view     *View
	required []string
	optional bool     // it has arguments, and none is required
	missing  []string // required and not among the known fields
	before   []*catalog.Tool
	after    []*catalog.Tool
}

func (f *finder) plan(t *catalog.Tool, q SearchQuery) plan {
	facts := f.state.factsOf(t)
	p := plan{tool: t, standing: f.standings[t.Toolkit.Slug], view: f.view, required: facts.required}
	p.optional = len(facts.required) == 0 && facts.arguments > 0
	known := knownNames(q.KnownFields)
	for _, name := range p.required {
		if !known[plainName(name)] {
			p.missing = append(p.missing, name)
		}
	}
	p.before, p.after = f.allowedTools(t.Detail().Before), f.allowedTools(t.Detail().After)
	return p
}

func (f *finder) allowedTools(slugs []string) []*catalog.Tool {
	var out []*catalog.Tool
	for _, slug := range slugs {
		if t, ok := f.view.Catalog.Tool(slug); ok && f.view.policy.allows(t) {
			out = append(out, t)
		}
	}
	return out
}

// knownNames reads the names out of "name: value, name: value".
func knownNames(fields string) map[string]bool {
	names := make(map[string]bool)
	for part := range strings.SplitSeq(fields, ",") {
		if name, value, ok := strings.Cut(part, ":"); ok && strings.TrimSpace(value) != "" {
			names[plainName(name)] = true
		}
	}
	return names
}

// plainName makes names comparable however they are written: "Repo name", repo_name, repoName.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '"' || r == '\'' || r == '{' || r == '}' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

func (p plan) guidance(found findings) string {
	text := fmt.Sprintf("%s fits best: %s.", p.tool.Slug, firstSentence(p.tool.Description))
	switch {
	case p.optional:
		text += " No argument is required by itself."
	case len(p.required) == 0:
		text += " It takes no arguments."
	case len(p.missing) == 0:
		text += " You have all that it needs: " + names(p.required) + "."
	case len(p.missing) == len(p.required):
		text += " It needs " + names(p.required) + "."
	default:
		text += " It needs " + names(p.required) + "; still missing: " + names(p.missing) + "."
	}
	if others := slugsOf(found.primary[1:]); len(others) > 0 {
		text += " If that is not what is meant, look at " + enumerate(others) + "."
	}
	return text
}

func (p plan) difficulty() string {
	hurdles := 0
	for _, hurdle := range []bool{p.lookup(), p.tool.Hints.Destructive, p.standing.mustChoose()} {
		if hurdle {
			hurdles++
		}
	}
	switch hurdles {
	case 0:
		return "easy"
	case 1:
		return "medium"
	default:
		return "hard"
	}
}

// lookup reports whether something has to be found out with another tool first.
func (p plan) lookup() bool { return len(p.missing) > 0 && len(p.before) > 0 }

func (p plan) steps() []string {
	steps := p.beforehand()
	add := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	switch {
	case p.lookup():
		add("Get %s from the task, by looking things up with %s, or from the user.", names(p.missing), titled(p.before))
	case len(p.missing) > 0:
		add("Get %s from the task or from the user.", names(p.missing))
	}
	if p.tool.Hints.Destructive {
		add("Make sure that the user wants exactly this: the tool is marked destructive.")
	}
	add("Run %s%s%s.", p.tool.Slug, p.through(), p.giving())
	if len(p.after) > 0 {
		add("Then, if the task asks for it: %s.", titled(p.after))
	}
	return steps
}

// beforehand is what the user's connections ask for, whoever makes the other steps.
func (p plan) beforehand() []string {
	var steps []string
	kit := p.tool.Toolkit
	if !p.standing.ready() {
		steps = append(steps, fmt.Sprintf("%s is not connected. %s", kit.Name, p.view.modelsWay(kit)))
	}
	if p.standing.mustChoose() {
		steps = append(steps, fmt.Sprintf("Choose which of the user's %d %s accounts to use, and name it in account.", len(p.standing.usable()), kit.Name))
	}
	return steps
}

// through names the meta tool by which the session runs tools, if it has one.
func (p plan) through() string {
	if p.view.Session.Config.MultiExecute {
		return " with " + slugMultiExecute
	}
	return ""
}

func (p plan) giving() string {
	if len(p.required) == 0 {
		return ""
	}
	return ", giving " + names(p.required)
}

// pitfalls gathers what the declarations of the best tools warn of.
func (f *finder) pitfalls(found findings) []string {
	const mostTools, most = 2, 6
	var out []string
	add := func(t *catalog.Tool, text string) {
		if line := t.Slug + ": " + text; len(out) < most && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	for _, one := range found.primary[:min(mostTools, len(found.primary))] {
		t := one.tool
		if t == nil {
			continue
		}
		if t.Deprecated {
			add(t, "is deprecated; prefer another tool.")
		}
		if t.Hints.Destructive {
			add(t, "is marked destructive; run it only when the user has asked for exactly this.")
		}
		detail := t.Detail()
		for _, pitfall := range detail.Pitfalls {
			add(t, pitfall)
		}
		if page := detail.Page; page != nil && page.At != "" {
			add(t, "answers in pages; pass "+page.At+" to get further ones.")
		}
	}
	return out
}

// nextSteps says what to do with the whole answer.
func (f *finder) nextSteps(found []findings) []string {
	c := f.view.Session.Config
	steps := []string{}
	var unconnected []string
	fits, pointers := false, false
	for _, one := range found {
		fits = fits || len(one.primary) > 0
		pointers = pointers || len(one.related) > 0
		for _, slug := range one.toolkits {
			if st, ok := f.standings[slug]; ok && !st.ready() && !slices.Contains(unconnected, slug) {
				unconnected = append(unconnected, slug)
			}
		}
	}
	switch {
	case len(unconnected) == 0:
	case c.ManageConnections.Enable:
		steps = append(steps, fmt.Sprintf("Not connected: %s. Call %s for them and show the links to the user before anything else.", enumerate(unconnected), slugManageConnections))
	default:
		steps = append(steps, fmt.Sprintf("Not connected: %s. The user has to connect them in the application first.", enumerate(unconnected)))
	}
	if pointers {
		steps = append(steps, fmt.Sprintf("Before you call a tool whose input_schema is not here, get it with %s.", slugGetToolSchemas))
	}
	switch {
	case !fits:
		steps = append(steps, "Nothing fits. Search once more in other words; if that finds nothing either, say so to the user.")
	case c.MultiExecute:
		steps = append(steps, fmt.Sprintf("Run the tools with %s; put calls that do not need one another's results together.", slugMultiExecute))
	}
	return steps
}

func titled(tools []*catalog.Tool) string {
	parts := make([]string, len(tools))
	for i, t := range tools {
		parts[i] = t.Slug
		if t.Name != "" {
			parts[i] += " (" + t.Name + ")"
		}
	}
	return enumerate(parts)
}

// names writes arguments so that they are not read as words of the sentence.
func names(arguments []string) string {
	quoted := make([]string, len(arguments))
	for i, name := range arguments {
		quoted[i] = "`" + name + "`"
	}
	return enumerate(quoted)
}

// enumerate writes a, b and c.
func enumerate(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " and " + items[last]
}

// firstSentence gives the beginning of a description, without its full stop.
func firstSentence(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	for i, r := range text {
		if r == '.' && (i+1 == len(text) || text[i+1] == ' ') {
			return text[:i]
		}
	}
	return text
}
