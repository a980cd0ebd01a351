package api

import (
	"context"

	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/session"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

type diagnoseSessionRequest struct {
	SessionID string `path:"session_id" json:"-"`
	Slug      string `query:"slug" json:"-"`
}

// diagnoseResponse says what the session would do with a call, and why.
type diagnoseResponse struct {
	Toolkit  string             `json:"toolkit"`
	Tool     string             `json:"tool,omitempty"`
	Works    bool               `json:"works"`
	Allowed  bool               `json:"allowed"`
	Policy   string             `json:"policy"`
	Account  *diagnosedAccount  `json:"connected_account"`
	Reason   string             `json:"reason"`
	Accounts []diagnosedAccount `json:"accounts"`
	Fix      string             `json:"suggested_fix,omitempty"`
}

// diagnosedAccount is an account that was considered. Problem says why it cannot be used.
type diagnosedAccount struct {
	ID       string            `json:"id"`
	WordID   string            `json:"word_id,omitempty"`
	Alias    string            `json:"alias,omitempty"`
	UserID   string            `json:"user_id"`
	Status   string            `json:"status"`
	Identity *connect.Identity `json:"identity,omitempty"`
	Problem  string            `json:"problem,omitempty"`
}

// diagnoseSession explains, for a toolkit or a tool, which account and which line of the session's configuration decide.
func (a *api) diagnoseSession(ctx context.Context, caller tenant.Caller, in diagnoseSessionRequest) (diagnoseResponse, error) {
	if in.Slug == "" {
		return diagnoseResponse{}, invalidRequest("slug: is required, the slug of a toolkit or tool")
	}
	d, err := a.sessions.Diagnose(ctx, caller, in.SessionID, in.Slug)
	if err != nil {
		return diagnoseResponse{}, err
	}
	out := diagnoseResponse{
		Toolkit: d.Toolkit, Tool: d.Tool, Works: d.Works, Allowed: d.Allowed, Policy: d.Policy, Reason: d.Chosen, Fix: d.Fix,
		Accounts: mapped(d.Choices, func(c session.AccountChoice) diagnosedAccount { return diagnosedAccountOf(c.Account, c.Problem) }),
	}
	if d.Account != nil {
		account := diagnosedAccountOf(*d.Account, "")
		out.Account = &account
	}
	return out, nil
}

func diagnosedAccountOf(account connect.ConnectedAccount, problem string) diagnosedAccount {
	return diagnosedAccount{
		ID: account.ID, WordID: account.WordID, Alias: account.Alias, UserID: account.UserID, Status: string(account.Status),
		Identity: identityOf(account), Problem: problem,
	}
}
