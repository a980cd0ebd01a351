package session

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// CustomTools are tools that run in the application's own process (contract section 6.14). They come along with each
// request that needs them and are never stored.
type CustomTools struct {
	Tools    []CustomTool
	Toolkits []CustomToolkit
}

// CustomTool is one of them. OriginalSlug is as sent; Slug is final (LOCAL_…) and made here.
type CustomTool struct {
	Slug, OriginalSlug, Name, Description string
	InputSchema, OutputSchema             json.RawMessage
	ExtendsToolkit                        string
	Preload                               bool
}

// CustomToolkit groups custom tools.
type CustomToolkit struct {
	Slug, Name, Description string
	Preload                 bool
	Tools                   []CustomTool
}

const (
	customPrefix         = "LOCAL_"
	maxCustomSlug        = 60
	maxCustomName        = 128
	maxToolDescription   = 5120
	maxKitDescription    = 2048
	maxCustomToolsPerKit = 100
)

var customSlug = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// finalCustomTools gives custom tools their final slugs and says what is wrong with them.
func finalCustomTools(s *catalog.Snapshot, custom CustomTools) (CustomTools, []string) {
	n := customNames{seen: make(map[string]string)}
	var out CustomTools
	for i, t := range custom.Tools {
		line := fmt.Sprintf("custom_tools[%d]", i)
		prefix := customPrefix
		if t.ExtendsToolkit != "" {
			if kit, ok := s.Toolkit(t.ExtendsToolkit); ok {
				t.ExtendsToolkit = kit.Slug
			} else {
				n.fault("%s: there is no toolkit %q to extend%s", line, t.ExtendsToolkit, didYouMean(s.NearestToolkits(t.ExtendsToolkit, 3)))
			}
			prefix += strings.ToUpper(t.ExtendsToolkit) + "_"
		}
		out.Tools = append(out.Tools, n.final(line, prefix, t))
	}
	for i, kit := range custom.Toolkits {
		line := fmt.Sprintf("custom_toolkits[%d]", i)
		n.named(line, kit.Slug, kit.Name, kit.Description, maxKitDescription)
		if len(kit.Tools) == 0 || len(kit.Tools) > maxCustomToolsPerKit {
			n.fault("%s: it has %d tools; 1 to %d are allowed", line, len(kit.Tools), maxCustomToolsPerKit)
		}
		tools := make([]CustomTool, len(kit.Tools))
		for j, t := range kit.Tools {
			tools[j] = n.final(fmt.Sprintf("%s.tools[%d]", line, j), customPrefix+strings.ToUpper(kit.Slug)+"_", t)
		}
		kit.Tools = tools
		out.Toolkits = append(out.Toolkits, kit)
	}
	return out, n.faults
}

// customNames gives final slugs and keeps them apart.
type customNames struct {
	seen   map[string]string // final slug to the line that has it
	faults []string
}

func (n *customNames) fault(format string, args ...any) {
	n.faults = append(n.faults, fmt.Sprintf(format, args...))
}

func (n *customNames) final(line, prefix string, t CustomTool) CustomTool {
	if t.OriginalSlug == "" {
		t.OriginalSlug = t.Slug
	}
	n.named(line, t.OriginalSlug, t.Name, t.Description, maxToolDescription)
	t.Slug = prefix + strings.ToUpper(t.OriginalSlug)
	if len(t.Slug) > maxCustomSlug {
		n.fault("%s: its slug would be %s, longer than %d characters", line, t.Slug, maxCustomSlug)
	}
	if other, twice := n.seen[t.Slug]; twice {
		n.fault("%s: its slug would be %s, like that of %s", line, t.Slug, other)
	}
	n.seen[t.Slug] = line
	var schema struct{ Properties map[string]json.RawMessage }
	if err := json.Unmarshal(t.InputSchema, &schema); err != nil || schema.Properties == nil {
		n.fault("%s: input_schema must be a JSON Schema object with properties", line)
	}
	return t
}

func (n *customNames) named(line, slug, name, description string, longest int) {
	if !customSlug.MatchString(slug) {
		n.fault("%s: slug %q must consist of letters, digits, _ and -", line, slug)
	}
	if length := utf8.RuneCountInString(name); length == 0 || length > maxCustomName {
		n.fault("%s: name must have 1 to %d characters", line, maxCustomName)
	}
	if length := utf8.RuneCountInString(description); length == 0 || length > longest {
		n.fault("%s: description must have 1 to %d characters", line, longest)
	}
}

// all gives every custom tool with the toolkit it is shown under, in the order sent.
func (c CustomTools) all() []placedCustomTool {
	var out []placedCustomTool
	for _, t := range c.Tools {
		toolkit := t.ExtendsToolkit
		if toolkit == "" {
			toolkit = "local"
		}
		out = append(out, placedCustomTool{t, toolkit})
	}
	for _, kit := range c.Toolkits {
		for _, t := range kit.Tools {
			out = append(out, placedCustomTool{t, kit.Slug})
		}
	}
	return out
}

type placedCustomTool struct {
	CustomTool
	toolkit string
}

// runsElsewhere refuses a custom tool: only the application that registered it can run it.
func runsElsewhere(slug string) error {
	f := fault.New(fault.Invalid, fault.SlugSessionToolNotFound, "%s is a custom tool: it runs in the application that registered it, not on this server.", slug)
	f.NoRetry = true
	return f.WithFix("Call it through the SDK that registered it. An MCP client cannot reach it.")
}
