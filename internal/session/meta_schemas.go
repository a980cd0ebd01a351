package session

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

const maxSchemas = 50

// schemasAnswer is the data of COMPOSIO_GET_TOOL_SCHEMAS.
type schemasAnswer struct {
	Success     bool                  `json:"success"`
	Schemas     map[string]ToolSchema `json:"tool_schemas"`
	NotFound    []string              `json:"not_found,omitempty"`
	Suggestions map[string][]string   `json:"suggestions,omitempty"`
	Message     string                `json:"not_found_message,omitempty"`
}

// getToolSchemas is COMPOSIO_GET_TOOL_SCHEMAS.
func (s *Service) getToolSchemas(_ context.Context, call metaCall) (metaAnswer, error) {
	slugs := call.arguments.texts([]string{"tool_slug", "slug", "name"}, "tool_slugs", "tool_slug", "slugs", "tools")
	if len(slugs) == 0 || len(slugs) > maxSchemas {
		return metaAnswer{}, fault.New(fault.Invalid, fault.SlugInvalid, "tool_slugs must name 1 to %d tools, and it names %d.", maxSchemas, len(slugs)).
			WithFix("Send tool_slugs as a list of slugs that %s gave.", slugSearchTools)
	}
	include := call.arguments.texts(nil, "include")
	want := wantedSchemas{
		input:  len(include) == 0 || slices.Contains(include, "input_schema"),
		output: slices.Contains(include, "output_schema"),
		custom: call.Custom.final(call.view.Catalog),
	}
	answer := schemasAnswer{Schemas: make(map[string]ToolSchema)}
	var why []string
	for _, slug := range slugs {
		schema, reason, near := call.view.schema(strings.ToUpper(slug), want)
		if reason == "" {
			answer.Schemas[schema.Slug] = schema
			continue
		}
		answer.NotFound = append(answer.NotFound, slug)
		why = append(why, reason)
		if len(near) > 0 {
			if answer.Suggestions == nil {
				answer.Suggestions = make(map[string][]string)
			}
			answer.Suggestions[slug] = near
		}
	}
	answer.Success = len(answer.Schemas) > 0
	answer.Message = strings.Join(why, " ")
	if !answer.Success {
		return metaAnswer{data: answer, error: answer.Message}, nil
	}
	return metaAnswer{data: answer}, nil
}

type wantedSchemas struct {
	input, output bool
	custom        []placedCustomTool
}

// schema finds the schema of an app's tool, a meta tool or a custom tool; otherwise it gives the reason why not and slugs
// that may be meant.
func (v *View) schema(slug string, want wantedSchemas) (_ ToolSchema, reason string, near []string) {
	if t, ok := v.Catalog.Tool(slug); ok {
		if err := v.Allows(t); err != nil {
			return ToolSchema{}, fault.From(err).Message, nil
		}
		return want.of(t.Toolkit.Slug, t.Slug, t.Description, t.Detail().Input.JSON, t.Detail().Output.JSON), "", nil
	}
	for _, t := range want.custom {
		if t.Slug == slug {
			return want.of(t.toolkit, t.Slug, t.Description, t.InputSchema, t.OutputSchema), "", nil
		}
	}
	if IsMetaTool(slug) {
		m, err := v.meta(slug)
		if err != nil {
			return ToolSchema{}, fault.From(err).Message, nil
		}
		spec := m.spec(v.policy.multi)
		return want.of("composio", spec.Slug, spec.Description, spec.Input, spec.Output), "", nil
	}
	for _, candidate := range v.Catalog.NearestTools(slug, 5) {
		if t, ok := v.Catalog.Tool(candidate); ok && v.policy.allows(t) && len(near) < 3 {
			near = append(near, t.Slug)
		}
	}
	return ToolSchema{}, fmt.Sprintf("There is no tool %s.", slug), near
}

func (w wantedSchemas) of(toolkit, slug, description string, input, output json.RawMessage) ToolSchema {
	schema := ToolSchema{Toolkit: toolkit, Slug: slug, Description: description}
	if w.input {
		schema.Input = input
	}
	if w.output {
		schema.Output = output
	}
	return schema
}
