package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Server is an MCP server as its publisher describes it (server.json).
type Server struct {
	Name        string `json:"name"` // reverse DNS: io.github.user/weather
	Title       string `json:"title"`
	Description string `json:"description"`
	Version     string `json:"version"`
	Website     string `json:"websiteUrl"`
	Status      string `json:"status"` // until 2025-09-16; since then the registry says it

	VersionDetail struct {
		Version string `json:"version"`
	} `json:"version_detail"` // before Version
	Remotes  []Transport `json:"remotes"`
	Packages []Package   `json:"packages"`

	text []byte
}

// Transport says how a server is spoken to.
type Transport struct {
	Type      string           `json:"type"` // streamable-http, sse; stdio of packages
	URL       string           `json:"url"`
	Headers   []KeyValue       `json:"headers"`
	Variables map[string]Input `json:"variables"` // {name} in URL
}

// Package is a server that runs where it is used.
type Package struct {
	RegistryType         string     `json:"registryType"` // npm, pypi, oci, nuget, mcpb, …
	RegistryBaseURL      string     `json:"registryBaseUrl"`
	Identifier           string     `json:"identifier"`
	Name                 string     `json:"name"` // before Identifier
	Version              string     `json:"version"`
	FileSHA256           string     `json:"fileSha256"`
	RuntimeHint          string     `json:"runtimeHint"`
	Transport            *Transport `json:"transport"` // stdio when absent
	RuntimeArguments     []Argument `json:"runtimeArguments"`
	PackageArguments     []Argument `json:"packageArguments"`
	EnvironmentVariables []KeyValue `json:"environmentVariables"`
}

// Input is a value that is fixed or that somebody fills in.
type Input struct {
	Description string   `json:"description"`
	Format      string   `json:"format"` // string, number, boolean, filepath
	Value       string   `json:"value"`  // fixed; {name} in it is one of the variables
	Default     string   `json:"default"`
	Placeholder string   `json:"placeholder"`
	Choices     []string `json:"choices"`
	Required    bool     `json:"isRequired"`
	Secret      bool     `json:"isSecret"`
}

// KeyValue is a header, or a variable of a program's environment.
type KeyValue struct {
	Input
	Name      string           `json:"name"`
	Variables map[string]Input `json:"variables"`
}

// Argument is one argument of a command line, or a flag with its value.
type Argument struct {
	KeyValue
	Type      string `json:"type"` // positional, named
	ValueHint string `json:"valueHint"`
	Repeated  bool   `json:"isRepeated"`
}

// Limits of one description. Those of the registry itself are lower.
const (
	MaxServer  = 256 << 10 // bytes
	maxEntries = 20        // remotes, and packages
	maxInputs  = 100       // of each list of inputs
	maxText    = 4 << 10   // bytes of a value
)

