package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay"
)

type toolCmd struct {
	Search toolSearchCmd `cmd:"" help:"Find tools for what you want to do."`
	Schema toolSchemaCmd `cmd:"" help:"Show what a tool does and the arguments it takes."`
	Run    toolRunCmd    `cmd:"" help:"Run a tool for a user or in a session."`
}

type toolSearchCmd struct {
	clientFlags
	Query    []string `arg:"" help:"What you want to do, in plain words."`
	Session  string   `placeholder:"trs_…" help:"Search as this session's agent would: among the tools it may use."`
	Toolkits []string `placeholder:"SLUG" help:"Only tools of these toolkits."`
	Limit    int      `default:"10" help:"How many at most. Default: ${default}"`
}

// Run searches.
func (s *toolSearchCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	query := strings.Join(s.Query, " ")
	if s.Session != "" {
		return s.inSession(ctx, c, client, query)
	}
	page, err := client.Tools.List(ctx, patchbay.ToolFilter{Search: query, Toolkits: s.Toolkits, Limit: s.Limit})
	if err != nil {
		return err
	}
	return c.show(page, func(w io.Writer) {
		if len(page.Items) == 0 {
			fmt.Fprintf(w, "No tool fits %q. \"patchbay toolkit list\" shows which apps there are.\n", query)
			return
		}
		rows := make([][]string, len(page.Items))
		for i, tool := range page.Items {
			rows[i] = []string{tool.Slug, oneLine(tool.Description, 80)}
		}
		table(w, "TOOL DESCRIPTION", rows)
	})
}

func (s *toolSearchCmd) inSession(ctx context.Context, c *console, client *patchbay.Client, query string) error {
	session, err := client.Sessions.Use(ctx, s.Session)
	if err != nil {
		return err
	}
	answer, err := session.Search(ctx, patchbay.SearchQuery{UseCase: query})
	if err != nil {
		return err
	}
	return c.show(answer, func(w io.Writer) {
		for _, result := range answer.Results {
			var rows [][]string
			for _, slug := range slices.Concat(result.Primary, result.Related) {
				rows = append(rows, []string{slug, oneLine(answer.Schemas[slug].Description, 80)})
			}
			table(w, "TOOL DESCRIPTION", rows)
			for i, step := range result.Plan {
				fmt.Fprintf(w, "%2d. %s\n", i+1, step)
			}
		}
		for _, connection := range answer.Connections {
			fmt.Fprintf(w, "%s: %s\n", connection.Toolkit, connection.Message)
		}
	})
}

type toolSchemaCmd struct {
	clientFlags
	Slug string `arg:"" help:"The tool, for example GITHUB_CREATE_AN_ISSUE."`
}

// Run shows a tool.
func (s *toolSchemaCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	tool, err := client.Tools.Get(ctx, s.Slug)
	if err != nil {
		return err
	}
	return c.show(tool, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s\n\n%s\n\n", tool.Slug, tool.Name, tool.Description)
		fields(w, "toolkit", tool.Toolkit.Slug, "version", tool.Version, "tags", strings.Join(tool.Tags, ", "), "scopes", strings.Join(tool.Scopes, ", "))
		fmt.Fprintln(w)
		argumentTable(w, tool.Input)
	})
}

// argumentTable prints the members of a JSON Schema object, required ones first.
func argumentTable(w io.Writer, schema json.RawMessage) {
	var object struct {
		Properties map[string]struct {
			Type        any    `json:"type"`
			Description string `json:"description"`
		} `json:"properties"`
		Required []string `json:"required"`
	}
	if json.Unmarshal(schema, &object) != nil || len(object.Properties) == 0 {
		fmt.Fprintln(w, "It takes no arguments.")
		return
	}
	rows := make([][]string, 0, len(object.Properties))
	for name, property := range object.Properties {
		needed := ""
		if slices.Contains(object.Required, name) {
			needed = "required"
		}
		rows = append(rows, []string{name, typeName(property.Type), needed, oneLine(property.Description, 80)})
	}
	slices.SortFunc(rows, func(a, b []string) int {
		return strings.Compare(b[2]+"\x00", a[2]+"\x00")*2 + strings.Compare(a[0], b[0])
	})
	table(w, "ARGUMENT TYPE NEEDED DESCRIPTION", rows)
}

