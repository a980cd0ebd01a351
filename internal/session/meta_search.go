package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/search"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// SearchRequest is the body of POST …/search.
type SearchRequest struct {
	Queries  []SearchQuery
	Model    string   // name of the calling model; told to nobody
	Toolkits []string // search only these; nil: all that the session allows
	Custom   CustomTools
	Workflow WorkflowRef
}

// SearchQuery is one sub-task.
type SearchQuery struct{ UseCase, KnownFields string }

// WorkflowRef is the search's own session id: a new one is asked for, or an earlier one goes on.
type WorkflowRef struct {
	ID       string
	Generate bool
}

// SearchAnswer is what a search found, in the shape of the REST answer (contract section 6.8). Optional members are absent
// rather than null.
type SearchAnswer struct {
	Success   bool                  `json:"success"`
	Error     *string               `json:"error"`
	Results   []SearchResult        `json:"results"`
	Statuses  []ConnectionStatus    `json:"toolkit_connection_statuses"`
	Schemas   map[string]ToolSchema `json:"tool_schemas"`
	Time      TimeInfo              `json:"time_info"`
	Session   WorkflowInfo          `json:"session"`
	NextSteps []string              `json:"next_steps_guidance"`
}

// SearchResult answers one query.
type SearchResult struct {
	Index      int      `json:"index"` // from 1
	UseCase    string   `json:"use_case"`
	Primary    []string `json:"primary_tool_slugs"`
	Related    []string `json:"related_tool_slugs"`
	Toolkits   []string `json:"toolkits"`
	Guidance   string   `json:"execution_guidance"`
	Difficulty string   `json:"difficulty"` // easy, medium or hard
	Plan       []string `json:"recommended_plan_steps,omitempty"`
	Pitfalls   []string `json:"known_pitfalls,omitempty"`
	Error      string   `json:"error,omitempty"`
}

// metaSearchResult is the same under the names that the meta tool uses.
type metaSearchResult struct {
	Index      int      `json:"index"`
	UseCase    string   `json:"use_case"`
	Primary    []string `json:"primary_tool_slugs"`
	Related    []string `json:"related_tool_slugs"`
	Toolkits   []string `json:"toolkits"`
	Guidance   string   `json:"reasoning"`
	Difficulty string   `json:"task_difficulty"`
	Plan       []string `json:"recommended_plan_steps,omitempty"`
	Pitfalls   []string `json:"known_pitfalls,omitempty"`
	Error      string   `json:"error,omitempty"`
}

// metaSearchAnswer is SearchAnswer as the meta tool gives it.
type metaSearchAnswer struct {
	Results   []metaSearchResult    `json:"results"`
	Schemas   map[string]ToolSchema `json:"tool_schemas"`
	Statuses  []ConnectionStatus    `json:"toolkit_connection_statuses"`
	Time      TimeInfo              `json:"time_info"`
	Session   WorkflowInfo          `json:"session"`
	NextSteps []string              `json:"next_steps_guidance"`
}

// ConnectionStatus is how the user stands to a toolkit that a search named.
type ConnectionStatus struct {
	Toolkit     string            `json:"toolkit"`
	Description string            `json:"description"`
	Active      bool              `json:"has_active_connection"`
	Details     ConnectionDetails `json:"connection_details"`
	User        *connect.Identity `json:"current_user_info,omitempty"`
	AccountType string            `json:"account_type,omitempty"`
	Accounts    []AccountInfo     `json:"accounts,omitempty"`          // only where several accounts are allowed
	Selection   string            `json:"account_selection,omitempty"` // "required" when calls have to name one
	Message     string            `json:"status_message"`
}

// ConnectionDetails name the account that a call would use; empty when there is none.
type ConnectionDetails struct {
	AccountID    string         `json:"connected_account_id,omitempty"`
	WordID       string         `json:"word_id,omitempty"`
	Alias        string         `json:"alias,omitempty"`
	AuthConfigID string         `json:"auth_config_id,omitempty"`
	Status       connect.Status `json:"status,omitempty"`
}

// TimeInfo is the time, so that a model does not guess it.
type TimeInfo struct {
	UTC     string `json:"current_time_utc"`
	Epoch   int64  `json:"current_time_utc_epoch_seconds"`
	Message string `json:"message"`
}

// WorkflowInfo is the id under which the further calls of the task go.
type WorkflowInfo struct {
	ID           string `json:"id"`
	Generated    bool   `json:"generate_id"`
	Instructions string `json:"instructions"`
}

