package api

import (
	"encoding/json"

	"github.com/patchbay-dev/patchbay/internal/session"
)

// customToolsBody are tools that run in the application's process; they come along with each request that needs them
// (API contract section 6.14).
type customToolsBody struct {
	Tools    []customToolBody    `json:"custom_tools"`
	Toolkits []customToolkitBody `json:"custom_toolkits"`
}

// customToolBody is one of them as it is sent, and as it is echoed with its final slug and the original one.
type customToolBody struct {
	Slug           string          `json:"slug"`
	OriginalSlug   string          `json:"original_slug,omitempty"`
	Name           string          `json:"name"`
	Description    string          `json:"description"`
	InputSchema    json.RawMessage `json:"input_schema,omitempty"`
	OutputSchema   json.RawMessage `json:"output_schema,omitempty"`
	ExtendsToolkit string          `json:"extends_toolkit,omitempty"`
	Preload        bool            `json:"preload,omitempty"`
}

type customToolkitBody struct {
	Slug        string           `json:"slug"`
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Preload     bool             `json:"preload,omitempty"`
	Tools       []customToolBody `json:"tools"`
}

func (b customToolsBody) custom() session.CustomTools {
	return session.CustomTools{
		Tools: mapped(b.Tools, customToolBody.custom),
		Toolkits: mapped(b.Toolkits, func(k customToolkitBody) session.CustomToolkit {
			return session.CustomToolkit{
				Slug: k.Slug, Name: k.Name, Description: k.Description, Preload: k.Preload,
				Tools: mapped(k.Tools, customToolBody.custom),
			}
		}),
	}
}

func (b customToolBody) custom() session.CustomTool {
	return session.CustomTool{
		Slug: b.Slug, OriginalSlug: b.Slug, Name: b.Name, Description: b.Description,
		InputSchema: b.InputSchema, OutputSchema: b.OutputSchema, ExtendsToolkit: b.ExtendsToolkit, Preload: b.Preload,
	}
}

// customToolsOf echoes custom tools. SDKs register none of them when the echo is missing.
func customToolsOf(c session.CustomTools) customToolsBody {
	return customToolsBody{
		Tools: mapped(c.Tools, customToolOf),
		Toolkits: mapped(c.Toolkits, func(k session.CustomToolkit) customToolkitBody {
			return customToolkitBody{
				Slug: k.Slug, Name: k.Name, Description: k.Description, Preload: k.Preload,
				Tools: mapped(k.Tools, customToolOf),
			}
		}),
	}
}

func customToolOf(t session.CustomTool) customToolBody {
	return customToolBody{
		Slug: t.Slug, OriginalSlug: t.OriginalSlug, Name: t.Name, Description: t.Description,
		InputSchema: t.InputSchema, OutputSchema: t.OutputSchema, ExtendsToolkit: t.ExtendsToolkit, Preload: t.Preload,
	}
}
