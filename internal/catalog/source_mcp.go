package catalog

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/patchbay-dev/patchbay/internal/catalog/wording"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

// MCPServer says how an MCP server is reached, in the revision of the protocol that it speaks: over streamable HTTP, or through the
// pipes of a program.
type MCPServer struct {
	URL       string
	Send      func(*http.Request) (*http.Response, error) // puts the credential on a request and sends it, guarded
	MaxAnswer int                                         // bytes of one message
	Pipes     io.ReadWriteCloser                          // of a program that runs, in place of the URL; the session closes them
	Old       bool                                        // greets in the revision of 2025-11-25, for servers that fall over a newer greeting
	Changed   func()                                      // is told when the server says that its list of tools changed; nil: nobody is
	Listen    bool                                        // keep a stream open on which the server can say so at any time
}

// Limits of what a server may list.
const (
	maxMCPTools      = 500
	maxMCPPages      = 100
	maxMCPDefinition = 256 << 10 // bytes of one tool's definition
	maxMCPList       = 16 << 20  // bytes of all definitions, also of those that are too large
	maxMCPName       = 200       // bytes of a tool's name; the specification (revision 2025-11-25) advises 128 characters
)

// Connect opens a session. It gives the server nothing to ask us: no sampling, no roots, no elicitation, and a stream of its own
// only to listen. Requests of the session carry the context of the call that they are for; those of a stream carry none.
func (s MCPServer) Connect(ctx context.Context) (*mcp.ClientSession, error) {
	o := &mcp.ClientOptions{Capabilities: &mcp.ClientCapabilities{}}
	if s.Listen { // the newer protocol opens a stream for whoever has a handler; the middleware below is what hears
		o.ToolListChangedHandler = func(context.Context, *mcp.ToolListChangedRequest) {}
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "patchbay", Version: "1"}, o)
	if s.Changed != nil {
		client.AddReceivingMiddleware(s.hear)
	}
	options := &mcp.ClientSessionOptions{}
	if s.Old {
		options.ProtocolVersion = "2025-11-25"
	}
	session, err := client.Connect(ctx, s.transport(), options)
	if err != nil {
		return nil, fmt.Errorf("connect to MCP server: %w", err)
	}
	return session, nil
}

