package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/session"
)

// The two vocabularies of a session's configuration (API contract section 6.1). Requests say enable and disable, answers say
// enabled and disabled; requests are understood in both, so that an answer can be sent back as it came.

// sessionConfigBody is the configuration as create and update send it.
type sessionConfigBody struct {
	Toolkits          optional[allowList]               `json:"toolkits"`
	Tools             optional[map[string]toolRules]    `json:"tools"`
	Tags              optional[allowList]               `json:"tags"`
	AuthConfigs       optional[map[string]string]       `json:"auth_configs"`
	ConnectedAccounts optional[map[string]stringOrList] `json:"connected_accounts"`
	ToolkitVersions   optional[map[string]string]       `json:"toolkit_versions"`
	ManageConnections optional[manageConnectionsBody]   `json:"manage_connections"`
	Workbench         optional[workbenchBody]           `json:"workbench"`
	Sandbox           optional[workbenchBody]           `json:"sandbox"` // the newer name of workbench
	MultiAccount      optional[multiAccountBody]        `json:"multi_account"`
	Preload           optional[preloadBody]             `json:"preload"`
	Search            optional[switchBody]              `json:"search"`
	Execute           optional[executeBody]             `json:"execute"`
	Experimental      optional[experimentalBody]        `json:"experimental"`
	PremiumUsage      json.RawMessage                   `json:"premium_usage"` // nothing is billed here: accepted and ignored
	TTL               optional[int]                     `json:"ttl_seconds"`
}

// allowList is {enable} or {disable} in either vocabulary; a bare list means enable.
type allowList struct {
	Enable, Disable *[]string
}

type allowListBody struct {
	Enable   *[]string `json:"enable"`
	Enabled  *[]string `json:"enabled"`
	Disable  *[]string `json:"disable"`
	Disabled *[]string `json:"disabled"`
}

func (a *allowList) UnmarshalJSON(raw []byte) error {
	if kindOf(raw) == "list" {
		return json.Unmarshal(raw, &a.Enable)
	}
	var body allowListBody
	if err := json.Unmarshal(raw, &body); err != nil {
		return err
	}
	a.Enable, a.Disable = firstGiven(body.Enable, body.Enabled), firstGiven(body.Disable, body.Disabled)
	return nil
}

func (allowList) shape(path string, raw []byte) (faults, unknown []string) {
	return eitherShape(path, raw, reflect.TypeFor[[]string](), reflect.TypeFor[allowListBody]())
}

// toolRules narrow one toolkit: a list as above, or tags.
type toolRules struct {
	allowList
	Tags *allowList
}

type toolRulesBody struct {
	allowListBody
	Tags *allowList `json:"tags"`
}

func (t *toolRules) UnmarshalJSON(raw []byte) error {
	if err := t.allowList.UnmarshalJSON(raw); err != nil || kindOf(raw) == "list" {
		return err
	}
	var body toolRulesBody
	if err := json.Unmarshal(raw, &body); err != nil {
		return err
	}
	t.Tags = body.Tags
	return nil
}

func (toolRules) shape(path string, raw []byte) (faults, unknown []string) {
	return eitherShape(path, raw, reflect.TypeFor[[]string](), reflect.TypeFor[toolRulesBody]())
}

// manageConnectionsBody may be written as true or false.
type manageConnectionsBody struct {
	Enable       *bool            `json:"enable"`
	Enabled      *bool            `json:"enabled"`
	CallbackURL  optional[string] `json:"callback_url"`
	Wait         *bool            `json:"enable_wait_for_connections"`
	AllowRemoval *bool            `json:"enable_connection_removal"`
}

func (m *manageConnectionsBody) UnmarshalJSON(raw []byte) error {
	if kindOf(raw) == "boolean" {
		return json.Unmarshal(raw, &m.Enable)
	}
	type plain manageConnectionsBody
	return json.Unmarshal(raw, (*plain)(m))
}

func (manageConnectionsBody) shape(path string, raw []byte) (faults, unknown []string) {
	type plain manageConnectionsBody
	return eitherShape(path, raw, reflect.TypeFor[bool](), reflect.TypeFor[plain]())
}

type workbenchBody struct {
	Enable                *bool    `json:"enable"`
	Enabled               *bool    `json:"enabled"`
	EnableProxyExecution  *bool    `json:"enable_proxy_execution"`
	ProxyExecutionEnabled *bool    `json:"proxy_execution_enabled"`
	OffloadThreshold      *float64 `json:"auto_offload_threshold"`
	Size                  *string  `json:"sandbox_size"`
}

