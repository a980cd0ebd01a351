package legacy

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// serverName is what the older API takes for a name (API contract section 14).
var serverName = regexp.MustCompile(`^[a-zA-Z0-9 -]{4,30}$`)

// maxAllowedTools is as many tools as a session lists.
const maxAllowedTools = 1000

// check makes a server's lists canonical (slugs in lower case, toolkits of the auth configs included, no doubles) or gives one
// fault with all that is wrong.
func (s *Service) check(ctx context.Context, c tenant.Caller, server Server) (Server, error) {
	var faults []string
	say := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }

	if !serverName.MatchString(server.Name) {
		say("name: %q needs 4 to 30 letters, digits, blanks and hyphens", server.Name)
	}
	snapshot := s.catalog.Snapshot(c.ProjectID)
	toolkits, _, err := s.serverToolkits(ctx, c, snapshot, server, say)
	if err != nil {
		return Server{}, err
	}
	if len(toolkits) == 0 && len(faults) == 0 {
		say("toolkits: a server needs at least one toolkit, by name or through an auth config")
	}
	server.Toolkits = toolkits
	server.AuthConfigIDs = unique(server.AuthConfigIDs)
	server.AllowedTools = unique(server.AllowedTools)
	if len(server.AllowedTools) > maxAllowedTools {
		say("allowed_tools: %d tools; at most %d are allowed", len(server.AllowedTools), maxAllowedTools)
	}
	for _, slug := range server.AllowedTools {
		checkTool(snapshot, toolkits, slug, say)
	}
	if len(faults) > 0 {
		return Server{}, serverFault(faults)
	}
	return server, nil
}

// serverToolkits gives the server's toolkits, those of its auth configs included, and the auth config of each that has one.
func (s *Service) serverToolkits(ctx context.Context, c tenant.Caller, snapshot *catalog.Snapshot, server Server, say func(string, ...any)) ([]string, map[string]string, error) {
	var toolkits []string
	for _, slug := range server.Toolkits {
		tk, ok := snapshot.Toolkit(slug)
		if !ok {
			say("toolkits: there is no toolkit %q%s", slug, meant(snapshot.NearestToolkits(slug, 3)))
			continue
		}
		toolkits = append(toolkits, tk.Slug)
	}
	configs := make(map[string]string, len(server.AuthConfigIDs))
	for _, id := range unique(server.AuthConfigIDs) {
		config, err := s.accounts.AuthConfig(ctx, c, id)
		switch {
		case fault.Is(err, fault.NotFound):
			say("auth_config_ids: there is no auth config %q in this project", id)
			continue
		case err != nil:
			return nil, nil, err
		case configs[config.Toolkit] != "":
			say("auth_config_ids: %s and %s are both of %s; a server takes one per toolkit", configs[config.Toolkit], id, config.Toolkit)
			continue
		}
		configs[config.Toolkit] = id
		toolkits = append(toolkits, config.Toolkit)
	}
	return unique(toolkits), configs, nil
}

func checkTool(snapshot *catalog.Snapshot, toolkits []string, slug string, say func(string, ...any)) {
	tool, ok := snapshot.Tool(slug)
	switch {
	case !ok:
		say("allowed_tools: there is no tool %q%s", slug, meant(snapshot.NearestTools(slug, 3)))
	case !slices.Contains(toolkits, tool.Toolkit.Slug):
		say("allowed_tools: %s is a tool of %s, which the server does not have; add the toolkit or an auth config of it", slug, tool.Toolkit.Slug)
	}
}

func meant(near []string) string {
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, ", ") + "?"
}

func serverFault(faults []string) *fault.Error {
	message := "The MCP server is not valid: " + faults[0]
	if n := len(faults) - 1; n > 0 {
		message += fmt.Sprintf(" (and %d more, see errors)", n)
	}
	return fault.New(fault.Invalid, fault.SlugInvalid, "%s", message).WithDetails(faults...).
		WithFix("Nothing was stored. Mend what errors lists and send the request again.")
}

func changedMeanwhile(id string) *fault.Error {
	return fault.New(fault.Conflict, fault.SlugConflict, "MCP server %s was changed by somebody else meanwhile; nothing was written.", id).
		WithFix("Read it again and repeat your change.")
}

// unique drops blanks and doubles and keeps the order.
func unique(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
