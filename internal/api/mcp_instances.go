package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/legacy"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// mcpInstanceResponse is one user of a server of the older API (API contract section 14).
type mcpInstanceResponse struct {
	ID         string `json:"id"`
	InstanceID string `json:"instance_id"` // the user's id, or the account's where only that is known
	UserID     string `json:"user_id,omitempty"`
	AccountID  string `json:"connected_account_id,omitempty"`
	ServerID   string `json:"mcp_server_id"`
	SessionID  string `json:"session_id,omitempty"` // the session that serves the user; none before the first visit
	CreatedAt  string `json:"created_at"`
	UpdatedAt  string `json:"updated_at"`
}

func mcpInstanceOf(i legacy.Instance) mcpInstanceResponse {
	who := i.Visitor.UserID
	if who == "" {
		who = i.Visitor.AccountID
	}
	return mcpInstanceResponse{
		ID: i.ID, InstanceID: who, UserID: i.Visitor.UserID, AccountID: i.Visitor.AccountID, ServerID: i.ServerID, SessionID: i.SessionID,
		CreatedAt: timestamp(i.CreatedAt), UpdatedAt: timestamp(i.UpdatedAt),
	}
}

type createMCPInstanceRequest struct {
	ServerID string `path:"serverId" json:"-"`
	UserID   string `json:"user_id"`
}

func (a *api) createMCPInstance(ctx context.Context, caller tenant.Caller, in createMCPInstanceRequest) (mcpInstanceResponse, error) {
	_, instances, err := a.mcpServers.Visit(ctx, caller, in.ServerID, legacy.Visitor{UserID: in.UserID})
	if err != nil {
		return mcpInstanceResponse{}, err
	}
	return mcpInstanceOf(instances[0]), nil
}

type listMCPInstancesRequest struct {
	ServerID  string `path:"serverId" json:"-"`
	Search    string `query:"search" json:"-"`
	OrderBy   string `query:"order_by" json:"-"`
	Direction string `query:"order_direction" json:"-"`
	Page      limit  `query:"page_no" json:"-"`
	Limit     limit  `query:"limit" json:"-"`
}

type mcpInstancesPage struct {
	Instances   []mcpInstanceResponse `json:"instances"`
	ServerID    string                `json:"server_id"`
	ServerName  string                `json:"server_name"`
	TotalPages  int                   `json:"total_pages"`
	CurrentPage int                   `json:"current_page"`
}

func (a *api) listMCPInstances(ctx context.Context, caller tenant.Caller, in listMCPInstancesRequest) (mcpInstancesPage, error) {
	f, err := numberedFilter(in.Search, in.OrderBy, in.Direction, in.Page, in.Limit)
	if err != nil {
		return mcpInstancesPage{}, err
	}
	server, instances, total, err := a.mcpServers.Instances(ctx, caller, in.ServerID, f)
	if err != nil {
		return mcpInstancesPage{}, err
	}
	return mcpInstancesPage{
		Instances: mapped(instances, mcpInstanceOf), ServerID: server.ID, ServerName: server.Name,
		TotalPages: pages(total, f.Limit), CurrentPage: f.Page,
	}, nil
}

type deleteMCPInstanceRequest struct {
	ServerID   string `path:"serverId" json:"-"`
	InstanceID string `path:"instanceId" json:"-"`
}

type deletedMCPInstance struct {
	Message         string `json:"message"`
	DeletedAccounts int    `json:"deleted_connected_accounts"`
}

func (a *api) deleteMCPInstance(ctx context.Context, caller tenant.Caller, in deleteMCPInstanceRequest) (deletedMCPInstance, error) {
	if err := a.mcpServers.DeleteInstance(ctx, caller, in.ServerID, in.InstanceID); err != nil {
		return deletedMCPInstance{}, err
	}
	return deletedMCPInstance{Message: "The instance is deleted. The user's connected accounts stay: DELETE /api/v3.1/connected_accounts/{id} ends one."}, nil
}