// typeName writes the type of a JSON Schema: one name, or several.
func typeName(of any) string {
	switch t := of.(type) {
	case string:
		return t
	case []any:
		names := make([]string, len(t))
		for i, name := range t {
			names[i] = fmt.Sprint(name)
		}
		return strings.Join(names, "|")
	}
	return "any"
}

type toolRunCmd struct {
	clientFlags
	Slug           string   `arg:"" help:"The tool, for example GITHUB_CREATE_AN_ISSUE."`
	Arguments      []string `arg:"" optional:"" name:"name=value" help:"Arguments; lists and objects as JSON."`
	Data           string   `short:"d" placeholder:"JSON" help:"Arguments as a JSON object, @FILE to read them from a file, or - for standard input."`
	User           string   `placeholder:"ID" xor:"for" help:"Run it for this user, with the account connected last."`
	Session        string   `placeholder:"trs_…" xor:"for" help:"Run it in this session, under its policy."`
	Account        string   `placeholder:"ca_…" help:"Which account, if the user has several."`
	IdempotencyKey string   `placeholder:"KEY" help:"Repeating the call with the same key within a day answers the first result and does nothing."`
}

// Run runs a tool and prints its data.
func (s *toolRunCmd) Run(c *console) error {
	arguments, err := s.arguments(c.in)
	if err != nil {
		return err
	}
	if s.User == "" && s.Session == "" {
		return wrongUsage("nobody is named to run the tool for", "add --user ID or --session trs_…")
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	call := patchbay.Call{Tool: s.Slug, Arguments: arguments, Account: s.Account, IdempotencyKey: s.IdempotencyKey}
	result, err := s.run(ctx, client, call)
	if err != nil {
		return err
	}
	return c.show(result, func(w io.Writer) { fmt.Fprintln(w, indentJSON(result.Data)) })
}

func (s *toolRunCmd) run(ctx context.Context, client *patchbay.Client, call patchbay.Call) (patchbay.Result, error) {
	if s.User != "" {
		return client.Tools.Execute(ctx, s.User, call)
	}
	session, err := client.Sessions.Use(ctx, s.Session)
	if err != nil {
		return patchbay.Result{}, err
	}
	return session.Execute(ctx, call)
}

// arguments puts together what --data and the name=value pairs say; a pair wins over the same name in --data.
func (s *toolRunCmd) arguments(stdin io.Reader) (map[string]any, error) {
	arguments := map[string]any{}
	content, err := dataOf(s.Data, stdin)
	if err != nil {
		return nil, err
	}
	if len(content) > 0 {
		if err := json.Unmarshal(content, &arguments); err != nil || arguments == nil {
			return nil, wrongUsage(fmt.Sprintf("--data is not a JSON object: %v", err), `write it like -d '{"owner": "octocat"}'`)
		}
	}
	for _, pair := range s.Arguments {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, wrongUsage(fmt.Sprintf("%q is not an argument", pair), "write it as name=value")
		}
		arguments[name] = valueOf(value)
	}
	return arguments, nil
}

func dataOf(data string, stdin io.Reader) ([]byte, error) {
	if data == "-" {
		return io.ReadAll(stdin)
	}
	if name, isFile := strings.CutPrefix(data, "@"); isFile {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, wrongUsage("--data: "+err.Error(), "name a file that can be read, as @FILE")
		}
		return content, nil
	}
	return []byte(data), nil
}

// valueOf takes lists and objects as JSON and everything else as text: the server knows the type that the tool wants, and
// turns "3" into 3 where that is a number.
func valueOf(text string) any {
	if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			return value
		}
	}
	return text
}
