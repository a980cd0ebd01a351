package connect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Selection says for whom, and under which constraints, an account of a toolkit is to be chosen. Precedence: Pinned, then
// AuthConfigID, then any auth config of the project (the most recently connected ACTIVE account wins).
type Selection struct {
	UserID          string
	Toolkit         string
	AccountID       string   // exactly this one (tools/execute with connected_account_id)
	Account         string   // the caller's choice among several: id, word id or alias
	Pinned          []string // the session's accounts for this toolkit: used exactly, no fallback
	AuthConfigID    string   // the session's auth config for this toolkit
	RequireExplicit bool     // several ACTIVE accounts and no Account named is an error that lists them
	ForSession      bool     // the auth config must be enabled for sessions; SHARED accounts only when pinned
	Tool            string   // slug of the tool to be run, or RawRequests: the auth config's allow-list must have it; empty: not looked at
}

// RawRequests is Selection.Tool for requests that are no tool's. An auth config with a list of allowed tools does not let them through.
const RawRequests = "raw requests"

// candidate is an account that the selection allows, or an id that it names, and why it cannot be used.
type candidate struct {
	account ConnectedAccount
	problem error // nil: usable
}

// Select chooses the account a call is made with. Warm calls read memory only. Faults: NoActiveConnection (says why: none,
// expired, disabled, …), AccountRequired (lists the choices), SharedAccessDenied.
func (s *Service) Select(ctx context.Context, c tenant.Caller, sel Selection) (ConnectedAccount, error) {
	t, err := s.toolkit(c, sel.Toolkit)
	if err != nil {
		return ConnectedAccount{}, err
	}
	candidates, err := s.candidates(ctx, c, t, sel)
	if err != nil {
		return ConnectedAccount{}, err
	}
	return s.choose(t, sel, candidates)
}

// choose picks the account, or says why none can be.
func (s *Service) choose(t *catalog.Toolkit, sel Selection, candidates []candidate) (ConnectedAccount, error) {
	if sel.Account != "" {
		return s.named(t, sel, candidates)
	}
	best, usable := 0, 0
	for i, k := range candidates {
		if k.problem != nil {
			continue
		}
		if usable++; usable == 1 || byConnection(k, candidates[best]) > 0 {
			best = i
		}
	}
	switch {
	case usable == 0:
		return ConnectedAccount{}, s.noneUsable(t, sel, candidates)
	case usable > 1 && sel.RequireExplicit:
		ready := slices.DeleteFunc(slices.Clone(candidates), func(k candidate) bool { return k.problem != nil })
		return ConnectedAccount{}, fault.New(fault.Invalid, fault.SlugAccountRequired,
			"User %s has %d %s accounts; this session wants the account to be named.", sel.UserID, usable, t.Name).
			WithFix("Repeat the call with account set to the id, word id or alias of one of them.").WithDetails(choices(ready)...)
	}
	return candidates[best].account, nil
}

// byConnection orders by when accounts were connected; the rest makes the order total.
func byConnection(a, b candidate) int {
	return cmp.Or(a.account.ConnectedAt.Compare(b.account.ConnectedAt), a.account.CreatedAt.Compare(b.account.CreatedAt),
		cmp.Compare(a.account.ID, b.account.ID))
}

// candidates are the accounts among which the selection chooses.
func (s *Service) candidates(ctx context.Context, c tenant.Caller, t *catalog.Toolkit, sel Selection) ([]candidate, error) {
	switch {
	case sel.AccountID != "":
		k, err := s.byID(ctx, c, t, sel, sel.AccountID)
		return []candidate{k}, err
	case len(sel.Pinned) > 0:
		pinned := make([]candidate, 0, len(sel.Pinned))
		for _, id := range sel.Pinned {
			k, err := s.byID(ctx, c, t, sel, id)
			if err != nil {
				return nil, err
			}
			pinned = append(pinned, k)
		}
		return pinned, nil
	}
	accounts, err := s.AccountsOf(ctx, c, sel.UserID)
	if err != nil {
		return nil, err
	}
	var own []candidate
	for _, a := range accounts {
		if a.Toolkit != t.Slug || a.Type == Shared || sel.AuthConfigID != "" && a.AuthConfigID != sel.AuthConfigID {
			continue
		}
		problem, err := s.problem(ctx, c, t, sel, a)
		if err != nil {
			return nil, err
		}
		own = append(own, candidate{a, problem})
	}
	return own, nil
}

