package api

import (
	"context"
	"net/url"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// mcpServerResponse is a server of the older API (API contract section 14).
type mcpServerResponse struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	AuthConfigIDs []string          `json:"auth_config_ids"`
	AllowedTools  []string          `json:"allowed_tools"`
	MCPURL        string            `json:"mcp_url"`
	Toolkits      []string          `json:"toolkits"`
	ToolkitIcons  map[string]string `json:"toolkit_icons"`
	Commands      mcpCommands       `json:"commands"`
	Instances     int               `json:"server_instance_count"`
	ManagedAuth   bool              `json:"managed_auth_via_composio"`
	CreatedAt     string            `json:"created_at"`
	UpdatedAt     string            `json:"updated_at"`
	Deleted       bool              `json:"deleted"`
}

// mcpCommands add the server to a client. The key is left for the person to fill in: a stored command must not hold one.
type mcpCommands struct {
	Cursor   string `json:"cursor"`
	Claude   string `json:"claude"`
	Windsurf string `json:"windsurf"`
}

func mcpServerOf(s legacy.Server, origin string) mcpServerResponse {
	address := mcpServerURL(origin, s.ID)
	icons := make(map[string]string, len(s.Toolkits))
	for _, slug := range s.Toolkits {
		icons[slug] = logoURL(origin, slug)
	}
	return mcpServerResponse{
		ID: s.ID, Name: s.Name, AuthConfigIDs: list(s.AuthConfigIDs), AllowedTools: list(s.AllowedTools),
		MCPURL: address, Toolkits: list(s.Toolkits), ToolkitIcons: icons, Commands: mcpCommandsOf(s.Name, address),
		Instances: s.Instances, ManagedAuth: s.ManagedAuth, CreatedAt: timestamp(s.CreatedAt), UpdatedAt: timestamp(s.UpdatedAt),
	}
}

func mcpServerURL(origin, id string) string { return origin + "/v3/mcp/" + id }

func mcpCommandsOf(name, address string) mcpCommands {
	name = strings.ReplaceAll(strings.ToLower(name), " ", "-")
	address += "?user_id=YOUR_USER_ID"
	editor := ` --add-mcp '{"name":"` + name + `","url":"` + address + `","headers":{"x-api-key":"YOUR_API_KEY"}}'`
	return mcpCommands{
		Cursor:   "cursor" + editor,
		Claude:   `claude mcp add --transport http ` + name + ` "` + address + `" --header "x-api-key: YOUR_API_KEY"`,
		Windsurf: "windsurf" + editor,
	}
}

type createMCPServerRequest struct {
	Origin        string   `from:"origin" json:"-"`
	Name          string   `json:"name"`
	Toolkits      []string `json:"toolkits"`
	NoAuthApps    []string `json:"no_auth_apps"`
	AuthConfigIDs []string `json:"auth_config_ids"`
	AllowedTools  []string `json:"allowed_tools"`
	CustomTools   []string `json:"custom_tools"` // what the Python SDK calls allowed_tools
	ManagedAuth   *bool    `json:"managed_auth_via_composio"`
}

func (a *api) createMCPServer(ctx context.Context, caller tenant.Caller, in createMCPServerRequest) (mcpServerResponse, error) {
	server, err := a.mcpServers.Create(ctx, caller, legacy.NewServer{
		Name:          in.Name,
		Toolkits:      append(in.Toolkits, in.NoAuthApps...),
		AuthConfigIDs: in.AuthConfigIDs,
		AllowedTools:  append(in.AllowedTools, in.CustomTools...),
		ManagedAuth:   in.ManagedAuth,
	})
	if err != nil {
		return mcpServerResponse{}, err
	}
	return mcpServerOf(server, in.Origin), nil
}

type mcpServerRequest struct {
	Origin string `from:"origin" json:"-"`
	ID     string `path:"id" json:"-"`
}

func (a *api) getMCPServer(ctx context.Context, caller tenant.Caller, in mcpServerRequest) (mcpServerResponse, error) {
	server, err := a.mcpServers.Server(ctx, caller, in.ID)
	if err != nil {
		return mcpServerResponse{}, err
	}
	return mcpServerOf(server, in.Origin), nil
}

type updateMCPServerRequest struct {
	Origin        string   `from:"origin" json:"-"`
	ID            string   `path:"id" json:"-"`
	Name          *string  `json:"name"`
	Toolkits      []string `json:"toolkits"`
	AuthConfigIDs []string `json:"auth_config_ids"`
	AllowedTools  []string `json:"allowed_tools"`
	ManagedAuth   *bool    `json:"managed_auth_via_composio"`
}

func (a *api) updateMCPServer(ctx context.Context, caller tenant.Caller, in updateMCPServerRequest) (mcpServerResponse, error) {
	server, err := a.mcpServers.Update(ctx, caller, in.ID, legacy.Patch{
		Name: in.Name, Toolkits: in.Toolkits, AuthConfigIDs: in.AuthConfigIDs, AllowedTools: in.AllowedTools, ManagedAuth: in.ManagedAuth,
	})
	if err != nil {
		return mcpServerResponse{}, err
	}
	return mcpServerOf(server, in.Origin), nil
}

type deletedMCPServer struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
}

func (a *api) deleteMCPServer(ctx context.Context, caller tenant.Caller, in mcpServerRequest) (deletedMCPServer, error) {
	if err := a.mcpServers.Delete(ctx, caller, in.ID); err != nil {
		return deletedMCPServer{}, err
	}
	return deletedMCPServer{ID: in.ID, Deleted: true}, nil
}