type multiAccountBody struct {
	Enable          *bool `json:"enable"`
	Enabled         *bool `json:"enabled"`
	Max             *int  `json:"max_accounts_per_toolkit"`
	RequireExplicit *bool `json:"require_explicit_selection"`
}

// preloadBody names tools, or "all".
type preloadBody struct {
	Tools stringOrList `json:"tools"`
}

type switchBody struct {
	Enable  *bool `json:"enable"`
	Enabled *bool `json:"enabled"`
}

type executeBody struct {
	EnableMultiExecute *bool `json:"enable_multi_execute"`
}

type experimentalBody struct {
	AssistivePrompt  optional[assistivePromptBody] `json:"assistive_prompt_config"`
	Permissions      optional[json.RawMessage]     `json:"permissions"`
	LinkURLOverwrite optional[string]              `json:"link_url_overwrite"`
	SessionConfigID  string                        `json:"session_config_id"`
	FastMode         json.RawMessage               `json:"fast_mode"`       // search has one mode: accepted and ignored
	SubmitFeedback   json.RawMessage               `json:"submit_feedback"` // accepted and ignored
	customToolsBody
}

type assistivePromptBody struct {
	Timezone string `json:"user_timezone"`
}

// patch gives the configuration in the domain's words, and what is wrong with it that only the wire form shows.
func (b sessionConfigBody) patch() (session.Patch, []string) {
	var p session.Patch
	var faults []string
	p.Toolkits = convert(b.Toolkits, func(l allowList) *session.ToolkitFilter {
		return &session.ToolkitFilter{Enable: deref(l.Enable), Disable: deref(l.Disable), Only: l.Enable != nil}
	})
	p.Tools = convert(b.Tools, toolFilters)
	p.Tags = convert(b.Tags, tagFilter)
	p.AuthConfigs = convert(b.AuthConfigs, same)
	p.ConnectedAccounts = convert(b.ConnectedAccounts, func(pins map[string]stringOrList) map[string][]string {
		out := make(map[string][]string, len(pins))
		for toolkit, ids := range pins {
			out[toolkit] = ids
		}
		return out
	})
	p.ToolkitVersions = convert(b.ToolkitVersions, same)
	p.ManageConnections = convert(b.ManageConnections, func(m manageConnectionsBody) session.ManageConnectionsPatch {
		return session.ManageConnectionsPatch{
			Enable: firstGiven(m.Enable, m.Enabled), Wait: m.Wait, AllowRemoval: m.AllowRemoval,
			CallbackURL: convert(m.CallbackURL, same),
		}
	})
	if b.Workbench.Set && b.Sandbox.Set {
		faults = append(faults, "sandbox: is the newer name of workbench; send one of the two")
	} else if b.Sandbox.Set {
		b.Workbench = b.Sandbox
	}
	p.Workbench = convert(b.Workbench, workbenchPatch)
	p.MultiAccount = convert(b.MultiAccount, func(m multiAccountBody) session.MultiAccountPatch {
		return session.MultiAccountPatch{Enable: firstGiven(m.Enable, m.Enabled), Max: m.Max, RequireExplicit: m.RequireExplicit}
	})
	p.Preload = convert(b.Preload, func(l preloadBody) session.Preload {
		if slices.Equal(l.Tools, []string{"all"}) {
			return session.Preload{All: true}
		}
		return session.Preload{Tools: l.Tools}
	})
	p.Search = convertSwitch(b.Search, func(s switchBody) *bool { return firstGiven(s.Enable, s.Enabled) })
	p.MultiExecute = convertSwitch(b.Execute, func(e executeBody) *bool { return e.EnableMultiExecute })
	p.TTL = convert(b.TTL, same)
	faults = append(faults, b.experimental(&p)...)
	return p, faults
}

func (b sessionConfigBody) experimental(p *session.Patch) (faults []string) {
	p.Experimental = session.Optional[struct{}]{Set: b.Experimental.Set, Null: b.Experimental.Null}
	e := b.Experimental.Value
	p.Timezone = convert(e.AssistivePrompt, func(a assistivePromptBody) string { return a.Timezone })
	p.LinkURLOverwrite = convert(e.LinkURLOverwrite, same)
	p.Permissions = convert(e.Permissions, same)
	if raw := e.Permissions.Value; len(raw) > 0 && kindOf(raw) != "object" {
		faults = append(faults, fmt.Sprintf("experimental.permissions: expected an object, got %s", got(kindOf(raw))))
	}
	return faults
}