const (
	maxQueries       = 7
	maxUseCase       = 1024
	maxPrimary       = 4
	maxHits          = 6    // primary and related together
	minRelated       = 2    // room for what comes before and after
	closeToBest      = 0.75 // a hit whose score is this near to the best one's is primary too
	nearBest         = 0.6  // and this near, related
	noDifficulty     = "unknown"
	localDescription = "Custom tools that run in the application."
)

// Search answers POST …/search; the meta tool COMPOSIO_SEARCH_TOOLS answers the same content in its own shape.
func (s *Service) Search(ctx context.Context, c tenant.Caller, id string, r SearchRequest) (SearchAnswer, error) {
	view, err := s.Open(ctx, c, id)
	if err != nil {
		return SearchAnswer{}, noRetry(err)
	}
	answer, err := s.search(ctx, c, view, r)
	if err != nil {
		return SearchAnswer{}, noRetry(err)
	}
	return answer, nil
}

// searchTools is COMPOSIO_SEARCH_TOOLS.
func (s *Service) searchTools(ctx context.Context, call metaCall) (metaAnswer, error) {
	args := call.arguments
	r := SearchRequest{
		Toolkits: args.texts([]string{"name", "slug"}, "toolkits", "toolkit"),
		Custom:   call.Custom,
		Workflow: WorkflowRef{ID: call.workflow(), Generate: args.object("session").truth("generate_id")},
	}
	for _, q := range args.objects("use_case", "queries", "query", "use_case", "use_cases") {
		r.Queries = append(r.Queries, SearchQuery{
			UseCase: q.text("use_case", "query", "task", "description"), KnownFields: knownFields(q.value("known_fields", "known")),
		})
	}
	found, err := s.search(ctx, call.caller, call.view, r)
	if err != nil {
		return metaAnswer{}, err
	}
	answer := metaSearchAnswer{
		Results: make([]metaSearchResult, len(found.Results)), Schemas: found.Schemas, Statuses: found.Statuses,
		Time: found.Time, Session: found.Session, NextSteps: found.NextSteps,
	}
	for i, result := range found.Results {
		answer.Results[i] = metaSearchResult(result)
	}
	if found.Error != nil {
		return metaAnswer{data: answer, error: *found.Error}, nil
	}
	return metaAnswer{data: answer}, nil
}

// knownFields understands what is meant as "name: value, name: value", also when it comes as an object.
func knownFields(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		parts := make([]string, 0, len(v))
		for name := range v {
			parts = append(parts, name+": "+arguments(v).text(name))
		}
		slices.Sort(parts)
		return strings.Join(parts, ", ")
	default:
		return ""
	}
}

// search finds tools for all queries of a request. One bad query does not spoil the others.
func (s *Service) search(ctx context.Context, c tenant.Caller, v *View, r SearchRequest) (SearchAnswer, error) {
	if len(r.Queries) == 0 || len(r.Queries) > maxQueries {
		return SearchAnswer{}, fault.New(fault.Invalid, fault.SlugInvalid, "A search takes 1 to %d queries, and this one has %d.", maxQueries, len(r.Queries)).
			WithFix("Send queries as a list of objects with use_case, one for each action.")
	}
	only, err := v.onlyToolkits(r.Toolkits)
	if err != nil {
		return SearchAnswer{}, err
	}
	connected, err := s.connectedToolkits(ctx, c, v)
	if err != nil {
		return SearchAnswer{}, err
	}
	f := &finder{
		service: s, view: v, state: s.stateOf(v.Catalog), custom: r.Custom.final(v.Catalog), only: only, connected: connected,
		standings: make(map[string]standing),
	}
	answer := SearchAnswer{Success: true, Results: make([]SearchResult, len(r.Queries))}
	found := make([]findings, len(r.Queries))
	failed := 0
	for i, q := range r.Queries {
		if fault := q.fault(); fault != "" {
			failed++
			answer.Results[i] = SearchResult{Index: i + 1, UseCase: clip(q.UseCase, 120), Primary: []string{}, Related: []string{}, Toolkits: []string{}, Guidance: fault, Difficulty: noDifficulty, Error: fault}
			continue
		}
		found[i] = f.find(q)
		if err := f.stand(ctx, c, found[i].toolkits); err != nil {
			return SearchAnswer{}, err
		}
		answer.Results[i] = f.explain(i+1, q, found[i])
	}
	if failed > 0 {
		message := fmt.Sprintf("%d out of %d searches failed, see results[].error", failed, len(r.Queries))
		answer.Success, answer.Error = false, &message
	}
	answer.Schemas = f.schemas(found)
	answer.Statuses = f.statuses(found)
	answer.NextSteps = f.nextSteps(found)
	answer.Session = s.workflow(r.Workflow)
	answer.Time = timeInfo(v.Session.Config.Timezone, s.now())
	return answer, nil
}