// Parse reads one server.json. What it says beside what is known here is passed over.
func Parse(text []byte) (*Server, error) {
	if len(text) > MaxServer {
		return nil, fmt.Errorf("it has %d KB; at most %d KB are read", len(text)>>10, MaxServer>>10)
	}
	text = newSpelling(text)
	s := &Server{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("it cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	var plain bytes.Buffer
	if err := json.Compact(&plain, text); err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	s.text = plain.Bytes()
	if s.Version == "" {
		s.Version = s.VersionDetail.Version
	}
	return s, s.check()
}

// Text is the description in a form that changes only when what it says does.
func (s *Server) Text() []byte { return s.text }

// Hash identifies what the description says.
func (s *Server) Hash() string {
	sum := sha256.Sum256(s.text)
	return hex.EncodeToString(sum[:])
}

// oldSpelling finds the names that members had before 2025-09-16. Within texts, quotes are escaped, so it finds names only.
var oldSpelling = regexp.MustCompile(`"(registry_type|registry_name|registry_base_url|file_sha256|runtime_hint|runtime_arguments|package_arguments|` +
	`environment_variables|is_required|is_secret|is_repeated|is_latest|value_hint|website_url|transport_type|next_cursor)"(\s*:)`)

var spelledNow = map[string]string{
	"registry_type": "registryType", "registry_name": "registryType", "registry_base_url": "registryBaseUrl", "file_sha256": "fileSha256",
	"runtime_hint": "runtimeHint", "runtime_arguments": "runtimeArguments", "package_arguments": "packageArguments",
	"environment_variables": "environmentVariables", "is_required": "isRequired", "is_secret": "isSecret", "is_repeated": "isRepeated",
	"is_latest": "isLatest", "value_hint": "valueHint", "website_url": "websiteUrl", "transport_type": "type", "next_cursor": "nextCursor",
}

// newSpelling writes names of members as they are written since 2025-09-16.
func newSpelling(text []byte) []byte {
	return oldSpelling.ReplaceAllFunc(text, func(found []byte) []byte {
		name, rest, _ := bytes.Cut(found[1:], []byte{'"'})
		return fmt.Appendf(nil, `"%s"%s`, spelledNow[string(name)], rest)
	})
}

var serverName = regexp.MustCompile(`^[a-zA-Z0-9.-]{1,150}/[a-zA-Z0-9._-]{1,150}$`)

// check refuses what no registry would publish.
func (s *Server) check() error {
	if !serverName.MatchString(s.Name) {
		return fmt.Errorf("its name %q is not of the form io.github.user/weather", clip(s.Name))
	}
	if len(s.Remotes) > maxEntries || len(s.Packages) > maxEntries {
		return fmt.Errorf("it has %d remotes and %d packages; at most %d of each are read", len(s.Remotes), len(s.Packages), maxEntries)
	}
	for _, r := range s.Remotes {
		if err := r.check(); err != nil {
			return err
		}
	}
	for _, p := range s.Packages {
		for _, list := range [][]Argument{p.RuntimeArguments, p.PackageArguments} {
			if len(list) > maxInputs {
				return fmt.Errorf("a package has %d arguments; at most %d are read", len(list), maxInputs)
			}
			for _, a := range list {
				if err := a.check(); err != nil {
					return err
				}
			}
		}
		if err := checkAll(p.EnvironmentVariables); err != nil {
			return err
		}
	}
	return nil
}

func (t *Transport) check() error {
	if len(t.URL) > maxText {
		return fmt.Errorf("an address in it has %d characters", len(t.URL))
	}
	if err := checkVariables(t.Variables); err != nil {
		return err
	}
	return checkAll(t.Headers)
}

func checkAll(list []KeyValue) error {
	if len(list) > maxInputs {
		return fmt.Errorf("it has %d headers or variables in one place; at most %d are read", len(list), maxInputs)
	}
	for _, kv := range list {
		if err := kv.check(); err != nil {
			return err
		}
	}
	return nil
}

func (kv *KeyValue) check() error {
	if len(kv.Name) > 200 {
		return fmt.Errorf("a name in it has %d characters", len(kv.Name))
	}
	if err := checkVariables(kv.Variables); err != nil {
		return err
	}
	return kv.Input.check(kv.Name)
}

func checkVariables(variables map[string]Input) error {
	if len(variables) > maxInputs {
		return fmt.Errorf("it has %d variables in one place; at most %d are read", len(variables), maxInputs)
	}
	for name, in := range variables {
		if err := in.check(name); err != nil {
			return err
		}
		if strings.ContainsAny(in.Value, "{}$") { // it is put into a template
			return fmt.Errorf("the value of the variable %q is itself a template", clip(name))
		}
	}
	return nil
}

func (in *Input) check(name string) error {
	for _, text := range append([]string{in.Value, in.Default}, in.Choices...) {
		if len(text) > maxText || strings.ContainsAny(text, "\r\n\x00") {
			return fmt.Errorf("a value of %q is too long or has more than one line", clip(name))
		}
	}
	return nil
}

// clip is what of a publisher's text may stand in a message.
func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
