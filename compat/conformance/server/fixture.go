package main

import (
	"context"
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/execute"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/mcpserver"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// fixture is a session with the tools that the suite knows by name.
type fixture struct{}

func (fixture) Authenticate(context.Context, string) (tenant.Caller, error) {
	return tenant.Caller{}, fault.New(fault.Unauthorized, fault.SlugUnauthorized, "There are no session tokens here.")
}

func (fixture) Open(context.Context, tenant.Caller, string) (mcpserver.View, error) {
	return view{}, nil
}

func (fixture) Personal(context.Context, tenant.Caller, string) (string, mcpserver.View, error) {
	return "", view{}, nil
}

func (fixture) Execute(_ context.Context, _ tenant.Caller, _ string, call session.ToolCall) (mcpserver.Outcome, error) {
	tool, ok := tools[call.Slug]
	if !ok {
		return mcpserver.Outcome{}, fault.New(fault.NotFound, fault.SlugSessionToolNotFound, "There is no tool %q.", call.Slug)
	}
	outcome := mcpserver.Outcome{}
	outcome.Result = execute.Result{Data: json.RawMessage(tool.data), Error: tool.failure}
	if tool.content != "" {
		outcome.Content = json.RawMessage(tool.content)
	}
	return outcome, nil
}

type view struct{}

func (view) ToolsKey() string { return "fixture" }

func (view) Tools() []session.ToolSpec {
	specs := make([]session.ToolSpec, len(order))
	for i, slug := range order {
		specs[i] = session.ToolSpec{Slug: slug, Name: slug, Description: "A fixture of the conformance suite.", Input: json.RawMessage(`{"type":"object"}`)}
		if schema := tools[slug].input; schema != "" {
			specs[i].Input = json.RawMessage(schema)
		}
	}
	return specs
}

// tool answers the same to every call: with data, in blocks of its own, or with a failure.
type tool struct{ input, data, content, failure string }

var order = []string{
	"test_simple_text", "test_image_content", "test_audio_content", "test_embedded_resource", "test_multiple_content_types",
	"test_error_handling", "test_streaming_elicitation", "test_logging_tool", "json_schema_2020_12_tool",
}

const (
	pixel   = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
	silence = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
)

var tools = map[string]tool{
	"test_simple_text":       {data: `{"text":"This is a simple text response for testing."}`},
	"test_image_content":     {content: `[{"type":"image","data":"` + pixel + `","mimeType":"image/png"}]`},
	"test_audio_content":     {content: `[{"type":"audio","data":"` + silence + `","mimeType":"audio/wav"}]`},
	"test_embedded_resource": {content: `[{"type":"resource","resource":{"uri":"test://embedded-resource","mimeType":"text/plain","text":"This is an embedded resource content."}}]`},
	"test_multiple_content_types": {content: `[{"type":"text","text":"Multiple content types test:"},` +
		`{"type":"image","data":"` + pixel + `","mimeType":"image/png"},` +
		`{"type":"resource","resource":{"uri":"test://mixed-content-resource","mimeType":"application/json","text":"{\"test\":\"data\",\"value\":123}"}}]`},
	"test_error_handling":        {failure: "This tool intentionally returns an error for testing"},
	"test_streaming_elicitation": {data: `{"asked":false}`},
	"test_logging_tool":          {data: `{"logged":false}`},
	"json_schema_2020_12_tool": {data: `{}`, input: `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
		"$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
		"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},"contactMethod":{"type":"string","enum":["phone","email"]},
		"phone":{"type":"string"},"email":{"type":"string"}},"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
		"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},"then":{"required":["phone"]},
		"else":{"required":["email"]},"additionalProperties":false}`},
}
