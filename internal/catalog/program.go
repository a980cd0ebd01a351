package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

// Program is an MCP server that runs beside this one and is spoken to through its standard input and output. It is started with
// what is said here, without a shell, and does not get the server's own environment.
type Program struct {
	Command []string          `json:"command"`           // the program, by name or path, and its arguments
	Env     map[string]string `json:"env,omitempty"`     // as it stands; no secrets, since definitions are not sealed
	Inherit []string          `json:"inherit,omitempty"` // variables of the server's environment that it gets as well
	Dir     string            `json:"dir,omitempty"`     // where it runs; empty: where the server does

	print string
}

// Print identifies what is said, for whoever asks whether two programs are the same. Only those of a Toolkit have one.
func (p *Program) Print() string { return p.print }

// printed gives a copy with its print.
func (p *Program) printed() *Program {
	if p == nil {
		return nil
	}
	out := *p
	plain, _ := json.Marshal(p) // texts, and lists and maps of texts
	sum := sha256.Sum256(plain)
	out.print = hex.EncodeToString(sum[:])
	return &out
}

// String is the program for the operator to read.
func (p *Program) String() string {
	words := make([]string, len(p.Command))
	for i, w := range p.Command {
		if words[i] = w; w == "" || strings.ContainsAny(w, " \t\n\"'\\") {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// mayRun refuses programs that a project would have the server run.
func (t *Toolkit) mayRun(projectID string) error {
	if t.Program == nil || projectID == "" {
		return nil
	}
	return fault.New(fault.Forbidden, fault.SlugForbidden, "The toolkit %s would run a program on the server's machine, which only its operator may decide.", t.Slug).
		WithFix("Have the operator add it: patchbay toolkit add --mcp-command. Or run the MCP server elsewhere and register its address.")
}

// VariableName is what a variable of a program's environment may be called.
var VariableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,199}$`)

// check gives what keeps a program from being started.
func (p *Program) check() (lines []string) {
	if len(p.Command) == 0 || p.Command[0] == "" {
		lines = append(lines, "command: it names no program")
	}
	for _, text := range slices.Concat(p.Command, slices.Collect(maps.Values(p.Env)), []string{p.Dir}) {
		if strings.ContainsRune(text, 0) {
			lines = append(lines, "a text in it holds a zero byte")
		}
	}
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(p.Env)), p.Inherit) {
		if !VariableName.MatchString(name) {
			lines = append(lines, fmt.Sprintf("env: %q is no name of a variable", shortText(name)))
		}
	}
	if p.Dir != "" && !filepath.IsAbs(p.Dir) {
		lines = append(lines, fmt.Sprintf("dir: %q is not an absolute path", shortText(p.Dir)))
	}
	return lines
}