type listMCPServersRequest struct {
	Origin      string `from:"origin" json:"-"`
	Name        string `query:"name" json:"-"`
	Toolkits    values `query:"toolkits" json:"-"`
	AuthConfigs values `query:"auth_config_ids" json:"-"`
	OrderBy     string `query:"order_by" json:"-"`
	Direction   string `query:"order_direction" json:"-"`
	Page        limit  `query:"page_no" json:"-"`
	Limit       limit  `query:"limit" json:"-"`
}

func (in listMCPServersRequest) filter() (legacy.Filter, error) {
	f, err := numberedFilter(in.Name, in.OrderBy, in.Direction, in.Page, in.Limit)
	f.Toolkits, f.AuthConfigs = lowered(in.Toolkits), in.AuthConfigs
	return f, err
}

// numberedPage is one page of a list that is paged by number.
type numberedPage[T any] struct {
	Items       []T `json:"items"`
	TotalPages  int `json:"total_pages"`
	CurrentPage int `json:"current_page"`
}

func (a *api) listMCPServers(ctx context.Context, caller tenant.Caller, in listMCPServersRequest) (numberedPage[mcpServerResponse], error) {
	f, err := in.filter()
	if err != nil {
		return numberedPage[mcpServerResponse]{}, err
	}
	servers, total, err := a.mcpServers.List(ctx, caller, f)
	if err != nil {
		return numberedPage[mcpServerResponse]{}, err
	}
	return numberedPage[mcpServerResponse]{
		Items:      mapped(servers, func(s legacy.Server) mcpServerResponse { return mcpServerOf(s, in.Origin) }),
		TotalPages: pages(total, f.Limit), CurrentPage: f.Page,
	}, nil
}

type listMCPServersOfToolkitRequest struct {
	Toolkit     string `path:"appKey" json:"-"`
	Origin      string `from:"origin" json:"-"`
	Name        string `query:"name" json:"-"`
	AuthConfigs values `query:"auth_config_ids" json:"-"`
	OrderBy     string `query:"order_by" json:"-"`
	Direction   string `query:"order_direction" json:"-"`
	Page        limit  `query:"page_no" json:"-"`
	Limit       limit  `query:"limit" json:"-"`
}

func (a *api) listMCPServersOfToolkit(ctx context.Context, caller tenant.Caller, in listMCPServersOfToolkitRequest) (numberedPage[mcpServerResponse], error) {
	return a.listMCPServers(ctx, caller, listMCPServersRequest{
		Origin: in.Origin, Name: in.Name, Toolkits: values{in.Toolkit}, AuthConfigs: in.AuthConfigs,
		OrderBy: in.OrderBy, Direction: in.Direction, Page: in.Page, Limit: in.Limit,
	})
}

// numberedFilter reads the members that the older lists have in common.
func numberedFilter(name, orderBy, direction string, page, size limit) (legacy.Filter, error) {
	var faults []string
	if orderBy != "" && orderBy != "updated_at" && orderBy != "created_at" {
		faults = append(faults, "order_by: expected updated_at or created_at")
	}
	if direction != "" && !strings.EqualFold(direction, "asc") && !strings.EqualFold(direction, "desc") {
		faults = append(faults, "order_direction: expected asc or desc")
	}
	f := legacy.Filter{
		Name: name, ByCreation: orderBy == "created_at", Ascending: strings.EqualFold(direction, "asc"),
		Page: max(1, int(page)), Limit: size.clamp(10, 1000),
	}
	if len(faults) > 0 {
		return f, invalidRequest(faults...)
	}
	return f, nil
}

type generateMCPURLsRequest struct {
	Origin      string   `from:"origin" json:"-"`
	ServerID    string   `json:"mcp_server_id"`
	UserIDs     []string `json:"user_ids"`
	AccountIDs  []string `json:"connected_account_ids"`
	ManagedAuth *bool    `json:"managed_auth_by_composio"` // the server's own setting counts
}

type mcpURLsResponse struct {
	MCPURL      string   `json:"mcp_url"`
	AccountURLs []string `json:"connected_account_urls"`
	UserURLs    []string `json:"user_ids_url"`
}

func (a *api) generateMCPURLs(ctx context.Context, caller tenant.Caller, in generateMCPURLsRequest) (mcpURLsResponse, error) {
	var visitors []legacy.Visitor
	for _, id := range in.UserIDs {
		visitors = append(visitors, legacy.Visitor{UserID: id})
	}
	for _, id := range in.AccountIDs {
		visitors = append(visitors, legacy.Visitor{AccountID: id})
	}
	server, instances, err := a.mcpServers.Visit(ctx, caller, in.ServerID, visitors...)
	if err != nil {
		return mcpURLsResponse{}, err
	}
	address := mcpServerURL(in.Origin, server.ID)
	out := mcpURLsResponse{MCPURL: address, AccountURLs: []string{}, UserURLs: []string{}}
	for _, i := range instances {
		if i.Visitor.AccountID != "" {
			out.AccountURLs = append(out.AccountURLs, address+"?connected_account_id="+url.QueryEscape(i.Visitor.AccountID))
		} else {
			out.UserURLs = append(out.UserURLs, address+"?user_id="+url.QueryEscape(i.Visitor.UserID))
		}
	}
	return out, nil
}