func toolFilters(rules map[string]toolRules) map[string]session.ToolFilter {
	out := make(map[string]session.ToolFilter, len(rules))
	for toolkit, r := range rules {
		f := session.ToolFilter{Enable: deref(r.Enable), Disable: deref(r.Disable), Only: r.Enable != nil}
		if r.Tags != nil {
			f.Tags = tagFilter(*r.Tags)
		}
		out[toolkit] = f
	}
	return out
}

func tagFilter(l allowList) *session.TagFilter {
	return &session.TagFilter{Enable: deref(l.Enable), Disable: deref(l.Disable)}
}

func workbenchPatch(w workbenchBody) session.WorkbenchPatch {
	p := session.WorkbenchPatch{
		Enable:         firstGiven(w.Enable, w.Enabled),
		ProxyExecution: firstGiven(w.EnableProxyExecution, w.ProxyExecutionEnabled),
		Size:           w.Size,
	}
	if w.OffloadThreshold != nil {
		characters := int(*w.OffloadThreshold)
		p.OffloadThreshold = &characters
	}
	return p
}

// switchesOn reports whether a request itself turns the sandbox on, rather than leaving it at its default.
func switchesOn(w session.Optional[session.WorkbenchPatch]) bool {
	return w.Set && !w.Null && w.Value.Enable != nil && *w.Value.Enable
}

// convert carries the three states of an optional member over into the domain's type.
func convert[T, U any](o optional[T], value func(T) U) session.Optional[U] {
	out := session.Optional[U]{Set: o.Set, Null: o.Null}
	if o.given() {
		out.Value = value(o.Value)
	}
	return out
}

// convertSwitch is convert for a block that holds nothing but one switch: a block without it says nothing.
func convertSwitch[T any](o optional[T], on func(T) *bool) session.Optional[bool] {
	if !o.given() {
		return session.Optional[bool]{Set: o.Set, Null: o.Null}
	}
	if yes := on(o.Value); yes != nil {
		return session.Optional[bool]{Set: true, Value: *yes}
	}
	return session.Optional[bool]{}
}

func same[T any](v T) T { return v }