func (q SearchQuery) fault() string {
	switch {
	case strings.TrimSpace(q.UseCase) == "":
		return "use_case is empty: say in plain words what is to be done."
	case utf8.RuneCountInString(q.UseCase) > maxUseCase:
		return fmt.Sprintf("use_case is longer than %d characters: name one action, and put values into known_fields.", maxUseCase)
	default:
		return ""
	}
}

// onlyToolkits makes a filter canonical. Unknown toolkits are named all at once.
func (v *View) onlyToolkits(slugs []string) (map[string]bool, error) {
	if len(slugs) == 0 {
		return nil, nil
	}
	only := make(map[string]bool, len(slugs))
	var unknown []string
	for _, slug := range slugs {
		if kit, ok := v.Catalog.Toolkit(slug); ok {
			only[kit.Slug] = true
		} else {
			unknown = append(unknown, fmt.Sprintf("there is no toolkit %q%s", slug, didYouMean(v.Catalog.NearestToolkits(slug, 3))))
		}
	}
	if len(unknown) > 0 {
		return nil, fault.New(fault.Invalid, fault.SlugSessionInvalid, "toolkits: %s", strings.Join(unknown, "; ")).
			WithCode(fault.CodeSessionInvalid).WithDetails(unknown...).WithFix("Leave toolkits out to search everything that the session allows.")
	}
	return only, nil
}

func (s *Service) workflow(ref WorkflowRef) WorkflowInfo {
	info := WorkflowInfo{ID: ref.ID}
	if info.ID == "" || ref.Generate {
		info.ID, info.Generated = s.newID(id.Workflow), true
	}
	info.Instructions = "Pass " + info.ID + " as session_id (session.id in a search) in the further calls of this task. For a new task, search with session.generate_id true."
	return info
}

func timeInfo(timezone string, now time.Time) TimeInfo {
	return TimeInfo{UTC: now.UTC().Format(time.RFC3339), Epoch: now.Unix(), Message: timeMessage(timezone, now)}
}

// finder answers the queries of one request.
type finder struct {
	service   *Service
	view      *View
	state     *snapshotState
	custom    []placedCustomTool
	only      map[string]bool // toolkits; nil: all
	connected map[string]bool
	standings map[string]standing // by toolkit, for those that were found
}

// findings are the tools found for one query, best first.
type findings struct {
	primary  []foundTool
	related  []foundTool
	toolkits []string // of the primary tools
	barred   string   // a toolkit that would fit better if it were not kept away
}

// foundTool is an app's tool or, where tool is nil, a custom one.
type foundTool struct {
	tool   *catalog.Tool
	custom *placedCustomTool
}

func (f foundTool) slug() string {
	if f.tool != nil {
		return f.tool.Slug
	}
	return f.custom.Slug
}

func (f foundTool) toolkit() string {
	if f.tool != nil {
		return f.tool.Toolkit.Slug
	}
	return f.custom.toolkit
}

func (f *finder) find(q SearchQuery) findings {
	hits := f.state.index().Search(search.Query{
		Text: q.UseCase, Known: q.KnownFields, Allow: f.allows, Connected: func(toolkit string) bool { return f.connected[toolkit] }, Limit: maxHits + 2,
	})
	var out findings
	for i, hit := range hits {
		if len(out.primary) < maxPrimary && (i == 0 || hit.Score >= closeToBest*hits[0].Score) {
			out.primary = append(out.primary, foundTool{tool: hit.Tool})
		}
	}
	f.addCustom(q, &out)
	f.addRelated(hits, &out)
	for _, t := range out.primary {
		if !slices.Contains(out.toolkits, t.toolkit()) {
			out.toolkits = append(out.toolkits, t.toolkit())
		}
	}
	if f.restricted() && (len(hits) == 0 || !hits[0].Named) {
		out.barred = f.barredToolkit(q, len(out.primary) > 0)
	}
	return out
}

func (f *finder) allows(t *catalog.Tool) bool {
	return (f.only == nil || f.only[t.Toolkit.Slug]) && f.view.policy.allows(t)
}

