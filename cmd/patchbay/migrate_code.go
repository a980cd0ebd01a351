package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay"
)

// inPython writes the create call of a session that lists exactly its tools.
func inPython(n patchbay.NewSession) string {
	var b strings.Builder
	b.WriteString("from composio import Composio, SESSION_PRESET_DIRECT_TOOLS\n\ncomposio = Composio()\nsession = composio.create(\n")
	fmt.Fprintf(&b, "    user_id=%q,\n    toolkits=%s,\n", n.UserID, quotedList(n.Toolkits.Enable, `"`))
	if len(n.AuthConfigs) > 0 {
		fmt.Fprintf(&b, "    auth_configs={%s},\n", authConfigs(n, `"`))
	}
	if len(n.Tools) > 0 {
		b.WriteString("    tools={\n")
		for _, toolkit := range slices.Sorted(maps.Keys(n.Tools)) {
			fmt.Fprintf(&b, "        %q: {\"enable\": %s},\n", toolkit, quotedList(n.Tools[toolkit].Enable, `"`))
		}
		b.WriteString("    },\n")
	}
	b.WriteString("    session_preset=SESSION_PRESET_DIRECT_TOOLS,\n)\nmcp_url = session.mcp.url\n")
	return b.String()
}

// inTypeScript does the same for the TypeScript SDK.
func inTypeScript(n patchbay.NewSession) string {
	var b strings.Builder
	b.WriteString("import { Composio, SessionPreset } from '@composio/core';\n\nconst composio = new Composio();\n")
	fmt.Fprintf(&b, "const session = await composio.create('%s', {\n  toolkits: %s,\n", n.UserID, quotedList(n.Toolkits.Enable, `'`))
	if len(n.AuthConfigs) > 0 {
		fmt.Fprintf(&b, "  authConfigs: { %s },\n", authConfigs(n, `'`))
	}
	if len(n.Tools) > 0 {
		b.WriteString("  tools: {\n")
		for _, toolkit := range slices.Sorted(maps.Keys(n.Tools)) {
			fmt.Fprintf(&b, "    '%s': { enable: %s },\n", toolkit, quotedList(n.Tools[toolkit].Enable, `'`))
		}
		b.WriteString("  },\n")
	}
	b.WriteString("  sessionPreset: SessionPreset.DIRECT_TOOLS,\n});\nconst mcpUrl = session.mcp.url;\n")
	return b.String()
}

// inGo does the same for the Go SDK, which has no presets: what they stand for is written out.
func inGo(n patchbay.NewSession) string {
	var b strings.Builder
	b.WriteString("client, err := patchbay.New(patchbay.Options{})\n// …\nsession, err := client.Sessions.Create(ctx, patchbay.NewSession{\n")
	fmt.Fprintf(&b, "\tUserID:   %q,\n\tToolkits: &patchbay.Filter{Enable: []string{%s}},\n", n.UserID, quoted(n.Toolkits.Enable, `"`))
	if len(n.AuthConfigs) > 0 {
		fmt.Fprintf(&b, "\tAuthConfigs: map[string]string{%s},\n", authConfigs(n, `"`))
	}
	if len(n.Tools) > 0 {
		b.WriteString("\tTools: map[string]patchbay.ToolPolicy{\n")
		for _, toolkit := range slices.Sorted(maps.Keys(n.Tools)) {
			fmt.Fprintf(&b, "\t\t%q: {Enable: []string{%s}},\n", toolkit, quoted(n.Tools[toolkit].Enable, `"`))
		}
		b.WriteString("\t},\n")
	}
	b.WriteString(`	Preload:           &patchbay.Preload{All: true},
	ManageConnections: &patchbay.ManageConnections{Enable: false},
	Search:            &patchbay.Switch{Enable: false},
	Execute:           &patchbay.ExecuteSwitch{Multi: false},
	Workbench:         &patchbay.Workbench{Enable: false},
})
// …
mcpURL := session.MCP().URL
`)
	return b.String()
}

func quotedList(items []string, quote string) string { return "[" + quoted(items, quote) + "]" }

func quoted(items []string, quote string) string {
	out := make([]string, len(items))
	for i, item := range items { // slugs: nothing in them needs escaping
		out[i] = quote + item + quote
	}
	return strings.Join(out, ", ")
}

// authConfigs writes the pairs of toolkit and auth config.
func authConfigs(n patchbay.NewSession, quote string) string {
	var pairs []string
	for _, toolkit := range slices.Sorted(maps.Keys(n.AuthConfigs)) {
		pairs = append(pairs, quote+toolkit+quote+": "+quote+n.AuthConfigs[toolkit]+quote)
	}
	return strings.Join(pairs, ", ")
}