func firstGiven[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

func deref(p *[]string) []string {
	if p == nil {
		return nil
	}
	return list(*p)
}

// eitherShape explains a value that may be written short (a list, a switch) or as an object.
func eitherShape(path string, raw []byte, brief, full reflect.Type) (faults, unknown []string) {
	switch kind := kindOf(raw); {
	case kind == "object":
		return walk(path, raw, full)
	case kind == "null":
		return nil, nil
	case kind == "list" && brief.Kind() == reflect.Slice, kind == "boolean" && brief.Kind() == reflect.Bool:
		return walk(path, raw, brief)
	case brief.Kind() == reflect.Slice:
		return []string{fmt.Sprintf("%s: expected an object or a list of strings, got %s", path, got(kind))}, nil
	default:
		return []string{fmt.Sprintf("%s: expected an object, true or false, got %s", path, got(kind))}, nil
	}
}

// sessionConfig is the configuration as answers say it.
type sessionConfig struct {
	UserID            string                   `json:"user_id"`
	Toolkits          *allowedList             `json:"toolkits,omitempty"`
	AuthConfigs       map[string]string        `json:"auth_configs"`
	ConnectedAccounts map[string][]string      `json:"connected_accounts"`
	ToolkitVersions   map[string]string        `json:"toolkit_versions,omitempty"`
	ManageConnections manageConnectionsView    `json:"manage_connections"`
	Tools             map[string]toolRulesView `json:"tools"`
	Tags              allowedList              `json:"tags"`
	Workbench         workbenchView            `json:"workbench"`
	MultiAccount      multiAccountView         `json:"multi_account"`
	Preload           preloadView              `json:"preload"`
	Search            switchView               `json:"search"`
	Execute           executeView              `json:"execute"`
	Experimental      *experimentalView        `json:"experimental,omitempty"`
}

// allowedList leaves out what was not configured, and keeps an empty list that was.
type allowedList struct {
	Enabled  *[]string `json:"enabled,omitempty"`
	Disabled *[]string `json:"disabled,omitempty"`
}

type toolRulesView struct {
	allowedList
	Tags *allowedList `json:"tags,omitempty"`
}

type manageConnectionsView struct {
	Enabled      bool   `json:"enabled"`
	CallbackURL  string `json:"callback_url,omitempty"`
	Wait         bool   `json:"enable_wait_for_connections"`
	AllowRemoval bool   `json:"enable_connection_removal"`
}

type workbenchView struct {
	Enable           bool   `json:"enable"`
	ProxyExecution   bool   `json:"proxy_execution_enabled"`
	OffloadThreshold int    `json:"auto_offload_threshold,omitempty"`
	Size             string `json:"sandbox_size"`
}

type multiAccountView struct {
	Enable          bool `json:"enable"`
	Max             int  `json:"max_accounts_per_toolkit,omitempty"`
	RequireExplicit bool `json:"require_explicit_selection,omitempty"`
}

// preloadView writes "all" or the list.
type preloadView struct {
	Tools preloadTools `json:"tools"`
}

type preloadTools session.Preload

func (p preloadTools) MarshalJSON() ([]byte, error) {
	if p.All {
		return []byte(`"all"`), nil
	}
	return json.Marshal(list(p.Tools))
}

type switchView struct {
	Enable bool `json:"enable"`
}

type executeView struct {
	EnableMultiExecute bool `json:"enable_multi_execute"`
}

type experimentalView struct {
	AssistivePrompt  *assistivePromptBody `json:"assistive_prompt_config,omitempty"`
	Permissions      json.RawMessage      `json:"permissions,omitempty"`
	LinkURLOverwrite string               `json:"link_url_overwrite,omitempty"`
}

func sessionConfigOf(userID string, c session.Config) sessionConfig {
	out := sessionConfig{
		UserID:            userID,
		AuthConfigs:       orEmpty(c.AuthConfigs),
		ConnectedAccounts: orEmpty(c.ConnectedAccounts),
		ToolkitVersions:   c.ToolkitVersions,
		ManageConnections: manageConnectionsView{
			Enabled: c.ManageConnections.Enable, CallbackURL: c.ManageConnections.CallbackURL,
			Wait: c.ManageConnections.Wait, AllowRemoval: c.ManageConnections.AllowRemoval,
		},
		Tools: make(map[string]toolRulesView, len(c.Tools)),
		Workbench: workbenchView{
			Enable: c.Workbench.Enable, ProxyExecution: c.Workbench.ProxyExecution,
			OffloadThreshold: c.Workbench.OffloadThreshold, Size: orText(c.Workbench.Size, "standard"),
		},
		MultiAccount: multiAccountView(c.MultiAccount),
		Preload:      preloadView{preloadTools(c.Preload)},
		Search:       switchView{c.Search},
		Execute:      executeView{c.MultiExecute},
	}
	if f := c.Toolkits; f != nil {
		out.Toolkits = ref(listOf(f.Only, f.Enable, f.Disable))
	}
	if c.Tags != nil {
		out.Tags = tagsOf(*c.Tags)
	}
	for toolkit, f := range c.Tools {
		var view toolRulesView
		if f.Only || len(f.Disable) > 0 || f.Tags == nil {
			view.allowedList = listOf(f.Only, f.Enable, f.Disable)
		}
		if f.Tags != nil {
			view.Tags = ref(tagsOf(*f.Tags))
		}
		out.Tools[toolkit] = view
	}
	out.Experimental = experimentalOf(c)
	return out
}

func experimentalOf(c session.Config) *experimentalView {
	if c.Timezone == "" && len(c.Permissions) == 0 && c.LinkURLOverwrite == "" {
		return nil
	}
	view := &experimentalView{Permissions: c.Permissions, LinkURLOverwrite: c.LinkURLOverwrite}
	if c.Timezone != "" {
		view.AssistivePrompt = &assistivePromptBody{c.Timezone}
	}
	return view
}

// listOf gives the one of the two lists that counts.
func listOf(only bool, enable, disable []string) allowedList {
	if only {
		return allowedList{Enabled: ref(list(enable))}
	}
	return allowedList{Disabled: ref(list(disable))}
}

// tagsOf gives both lists where they are set: tags can ask for some and leave out others at once.
func tagsOf(f session.TagFilter) allowedList {
	var out allowedList
	if len(f.Enable) > 0 {
		out.Enabled = &f.Enable
	}
	if len(f.Disable) > 0 {
		out.Disabled = &f.Disable
	}
	return out
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

func orText(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}

func ref[T any](v T) *T { return &v }