// byID looks at one account that was named by id. The error is for failures to look; what is wrong with the account is the
// candidate's problem.
func (s *Service) byID(ctx context.Context, c tenant.Caller, t *catalog.Toolkit, sel Selection, id string) (candidate, error) {
	missing := candidate{account: ConnectedAccount{ID: id}}
	a, err := s.account(ctx, c.ProjectID, id)
	if fault.Is(err, fault.NotFound) {
		missing.problem = fault.New(fault.NotFound, fault.SlugExecuteAccountNotFound, "Connected account %s does not exist any more.", id).
			WithCode(fault.CodeExecuteAccountNotFound).WithFix("Connect %s again and use the new account's id.", t.Name)
		return missing, nil
	}
	if err != nil {
		return candidate{}, err
	}
	switch {
	case a.Toolkit != t.Slug:
		missing.problem = fault.New(fault.Invalid, fault.SlugAccountInvalid, "Connected account %s belongs to %s, not to %s.", id, a.Toolkit, t.Slug).
			WithFix("Name an account of %s.", t.Slug)
		return missing, nil
	case a.Type == Shared && sel.UserID != "" && !a.ACL.Lets(sel.UserID, a.UserID):
		missing.problem = fault.New(fault.Forbidden, fault.SlugSharedAccessDenied, "User %s may not use the shared account %s.", sel.UserID, id).
			WithFix("Add the user to the account's acl_config_for_shared, or use another account.")
		return missing, nil
	case a.Type != Shared && sel.UserID != "" && a.UserID != sel.UserID:
		missing.problem = fault.New(fault.NotFound, fault.SlugExecuteAccountNotFound, "User %s has no connected account %s.", sel.UserID, id).
			WithCode(fault.CodeExecuteAccountNotFound).WithFix("Use an account of this user, or the user that the account belongs to.")
		return missing, nil
	}
	problem, err := s.problem(ctx, c, t, sel, a)
	return candidate{a, problem}, err
}

// Lets tells whether a user may use a shared account: its creator always, then not the denied, then everybody if so, then the
// allowed.
func (l ACL) Lets(userID, creator string) bool {
	switch {
	case userID == creator:
		return true
	case slices.Contains(l.Denied, userID):
		return false
	}
	return l.AllowAll || slices.Contains(l.Allowed, userID)
}

// problem says why an account cannot be used just now; nil when it can.
func (s *Service) problem(ctx context.Context, c tenant.Caller, t *catalog.Toolkit, sel Selection, a ConnectedAccount) (problem, err error) {
	if a.Status != Active {
		return s.notActive(t, sel, a), nil
	}
	if a.AuthConfigID == "" {
		return nil, nil
	}
	cfg, err := s.config(ctx, c.ProjectID, a.AuthConfigID)
	if fault.Is(err, fault.NotFound) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	if problem := usableConfig(cfg, sel.ForSession); problem != nil {
		return problem, nil
	}
	if sel.Tool != "" && !cfg.allowsTool(sel.Tool) {
		return fault.New(fault.Forbidden, fault.SlugForbidden, "Auth config %s does not allow %s with its accounts.", cfg.ID, sel.Tool).
			WithFix("Its tool_access_config.tools_available_for_execution lists what it allows: extend it, or use an account of another auth config."), nil
	}
	return nil, nil
}

// named finds the account that the caller asked for by id, word id or alias.
func (s *Service) named(t *catalog.Toolkit, sel Selection, candidates []candidate) (ConnectedAccount, error) {
	for _, same := range []func(ConnectedAccount) bool{
		func(a ConnectedAccount) bool {
			return a.ID == sel.Account || a.WordID == sel.Account || a.Alias == sel.Account
		},
		func(a ConnectedAccount) bool {
			return strings.EqualFold(a.WordID, sel.Account) || strings.EqualFold(a.Alias, sel.Account)
		},
	} {
		for _, k := range candidates {
			if !same(k.account) {
				continue
			}
			if k.problem != nil {
				return ConnectedAccount{}, s.forCaller(sel, k.problem)
			}
			return k.account, nil
		}
	}
	f := fault.New(fault.Invalid, fault.SlugAccountRequired, "User %s has no %s account %q here.", sel.UserID, t.Name, sel.Account)
	if len(candidates) == 0 {
		return ConnectedAccount{}, f.WithFix("Connect %s first.", t.Name)
	}
	return ConnectedAccount{}, f.WithFix("Name one of these by id, word id or alias.").WithDetails(choices(candidates)...)
}

