package catalog

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// OnChange says what is done when an MCP server defines its tools otherwise than they were approved. The empty value is the
// server operator's default.
type OnChange string

// What can be done. In all cases sessions see the approved definitions.
const (
	OnChangeRefuse OnChange = "refuse" // changes wait for approval, and a tool that changed is not run before
	OnChangeRun    OnChange = "run"    // changes wait for approval, and a tool that changed is run all the same
	OnChangeFollow OnChange = "follow" // what the server says is approved as soon as it is seen
)

// Or gives the policy, or another where nothing is said.
func (p OnChange) Or(other OnChange) OnChange { return cmp.Or(p, other) }

func (p OnChange) known() bool {
	return slices.Contains([]OnChange{"", OnChangeRefuse, OnChangeRun, OnChangeFollow}, p)
}

// ToolChange is one tool that an MCP server defines otherwise than it was approved.
type ToolChange struct {
	Slug string         `json:"tool_slug"`
	Tool string         `json:"name"` // as the server names it
	Kind ToolChangeKind `json:"kind"`
	Hash string         `json:"hash,omitempty"` // of what the server says now
	Diff string         `json:"diff"`           // lines that begin with "+", "-" or a blank
}

// ToolChangeKind says what became of a tool.
type ToolChangeKind string

// The kinds.
const (
	ToolAdded   ToolChangeKind = "added"
	ToolChanged ToolChangeKind = "changed"
	ToolRemoved ToolChangeKind = "removed"
)

// CompareMCP says what is different in the tools that a server lists now, sorted by slug. Tools are known by the server's names for
// them.
func CompareMCP(approved, seen []DefinedTool) []ToolChange {
	before, now := byMCPName(approved), byMCPName(seen)
	var changes []ToolChange
	for name, t := range now {
		switch old := before[name]; {
		case old == nil:
			changes = append(changes, ToolChange{t.Slug, name, ToolAdded, t.MCP.Hash, lineDiff(nil, t.lines())})
		case old.MCP.Hash != t.MCP.Hash:
			changes = append(changes, ToolChange{old.Slug, name, ToolChanged, t.MCP.Hash, changedLines(old, t)})
		}
	}
	for name, t := range before {
		if now[name] == nil {
			changes = append(changes, ToolChange{t.Slug, name, ToolRemoved, "", lineDiff(t.lines(), nil)})
		}
	}
	slices.SortFunc(changes, func(a, b ToolChange) int { return strings.Compare(a.Slug, b.Slug) })
	return changes
}

func changedLines(before, now *DefinedTool) string {
	diff := lineDiff(before.lines(), now.lines())
	if !strings.HasPrefix(diff, "+") && !strings.HasPrefix(diff, "-") && !strings.Contains(diff, "\n+") && !strings.Contains(diff, "\n-") {
		return "  Only parts changed that sessions do not see, such as the end of a long description.\n"
	}
	return diff
}

func byMCPName(tools []DefinedTool) map[string]*DefinedTool {
	named := make(map[string]*DefinedTool, len(tools))
	for i := range tools {
		if tools[i].MCP != nil {
			named[tools[i].MCP.Tool] = &tools[i]
		}
	}
	return named
}

// Revision names a set of changes: whoever approves says which he saw.
func Revision(changes []ToolChange) string {
	if len(changes) == 0 {
		return ""
	}
	h := sha256.New()
	for _, c := range changes {
		fmt.Fprintf(h, "%q %s %s\n", c.Tool, c.Kind, c.Hash)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// ApproveMCP gives the approved tools as they are after the chosen changes; all others stay as they were approved.
func ApproveMCP(approved, seen []DefinedTool, chosen func(ToolChange) bool) []DefinedTool {
	now, decided := byMCPName(seen), map[string]bool{}
	changes := CompareMCP(approved, seen)
	for _, c := range changes {
		decided[c.Tool] = chosen(c)
	}
	next := []DefinedTool{}
	for _, t := range approved {
		switch {
		case t.MCP == nil || !decided[t.MCP.Tool]:
			next = append(next, t)
		case now[t.MCP.Tool] != nil:
			next = append(next, *now[t.MCP.Tool])
		}
	}
	for _, c := range changes {
		if c.Kind == ToolAdded && decided[c.Tool] {
			next = append(next, *now[c.Tool])
		}
	}
	return next
}

// lines writes what sessions see of a tool, for people to compare.
func (t *DefinedTool) lines() []string {
	lines := []string{"title: " + t.Name, "hints: " + t.Hints.words(), "description:"}
	lines = append(lines, folded(t.Description, 100)...)
	for _, part := range []struct {
		name   string
		schema json.RawMessage
	}{{"arguments:", t.Input}, {"result:", t.Output}} {
		var plain bytes.Buffer
		if len(part.schema) == 0 || json.Indent(&plain, part.schema, "  ", "  ") != nil {
			continue
		}
		lines = append(append(lines, part.name), strings.Split("  "+plain.String(), "\n")...)
	}
	for i := range lines {
		lines[i] = visible(lines[i])
	}
	return lines
}

// visible writes out the characters that models read and people do not see.
func visible(line string) string {
	if !strings.ContainsFunc(line, hidden) {
		return line
	}
	var out strings.Builder
	for _, r := range line {
		if hidden(r) {
			fmt.Fprintf(&out, "<U+%04X>", r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func hidden(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Cc, unicode.Co, unicode.Variation_Selector)
}

// words says the hints as MCP names them.
func (h Hints) words() string {
	var words []string
	for _, hint := range []struct {
		on   bool
		word string
	}{
		{h.Read, "read-only"}, {h.Destructive, "destructive"}, {h.Update || h.Create, "writes"}, {h.Idempotent, "idempotent"}, {h.ClosedWorld, "closed world"},
	} {
		if hint.on {
			words = append(words, hint.word)
		}
	}
	return strings.Join(words, ", ")
}

// folded breaks a text into lines of so many characters.
func folded(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := " "
		for _, word := range strings.Fields(paragraph) {
			if len(line)+1+len(word) > width && line != " " {
				lines, line = append(lines, line), " "
			}
			line += " " + word
		}
		lines = append(lines, line)
	}
	return lines
}

// Named reports whether a name is the tool's: its slug, or the server's own name for it.
func (c ToolChange) Named(name string) bool { return strings.EqualFold(name, c.Slug) || name == c.Tool }