// transport is the one place where it is chosen how messages go.
func (s MCPServer) transport() mcp.Transport {
	if s.Pipes != nil {
		return &mcp.IOTransport{Reader: s.Pipes, Writer: s.Pipes, MaxLineLength: s.MaxAnswer}
	}
	return &mcp.StreamableClientTransport{
		Endpoint: s.URL, DisableStandaloneSSE: !s.Listen, MaxRetries: 1, MaxEventSize: s.MaxAnswer,
		HTTPClient: &http.Client{
			Transport:     sendFunc(s.Send),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (s MCPServer) hear(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
		if method == "notifications/tools/list_changed" {
			s.Changed()
		}
		return next(ctx, method, r)
	}
}

type sendFunc func(*http.Request) (*http.Response, error)

func (f sendFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Tools lists the server's tools as those of a toolkit. Tools that the toolkit had keep their slugs. What cannot be a tool of ours
// is left out, and said.
func (s MCPServer) Tools(ctx context.Context, slug string, known []DefinedTool) (tools []DefinedTool, leftOut []string, err error) {
	listing, err := s.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	tools, leftOut = listing.Tools(slug, known)
	return tools, leftOut, nil
}

// MCPListing is what a server says of itself.
type MCPListing struct {
	Name         string // for people
	Instructions string // for models
	tools        []listedTool
}

// listedTool is what a server says of a tool, with what that is known by.
type listedTool struct {
	*mcp.Tool
	hash  string
	wrong error // why it cannot be a tool of ours: of its definition there is only the name then
}

// List asks a server what it is and has.
func (s MCPServer) List(ctx context.Context) (*MCPListing, error) {
	session, err := s.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer session.Close() //nolint:errcheck // a server that does not take leave is none the worse for us
	out := &MCPListing{}
	if about := session.InitializeResult(); about != nil {
		out.Instructions = about.Instructions
		if about.ServerInfo != nil {
			out.Name = cmp.Or(about.ServerInfo.Title, about.ServerInfo.Name)
		}
	}
	out.tools, err = listMCP(ctx, session)
	return out, err
}

// ToolsOfMCP is Tools over a session that is open already.
func ToolsOfMCP(ctx context.Context, session *mcp.ClientSession, slug string, known []DefinedTool) (tools []DefinedTool, leftOut []string, err error) {
	listed, err := listMCP(ctx, session)
	if err != nil {
		return nil, nil, err
	}
	tools, leftOut = (&MCPListing{tools: listed}).Tools(slug, known)
	return tools, leftOut, nil
}

// Tools makes the tools of a toolkit. Those that it had keep their slugs.
func (l *MCPListing) Tools(slug string, known []DefinedTool) (tools []DefinedTool, leftOut []string) {
	n := newMCPNames(slug, known)
	seen := map[string]bool{}
	for _, t := range l.tools {
		if seen[t.Name] {
			leftOut = append(leftOut, shortText(t.Name)+": the server lists it twice")
			continue
		}
		seen[t.Name] = true
		tool, err := n.tool(t)
		if err != nil {
			leftOut = append(leftOut, shortText(t.Name)+": "+err.Error())
			continue
		}
		tools = append(tools, tool)
	}
	return tools, leftOut
}

// listMCP reads all pages.
func listMCP(ctx context.Context, session *mcp.ClientSession) ([]listedTool, error) {
	var all []listedTool
	size := 0
	params := &mcp.ListToolsParams{}
	for range maxMCPPages {
		page, err := session.ListTools(ctx, params)
		if err != nil {
			return nil, fmt.Errorf("list tools of MCP server: %w", err)
		}
		if len(all)+len(page.Tools) > maxMCPTools {
			return nil, fault.New(fault.Unprocessable, fault.SlugInvalid, "The MCP server lists more than %d tools.", maxMCPTools).
				WithFix("A toolkit takes %d: have the server list fewer, or use several servers.", maxMCPTools)
		}
		for _, t := range page.Tools {
			one, bytes := newListedTool(t)
			if size += bytes; size > maxMCPList {
				return nil, fault.New(fault.Unprocessable, fault.SlugInvalid, "The MCP server's definitions of tools have more than %d MB.", maxMCPList>>20).
					WithFix("Have the server list fewer tools, or say less of them.")
			}
			all = append(all, one)
		}
		if page.NextCursor == "" {
			return all, nil
		}
		params = &mcp.ListToolsParams{Cursor: page.NextCursor}
	}
	return nil, fault.New(fault.Unprocessable, fault.SlugInvalid, "The MCP server's list of tools has no end: %d pages were read.", maxMCPPages)
}

// MCPHashes lists the tools of a session's server: the hash of each definition, by the server's name for the tool.
func MCPHashes(ctx context.Context, session *mcp.ClientSession) (map[string]string, error) {
	listed, err := listMCP(ctx, session)
	if err != nil {
		return nil, err
	}
	hashes := make(map[string]string, len(listed))
	seen := make(map[string]bool, len(listed))
	for _, t := range listed {
		if !seen[t.Name] && t.wrong == nil { // as Tools does: the first counts
			hashes[t.Name] = t.hash
		}
		seen[t.Name] = true
	}
	return hashes, nil
}

// newListedTool finds out what a definition is known by: all that it says to models and clients. Pictures and what is the server's own
// affair may change without the tool being another, and are not kept. Bytes is how large it is.
func newListedTool(t *mcp.Tool) (one listedTool, bytes int) {
	pinned := *t
	pinned.Meta, pinned.Icons = nil, nil
	plain, err := json.Marshal(&pinned)
	one.Tool = &pinned
	switch {
	case err != nil:
		one.wrong = errors.New("its definition is not JSON")
	case len(t.Name) > maxMCPName:
		one.wrong = fmt.Errorf("its name has more than %d characters", maxMCPName)
	case len(plain) > maxMCPDefinition:
		one.wrong = fmt.Errorf("its definition has more than %d KB", maxMCPDefinition>>10)
	default:
		sum := sha256.Sum256(plain)
		one.hash = hex.EncodeToString(sum[:])
		return one, len(plain)
	}
	one.Tool = &mcp.Tool{Name: strings.Clone(t.Name[:min(len(t.Name), maxMCPName+1)])}
	return one, len(plain)
}

// mcpNames gives tools their slugs.
type mcpNames struct {
	prefix string
	kept   map[string]string // tool to slug
	taken  map[string]bool
}

func newMCPNames(slug string, known []DefinedTool) *mcpNames {
	n := &mcpNames{prefix: strings.ToUpper(strings.ReplaceAll(slug, "-", "_")) + "_", kept: map[string]string{}, taken: map[string]bool{}}
	for _, t := range known {
		if t.MCP != nil && strings.HasPrefix(t.Slug, n.prefix) {
			n.kept[t.MCP.Tool] = t.Slug
			n.taken[t.Slug] = true
		}
	}
	return n
}

const maxToolSlug = 60 // with the toolkit's prefix; more is allowed, and clients with prefixes of their own cut it

func (n *mcpNames) slug(name string) string {
	if slug := n.kept[name]; slug != "" {
		return slug
	}
	words := wording.SplitWords(name)
	for i := range words {
		words[i] = strings.ToUpper(wording.ArgumentKey("x" + words[i]))[1:]
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	if len(words) == 0 {
		words = []string{"TOOL"}
	}
	room := max(maxToolSlug-len(n.prefix), 24)
	slug := n.prefix + wording.Fit(words, room, name)
	if n.taken[slug] {
		slug = n.prefix + wording.WithDigest(strings.Join(words, "_"), room, name)
	}
	n.taken[slug] = true
	return slug
}

// tool makes a tool of a definition.
func (n *mcpNames) tool(t listedTool) (DefinedTool, error) {
	if t.wrong != nil {
		return DefinedTool{}, t.wrong
	}
	out := DefinedTool{
		Name:        wording.Clip(wording.Clean(cmp.Or(t.Title, mcpTitle(t.Annotations), t.Name)), 200),
		Description: wording.Shorten(wording.Clean(t.Description), 2<<10), Hints: mcpHints(t.Annotations),
		MCP: &DefinedMCP{Tool: t.Name, Hash: t.hash},
	}
	var err error
	out.Name = cmp.Or(out.Name, t.Name)
	readable := func(schema map[string]any) (Schema, error) {
		out.MCP.Rename = renameHidden(schema)
		return NormaliseObject(schema)
	}
	if out.Input, err = mcpSchema(t.InputSchema, readable); err != nil {
		return DefinedTool{}, fmt.Errorf("its arguments: %w", err)
	}
	if problems := SchemaProblems(out.Input); len(problems) > 0 {
		return DefinedTool{}, fmt.Errorf("its arguments: %s", shortText(problems[0]))
	}
	if t.OutputSchema != nil { // one that cannot be read costs the description of the result, not the tool
		out.Output, _ = mcpSchema(t.OutputSchema, NormaliseInner)
	}
	out.Slug = n.slug(t.Name)
	return out, nil
}

// mcpSchema writes a schema as clients take it. That arguments are files of ours is nothing that a server may say.
func mcpSchema(schema any, normalise func(map[string]any) (Schema, error)) (json.RawMessage, error) {
	plain, err := json.Marshal(schema)
	if err != nil {
		return nil, errors.New("the schema is not JSON")
	}
	if why := tooDeep(plain); why != "" {
		return nil, errors.New(why)
	}
	plain = bytes.ReplaceAll(plain, []byte(`"file_uploadable"`), []byte(`"x-file_uploadable"`))
	var object map[string]any
	if err := json.Unmarshal(plain, &object); err != nil {
		return nil, errors.New("the schema is no object")
	}
	if object == nil {
		object = map[string]any{}
	}
	out, err := normalise(object)
	return out.JSON, err
}

func mcpTitle(a *mcp.ToolAnnotations) string {
	if a == nil {
		return ""
	}
	return a.Title
}

// mcpHints reads a tool's annotations with the specification's defaults: what says nothing of itself may destroy.
func mcpHints(a *mcp.ToolAnnotations) Hints {
	if a == nil {
		return Hints{Destructive: true}
	}
	h := Hints{Read: a.ReadOnlyHint, ClosedWorld: a.OpenWorldHint != nil && !*a.OpenWorldHint}
	if !h.Read {
		h.Idempotent = a.IdempotentHint
		h.Destructive = a.DestructiveHint == nil || *a.DestructiveHint
		h.Update = !h.Destructive
	}
	return h
}