// choices describes accounts, one line each.
func choices(candidates []candidate) []string {
	out := make([]string, 0, len(candidates))
	for _, k := range candidates {
		a := k.account
		line := a.ID
		if a.WordID != "" {
			line += ", " + a.WordID
		}
		if a.Alias != "" {
			line += fmt.Sprintf(", alias %q", a.Alias)
		}
		if label := a.Identity.Label(); label != "" {
			line += ", " + label
		}
		if k.problem != nil {
			line += " (" + fault.From(k.problem).Message + ")"
		}
		out = append(out, line)
	}
	return out
}

// Label names the person or workspace an account belongs to at the provider, as well as is known.
func (i Identity) Label() string {
	switch {
	case i.Name != "" && i.Email != "" && i.Name != i.Email:
		return i.Name + " <" + i.Email + ">"
	default:
		return cmp.Or(i.Email, i.Name, i.ID)
	}
}

// noneUsable says why no account can be used, and how that is mended: nobody connected one, or what is wrong with the one that
// was used last.
func (s *Service) noneUsable(t *catalog.Toolkit, sel Selection, candidates []candidate) error {
	if len(candidates) == 0 {
		what := t.Name
		if sel.AuthConfigID != "" {
			what += " under auth config " + sel.AuthConfigID
		}
		return s.noConnection(sel, fmt.Sprintf("User %s has not connected %s.", sel.UserID, what), connectFix(t, sel))
	}
	if len(candidates) == 1 {
		return s.forCaller(sel, candidates[0].problem)
	}
	last := slices.MaxFunc(candidates, func(a, b candidate) int {
		return cmp.Or(a.account.UpdatedAt.Compare(b.account.UpdatedAt), byConnection(a, b))
	})
	f := *fault.From(s.forCaller(sel, last.problem))
	return f.WithDetails(choices(candidates)...)
}

// forCaller gives a problem the slug that sessions are known for. What is forbidden stays forbidden: connecting does not help.
func (s *Service) forCaller(sel Selection, problem error) error {
	f := *fault.From(problem)
	if sel.ForSession && f.Kind != fault.Forbidden {
		f.Kind, f.Slug, f.Code = fault.Invalid, fault.SlugNoActiveConnection, fault.CodeNoActiveConnection
	}
	return &f
}

func (s *Service) noConnection(sel Selection, message, fix string) error {
	if sel.ForSession {
		return fault.New(fault.Invalid, fault.SlugNoActiveConnection, "%s", message).WithCode(fault.CodeNoActiveConnection).WithFix("%s", fix)
	}
	return fault.New(fault.NotFound, fault.SlugExecuteAccountNotFound, "%s", message).WithCode(fault.CodeExecuteNoAccount).WithFix("%s", fix)
}

func connectFix(t *catalog.Toolkit, sel Selection) string {
	if sel.ForSession {
		return fmt.Sprintf("Call COMPOSIO_MANAGE_CONNECTIONS for %q and give its redirect_url to the user, then repeat the call.", t.Slug)
	}
	return "Create a link (POST /api/v3.1/connected_accounts/link) and have the user open it, then repeat the call."
}

// notActive says what keeps an account from being used and what to do about it.
func (s *Service) notActive(t *catalog.Toolkit, sel Selection, a ConnectedAccount) error {
	who := "The " + t.Name + " account " + a.ID
	if label := a.Identity.Label(); label != "" {
		who += " (" + label + ")"
	}
	var message string
	fix := connectFix(t, sel)
	switch a.Status {
	case Initializing, Initiated:
		message = who + " is not connected yet: its link was not finished."
		fix = "Have the user open the link and finish it, or make a new one. " + fix
	case Inactive:
		message = who + " is switched off" + because(a) + "."
		fix = fmt.Sprintf(`Switch it on (PATCH /api/v3.1/connected_accounts/%s/status {"enabled":true}).`, a.ID)
	default:
		message = fmt.Sprintf("%s is %s since %s%s.", who, a.Status, a.UpdatedAt.UTC().Format(time.DateTime+" MST"), because(a))
		fix = "Reconnect it. " + fix
	}
	return fault.New(fault.Unprocessable, fault.SlugAccountState, "%s", message).WithCode(fault.CodeExecuteNoAccount).WithFix("%s", fix)
}

func because(a ConnectedAccount) string {
	if reason := strings.TrimSuffix(a.StatusReason, "."); reason != "" {
		return ": " + reason
	}
	return ""
}
