package session

import (
	"encoding/json"
	"strconv"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
)

// View is what one session's user may see and call: the session's configuration applied to one catalog snapshot. It is
// immutable, made once per (session version, snapshot) and shared by all requests of the session.
type View struct {
	Session Session
	Catalog *catalog.Snapshot // of the project, with the versions that the session is pinned to
	policy  *policy
	current string   // id of the project's snapshot that this was made over
	missing []string // toolkits that are pinned to a version that is no longer there
}

// NewView applies a session's configuration to a snapshot. Sessions of a Service are opened by Service.Open, which shares
// the work between requests and between sessions with the same rules.
func NewView(s Session, snapshot *catalog.Snapshot) *View {
	return &View{Session: s, Catalog: snapshot, policy: compilePolicy(policyKey(s.Config, snapshot), s.Config, snapshot), current: snapshot.ID}
}

// ToolSpec is a tool as a session lists it: an app tool (Tool set) or a meta tool.
type ToolSpec struct {
	Slug, Name, Description string
	Tool                    *catalog.Tool // nil for a meta tool
	Hints                   catalog.Hints
	Tags                    []string
	Input, Output           json.RawMessage
}

func appToolSpec(t *catalog.Tool) ToolSpec {
	detail := t.Detail()
	return ToolSpec{
		Slug: t.Slug, Name: t.Name, Description: t.Description, Tool: t,
		Hints: t.Hints, Tags: t.Tags(), Input: detail.Input.JSON, Output: detail.Output.JSON,
	}
}

// Allows explains whether the session may call a tool: nil, or a fault that names the line of the policy that forbids it.
func (v *View) Allows(t *catalog.Tool) error { return v.policy.refuse(t) }

// AllowsToolkit is the same for a toolkit as a whole.
func (v *View) AllowsToolkit(slug string) error {
	return v.policy.refuseToolkit(currentToolkit(v.Catalog, slug))
}

// Tools lists what the session shows to an agent, in a fixed order: meta tools, then preloaded app tools. The list is
// shared: do not change it.
func (v *View) Tools() []ToolSpec { return v.policy.specs() }

// MetaTools names the meta tools of the session ("tool_router_tools" on the wire).
func (v *View) MetaTools() []string {
	slugs := make([]string, 0, len(v.policy.meta))
	for _, m := range v.policy.meta {
		slugs = append(slugs, m.slug)
	}
	return slugs
}

// Key identifies the view: this session, at this version, over this snapshot. Whatever is derived from the view can be
// cached under it.
func (v *View) Key() string {
	return v.Session.ID + "/" + strconv.Itoa(v.Session.Version) + "/" + v.Catalog.ID
}

// ToolsKey identifies the answer of Tools and nothing else. Sessions of different users share it when their rules are the
// same, so only what depends on the list of tools alone may be cached under it.
func (v *View) ToolsKey() string { return v.policy.key }

// selection says whose account a call to a toolkit uses under the session's configuration.
func (v *View) selection(toolkit, account string) connect.Selection {
	c := v.Session.Config
	return connect.Selection{
		UserID:          v.Session.UserID,
		Toolkit:         toolkit,
		Account:         account,
		Pinned:          c.ConnectedAccounts[toolkit],
		AuthConfigID:    c.AuthConfigs[toolkit],
		RequireExplicit: c.MultiAccount.Enable && c.MultiAccount.RequireExplicit,
		ForSession:      true,
	}
}