// addRelated adds what usually comes before and after the best tool, then other good hits; if the query names an app, of
// that app.
func (f *finder) addRelated(hits []search.Hit, out *findings) {
	if len(out.primary) == 0 {
		return
	}
	room := max(minRelated, maxHits-len(out.primary))
	add := func(t *catalog.Tool) {
		if len(out.related) < room && f.allows(t) && !out.has(t.Slug) {
			out.related = append(out.related, foundTool{tool: t})
		}
	}
	if best := out.primary[0].tool; best != nil {
		for _, slug := range slices.Concat(best.Before, best.After) {
			if t, ok := f.view.Catalog.Tool(slug); ok {
				add(t)
			}
		}
	}
	for _, hit := range hits {
		if hit.Score >= nearBest*hits[0].Score && (hit.Named || !hits[0].Named) {
			add(hit.Tool)
		}
	}
}

func (out *findings) has(slug string) bool {
	same := func(t foundTool) bool { return t.slug() == slug }
	return slices.ContainsFunc(out.primary, same) || slices.ContainsFunc(out.related, same)
}

// restricted reports whether anything is kept away from the search.
func (f *finder) restricted() bool {
	p := f.view.policy
	return f.only != nil || p.toolkits != nil || p.tags != nil || len(p.tools) > 0
}

// barredToolkit looks for a better tool that is kept away. Beside tools that fit, only one of an app that the query names is
// worth a word.
func (f *finder) barredToolkit(q SearchQuery, fits bool) string {
	hits := f.state.index().Search(search.Query{Text: q.UseCase, Known: q.KnownFields, Limit: 1})
	if len(hits) == 0 || f.allows(hits[0].Tool) || fits && !hits[0].Named {
		return ""
	}
	return hits[0].Tool.Toolkit.Slug
}

// stand finds out how the user stands to toolkits that were found.
func (f *finder) stand(ctx context.Context, c tenant.Caller, toolkits []string) error {
	for _, slug := range toolkits {
		kit, ok := f.view.Catalog.Toolkit(slug)
		if _, done := f.standings[slug]; done || !ok {
			continue
		}
		standing, err := f.service.standing(ctx, c, f.view, kit)
		if err != nil {
			return err
		}
		f.standings[slug] = standing
	}
	return nil
}

// statuses describes the connections of all toolkits that were found, in the order found.
func (f *finder) statuses(found []findings) []ConnectionStatus {
	out := []ConnectionStatus{}
	seen := make(map[string]bool)
	for _, one := range found {
		for _, slug := range one.toolkits {
			if seen[slug] {
				continue
			}
			seen[slug] = true
			if st, ok := f.standings[slug]; ok {
				out = append(out, f.view.status(st))
			} else {
				out = append(out, ConnectionStatus{Toolkit: slug, Description: localDescription, Active: true, Message: "Needs no connection."})
			}
		}
	}
	return out
}

func (v *View) status(st standing) ConnectionStatus {
	status := ConnectionStatus{Toolkit: st.toolkit.Slug, Description: st.toolkit.Description, Active: st.ready()}
	usable := st.usable()
	switch {
	case st.toolkit.NoAuth():
		status.Message = "Needs no connection."
	case len(usable) == 0:
		status.Message = st.problem() + " " + v.modelsWay(st.toolkit)
	case st.mustChoose():
		status.Message = fmt.Sprintf("%d accounts are connected; name one of them in account.", len(usable))
		status.Selection = "required"
	default:
		used := usable[0]
		if st.Used != nil {
			used = *st.Used
		}
		status.Details = ConnectionDetails{used.ID, used.WordID, used.Alias, used.AuthConfigID, used.Status}
		status.User, status.AccountType = identity(used), used.Type
		status.Message = "Connected" + as(used) + "."
	}
	if v.Session.Config.MultiAccount.Enable && !st.toolkit.NoAuth() {
		status.Accounts = st.infos()
	}
	return status
}

// as says whose account it is, where that is known.
func as(a connect.ConnectedAccount) string {
	if label := label(a); label != "" {
		return " as " + label
	}
	return ""
}

func label(a connect.ConnectedAccount) string {
	switch {
	case a.Alias != "" && a.Identity.Email != "":
		return a.Alias + " (" + a.Identity.Email + ")"
	case a.Alias != "":
		return a.Alias
	case a.Identity.Email != "":
		return a.Identity.Email
	case a.Identity.Name != "":
		return a.Identity.Name
	default:
		return a.WordID
	}
}

// clip shortens a text for display.
func clip(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:most]) + "…"
}
