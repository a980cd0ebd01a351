package session

import (
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/catalog"
)

// View is what one session's user may see and call: the session's configuration applied to one catalog snapshot. It is
// immutable, made once per (session version, snapshot) and shared by all requests of the session.
type View struct {
	Session Session
	Catalog *catalog.Snapshot
}

// ToolSpec is a tool as a session lists it: an app tool (Tool set) or a meta tool.
type ToolSpec struct {
	Slug, Name, Description string
	Tool                    *catalog.Tool // nil for a meta tool
	Hints                   catalog.Hints
	Tags                    []string
	Input, Output           json.RawMessage
}

// Allows explains whether the session may call a tool: nil, or a fault that names the line of the policy that forbids it.
func (v *View) Allows(t *catalog.Tool) error { panic("being written") }

// AllowsToolkit is the same for a toolkit as a whole.
func (v *View) AllowsToolkit(slug string) error { panic("being written") }

// Tools lists what the session shows to an agent, in a fixed order: meta tools, then preloaded app tools.
func (v *View) Tools() []ToolSpec { panic("being written") }

// MetaTools names the meta tools of the session ("tool_router_tools" on the wire).
func (v *View) MetaTools() []string { panic("being written") }

// Key identifies the content of the view: whatever is derived from it can be cached under the key.
func (v *View) Key() string { panic("being written") }
