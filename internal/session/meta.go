package session

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// The meta tools' slugs.
const (
	slugSearchTools        = "COMPOSIO_SEARCH_TOOLS"
	slugGetToolSchemas     = "COMPOSIO_GET_TOOL_SCHEMAS"
	slugManageConnections  = "COMPOSIO_MANAGE_CONNECTIONS"
	slugWaitForConnections = "COMPOSIO_WAIT_FOR_CONNECTIONS"
	slugMultiExecute       = "COMPOSIO_MULTI_EXECUTE_TOOL"
)

// metaTool is a tool that the server itself runs for a model: a declaration (metatools/*.json), the switch that shows it,
// and what it does.
type metaTool struct {
	slug    string
	setting string // the line of the configuration that switches it
	on      func(Config) bool
	run     func(*Service, context.Context, metaCall) (metaAnswer, error)
}

// metaTools is every meta tool there is, in the order in which sessions list them.
func metaTools() []metaTool {
	return []metaTool{
		{slugSearchTools, "search.enable", func(c Config) bool { return c.Search }, (*Service).searchTools},
		{slugGetToolSchemas, "search.enable", func(c Config) bool { return c.Search }, (*Service).getToolSchemas},
		{slugManageConnections, "manage_connections.enable", func(c Config) bool { return c.ManageConnections.Enable }, (*Service).manageConnections},
		{slugWaitForConnections, "manage_connections.enable_wait_for_connections", func(c Config) bool { return c.ManageConnections.Enable && c.ManageConnections.Wait }, (*Service).waitForConnections},
		{slugMultiExecute, "execute.enable_multi_execute", func(c Config) bool { return c.MultiExecute }, (*Service).multiExecute},
	}
}

// sandboxTools are meta tools of the API that this server does not have, because it has no sandbox to run them in.
var sandboxTools = map[string]string{
	"COMPOSIO_REMOTE_WORKBENCH": "runs Python",
	"COMPOSIO_REMOTE_BASH_TOOL": "runs shell commands",
}

// metaCall is one call of a meta tool.
type metaCall struct {
	caller    tenant.Caller
	view      *View
	arguments arguments
	ToolCall
}

// workflow is the id under which the model ties the calls of one task together.
func (c metaCall) workflow() string {
	if id := c.arguments.text("session_id"); id != "" {
		return id
	}
	return c.arguments.object("session").text("id")
}

// metaAnswer is what a meta tool came to. A Go error beside it means that the call itself made no sense.
type metaAnswer struct {
	data  any
	error string // as the model is to read it; empty when all went well
	links []connect.Link
}

// workflowEcho is how answers other than a search's repeat the workflow id.
type workflowEcho struct {
	ID           string `json:"id"`
	Instructions string `json:"instructions"`
}

func echoWorkflow(id string) *workflowEcho {
	if id == "" {
		return nil
	}
	return &workflowEcho{ID: id, Instructions: "Pass this id as session_id in the further calls of the same task."}
}

// MetaTools describes all meta tools as they look by default, for callers that know no session (contract section 7.5).
func MetaTools() []ToolSpec {
	tools := metaTools()
	specs := make([]ToolSpec, len(tools))
	for i, m := range tools {
		specs[i] = m.spec(false)
	}
	return specs
}

// IsMetaTool reports whether a slug is one of a meta tool, be it one that this server does not have.
func IsMetaTool(slug string) bool {
	if slug = strings.ToUpper(slug); !strings.HasPrefix(slug, "COMPOSIO_") {
		return false
	}
	if _, ok := sandboxTools[slug]; ok {
		return true
	}
	for _, m := range metaTools() {
		if m.slug == slug {
			return true
		}
	}
	return false
}

func (m metaTool) spec(multiAccount bool) ToolSpec {
	if multiAccount {
		if spec, ok := metaSpecs()[m.slug+multiAccountVariant]; ok {
			return spec
		}
	}
	return metaSpecs()[m.slug]
}

//go:embed metatools/*.json
var metaToolFiles embed.FS

const multiAccountVariant = " multi_account"

// metaSpecs reads the declarations once. They are part of the binary, so a fault in one is a fault of the build.
var metaSpecs = sync.OnceValue(func() map[string]ToolSpec {
	specs := make(map[string]ToolSpec)
	for _, slug := range []string{slugSearchTools, slugGetToolSchemas, slugManageConnections, slugWaitForConnections, slugMultiExecute} {
		name := "metatools/" + strings.ToLower(strings.TrimPrefix(slug, "COMPOSIO_")) + ".json"
		text, err := metaToolFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		spec, variant, err := parseMetaTool(slug, text)
		if err != nil {
			panic(fmt.Errorf("%s: %w", name, err))
		}
		specs[slug] = spec
		if variant != nil {
			specs[slug+multiAccountVariant] = *variant
		}
	}
	return specs
})

func parseMetaTool(slug string, text []byte) (ToolSpec, *ToolSpec, error) {
	var file struct {
		Title       string
		Description string
		Hints       struct {
			Read, Destructive bool
			ClosedWorld       bool `json:"closed_world"`
		}
		Tags          []string
		Input, Output json.RawMessage
		MultiAccount  *struct {
			Description string
			Input       json.RawMessage
		} `json:"multi_account"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return ToolSpec{}, nil, err
	}
	spec := ToolSpec{
		Slug: slug, Name: file.Title, Description: file.Description, Tags: file.Tags,
		Hints:  catalog.Hints{Read: file.Hints.Read, Destructive: file.Hints.Destructive, ClosedWorld: file.Hints.ClosedWorld},
		Input:  compact(file.Input),
		Output: compact(file.Output),
	}
	if file.MultiAccount == nil {
		return spec, nil, nil
	}
	variant := spec
	variant.Description = file.MultiAccount.Description
	variant.Input = compact(file.MultiAccount.Input)
	return spec, &variant, nil
}

func compact(text json.RawMessage) json.RawMessage {
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		panic(err) // it was decoded a moment ago
	}
	return out.Bytes()
}

// meta finds a meta tool that the session shows, or says why there is none.
func (v *View) meta(slug string) (metaTool, error) {
	for _, m := range v.policy.meta {
		if m.slug == slug {
			return m, nil
		}
	}
	if what, ok := sandboxTools[slug]; ok {
		f := fault.New(fault.Invalid, fault.SlugSessionToolNotFound, "%s %s in a sandbox, and this server has none.", slug, what)
		f.NoRetry = true
		return metaTool{}, f.WithFix("Call the apps' tools instead, several at once with %s, and do the rest yourself.", slugMultiExecute)
	}
	for _, m := range metaTools() {
		if m.slug == slug {
			return metaTool{}, restriction("Tool '%s' is not part of this session: %s is off.", slug, m.setting).
				WithFix("To have it, set %s to true: %s.", m.setting, howToChange)
		}
	}
	return metaTool{}, unknownTool(v.Catalog, slug)
}
