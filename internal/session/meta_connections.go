package session

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
)

const maxConnections = 25

// What an entry asks for.
const (
	actionConnect = "" // report what works, link what does not
	actionAdd     = "add"
	actionList    = "list"
	actionRename  = "rename"
	actionRemove  = "remove"
)

// How a toolkit's entry came out.
const (
	statusActive    = "active"
	statusInitiated = "initiated"
	statusFailed    = "failed"
)

// connectionsAnswer is the data of COMPOSIO_MANAGE_CONNECTIONS.
type connectionsAnswer struct {
	Message string                      `json:"message"`
	Results map[string]connectionResult `json:"results"`
	Summary connectionsSummary          `json:"summary"`
	Session *workflowEcho               `json:"session,omitempty"`
}

type connectionsSummary struct {
	Total     int `json:"total_toolkits"`
	Active    int `json:"active_connections"`
	Initiated int `json:"initiated_connections"`
	Failed    int `json:"failed_connections"`
}

type connectionResult struct {
	Toolkit      string            `json:"toolkit"`
	Status       string            `json:"status"`
	Active       bool              `json:"has_active_connection"`
	AccountID    string            `json:"connected_account_id,omitempty"`
	AuthConfigID string            `json:"auth_config_id,omitempty"`
	RedirectURL  string            `json:"redirect_url,omitempty"`
	CreatedAt    string            `json:"created_at,omitempty"`
	Instruction  string            `json:"instruction,omitempty"`
	Error        string            `json:"error_message,omitempty"`
	Reinitiated  bool              `json:"was_reinitiated,omitempty"`
	User         *connect.Identity `json:"current_user_info,omitempty"`
	AccountType  string            `json:"account_type,omitempty"`
	Accounts     []AccountInfo     `json:"accounts,omitempty"`
}

// connectionEntry is one entry of the call: a toolkit and what to do there.
type connectionEntry struct {
	toolkit, action, account, alias string
	again                           bool // sign in anew even where an account works
}

// manageConnections is COMPOSIO_MANAGE_CONNECTIONS. What goes wrong with one toolkit stays with that toolkit.
func (s *Service) manageConnections(ctx context.Context, call metaCall) (metaAnswer, error) {
	entries, err := call.connectionEntries()
	if err != nil {
		return metaAnswer{}, err
	}
	m := &connectionManager{service: s, call: call}
	answer := connectionsAnswer{Results: make(map[string]connectionResult, len(entries)), Session: echoWorkflow(call.workflow())}
	for _, entry := range entries {
		result := m.handle(ctx, entry)
		if err := ctx.Err(); err != nil {
			return metaAnswer{}, err
		}
		answer.add(result)
	}
	answer.Message = answer.Summary.message()
	out := metaAnswer{data: answer, links: m.links}
	if answer.Summary.Failed == answer.Summary.Total {
		out.error = answer.firstError()
	}
	return out, nil
}

func (c metaCall) connectionEntries() ([]connectionEntry, error) {
	again := c.arguments.truth("reinitiate_all", "reinitiate")
	var entries []connectionEntry
	for _, item := range c.arguments.objects("name", "toolkits", "toolkit") {
		for slug := range strings.SplitSeq(item.text("name", "toolkit", "slug"), ",") {
			entry := connectionEntry{
				toolkit: strings.TrimSpace(slug),
				action:  strings.ToLower(item.text("action")),
				account: item.text("account_id", "account", "connected_account_id"),
				alias:   item.text("alias"),
				again:   again || item.truth("reinitiate"),
			}
			if entry.toolkit != "" {
				entries = append(entries, entry)
			}
		}
	}
	if len(entries) == 0 || len(entries) > maxConnections {
		return nil, fault.New(fault.Invalid, fault.SlugInvalid, "toolkits must name 1 to %d toolkits, and it names %d.", maxConnections, len(entries)).
			WithFix("Send toolkits as a list of slugs, for example [\"github\"].")
	}
	return entries, nil
}

// add files a result under its toolkit; further entries of the same toolkit get a number behind it.
func (a *connectionsAnswer) add(r connectionResult) {
	key := r.Toolkit
	for n := 2; ; n++ {
		if _, taken := a.Results[key]; !taken {
			break
		}
		key = fmt.Sprintf("%s (%d)", r.Toolkit, n)
	}
	a.Results[key] = r
	a.Summary.Total++
	switch r.Status {
	case statusActive:
		a.Summary.Active++
	case statusInitiated:
		a.Summary.Initiated++
	default:
		a.Summary.Failed++
	}
}

func (a *connectionsAnswer) firstError() string {
	keys := make([]string, 0, len(a.Results))
	for key := range a.Results {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if text := a.Results[key].Error; text != "" {
			return text
		}
	}
	return a.Message
}

func (s connectionsSummary) message() string {
	var parts []string
	if s.Active > 0 {
		parts = append(parts, fmt.Sprintf("%d ready", s.Active))
	}
	if s.Initiated > 0 {
		parts = append(parts, fmt.Sprintf("%d waiting for the user: show each redirect_url as a clickable link", s.Initiated))
	}
	if s.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed: read error_message", s.Failed))
	}
	return strings.Join(parts, "; ") + "."
}

// connectionManager handles the entries of one call and collects the links it makes.
type connectionManager struct {
	service *Service
	call    metaCall
	links   []connect.Link
}

func (m *connectionManager) handle(ctx context.Context, e connectionEntry) connectionResult {
	result, err := m.do(ctx, e)
	if err == nil {
		return result
	}
	m.service.report(ctx, slugManageConnections, err)
	failed := connectionResult{Toolkit: strings.ToLower(e.toolkit), Status: statusFailed, Error: inOne(fault.From(err))}
	if result.Toolkit != "" {
		failed.Toolkit, failed.Active = result.Toolkit, result.Active
	}
	return failed
}

func (m *connectionManager) do(ctx context.Context, e connectionEntry) (connectionResult, error) {
	view := m.call.view
	kit, err := view.toolkit(e.toolkit)
	if err != nil {
		return connectionResult{}, err
	}
	if kit.NoAuth() {
		return connectionResult{Toolkit: kit.Slug, Status: statusActive, Active: true, Instruction: kit.Name + " needs no connection; its tools can run at once."}, nil
	}
	st, err := m.service.standing(ctx, m.call.caller, view, kit)
	if err != nil {
		return connectionResult{}, err
	}
	known := connectionResult{Toolkit: kit.Slug, Active: st.ready()}
	switch e.action {
	case actionConnect:
		return m.connect(ctx, st, e)
	case actionAdd:
		if !view.Session.Config.MultiAccount.Enable {
			return m.connect(ctx, st, e)
		}
		return m.link(ctx, st, e)
	case actionList:
		return m.list(st), nil
	case actionRename:
		return m.rename(ctx, st, e)
	case actionRemove:
		return m.remove(ctx, st, e)
	default:
		return known, fault.New(fault.Invalid, fault.SlugInvalid, "There is no action %q.", e.action).
			WithFix("The actions are %s.", enumerate([]string{actionAdd, actionList, actionRename, actionRemove}))
	}
}

// connect reports an account that works, and makes a link where there is none or where a new sign-in is wanted.
func (m *connectionManager) connect(ctx context.Context, st standing, e connectionEntry) (connectionResult, error) {
	if st.ready() && !e.again {
		return m.list(st), nil
	}
	if st.ready() {
		account, err := m.chosen(st, e)
		if err != nil {
			return connectionResult{Toolkit: st.toolkit.Slug, Active: true}, err
		}
		return m.again(ctx, st, account)
	}
	if pins := m.call.view.Session.Config.ConnectedAccounts[st.toolkit.Slug]; len(pins) > 0 {
		return m.reconnectPinned(ctx, st)
	}
	return m.link(ctx, st, e)
}

// list reports what is connected.
func (m *connectionManager) list(st standing) connectionResult {
	r := connectionResult{Toolkit: st.toolkit.Slug, Status: statusActive, Active: st.ready()}
	usable := st.usable()
	if len(usable) == 0 {
		r.Status, r.Error = statusFailed, strings.TrimSpace(st.problem()+" "+m.call.view.modelsWay(st.toolkit))
	} else {
		used := usable[0]
		if st.Used != nil {
			used = *st.Used
		}
		r.AccountID, r.AuthConfigID, r.CreatedAt = used.ID, used.AuthConfigID, stamp(used.CreatedAt)
		r.User, r.AccountType = identity(used), used.Type
		r.Instruction = st.toolkit.Name + " is connected" + as(used) + "; its tools can run."
		if st.mustChoose() {
			r.Instruction = fmt.Sprintf("%s has %d connected accounts; name one of them in account.", st.toolkit.Name, len(usable))
		}
	}
	if m.call.view.Session.Config.MultiAccount.Enable {
		r.Accounts = st.infos()
	}
	return r
}

// link makes a link for an account that is new or did not work.
func (m *connectionManager) link(ctx context.Context, st standing, e connectionEntry) (connectionResult, error) {
	view := m.call.view
	known := connectionResult{Toolkit: st.toolkit.Slug, Active: st.ready()}
	if pins := view.Session.Config.ConnectedAccounts[st.toolkit.Slug]; len(pins) > 0 {
		return known, fault.New(fault.Invalid, fault.SlugSessionInvalid, "The session pins %s to %s, so it would not use another account.", st.toolkit.Slug, strings.Join(pins, ", ")).
			WithFix("Only the application can change that: connected_accounts.%s of the session.", st.toolkit.Slug)
	}
	link, err := m.service.startLink(ctx, m.call.caller, view, st.toolkit, LinkRequest{Alias: e.alias, Origin: m.call.Origin})
	if err != nil {
		return known, err
	}
	return m.linked(st, link), nil
}

// again makes a link that renews an account which works; it goes on working until the user is done.
func (m *connectionManager) again(ctx context.Context, st standing, a connect.ConnectedAccount) (connectionResult, error) {
	link, err := m.relink(ctx, a)
	if err != nil {
		return connectionResult{Toolkit: st.toolkit.Slug, Active: st.ready()}, err
	}
	return m.linked(st, link), nil
}

// reconnectPinned renews a pinned account that does not work, if it is the user's own.
func (m *connectionManager) reconnectPinned(ctx context.Context, st standing) (connectionResult, error) {
	for _, choice := range st.All {
		a := choice.Account
		if a.UserID != m.call.view.Session.UserID || a.Status == connect.Inactive || a.Status == "" {
			continue
		}
		link, err := m.relink(ctx, a)
		if err != nil {
			return connectionResult{Toolkit: st.toolkit.Slug}, err
		}
		return m.linked(st, link), nil
	}
	return connectionResult{Toolkit: st.toolkit.Slug}, fault.New(fault.Invalid, fault.SlugNoActiveConnection, "%s", st.problem()).
		WithFix("The session pins this account, so only the application or its owner can mend it: connect it again, or change connected_accounts.%s of the session.", st.toolkit.Slug)
}

func (m *connectionManager) relink(ctx context.Context, a connect.ConnectedAccount) (connect.Link, error) {
	if a.UserID != m.call.view.Session.UserID {
		return connect.Link{}, fault.New(fault.Forbidden, fault.SlugSharedAccessDenied, "Account %s is shared with this user and belongs to another.", a.ID).
			WithFix("Its owner has to sign in again.")
	}
	return m.service.linkAccount(ctx, m.call.caller, m.call.view, a, LinkRequest{Origin: m.call.Origin})
}

func (m *connectionManager) linked(st standing, link connect.Link) connectionResult {
	m.links = append(m.links, link)
	next := "then go on when they say that they are done."
	if m.call.view.Session.Config.ManageConnections.Wait {
		next = "then call " + slugWaitForConnections + "."
	}
	return connectionResult{
		Toolkit: st.toolkit.Slug, Status: statusInitiated, Active: st.ready(), Reinitiated: !link.Account.ConnectedAt.IsZero(),
		AccountID: link.Account.ID, AuthConfigID: link.Account.AuthConfigID, RedirectURL: link.URL,
		CreatedAt: stamp(link.Account.CreatedAt), AccountType: link.Account.Type,
		Instruction: fmt.Sprintf("Show the user this link to connect %s, and %s It works once and ends in ten minutes: %s", st.toolkit.Name, next, link.URL),
	}
}

// chosen finds the account that an entry names or cannot but mean.
func (m *connectionManager) chosen(st standing, e connectionEntry) (connect.ConnectedAccount, error) {
	switch {
	case e.account != "" || e.action == actionRemove: // what is removed has to be named
	case e.action == actionConnect && st.Used != nil:
		return *st.Used, nil
	case len(st.All) == 1:
		return st.All[0].Account, nil
	}
	for _, choice := range st.All {
		a := choice.Account
		if e.account != "" && slices.ContainsFunc([]string{a.ID, a.WordID, a.Alias}, func(name string) bool { return strings.EqualFold(name, e.account) }) {
			return a, nil
		}
	}
	names := make([]string, 0, len(st.All))
	for _, choice := range st.All {
		names = append(names, choice.Account.ID+as(choice.Account))
	}
	f := fault.New(fault.Invalid, fault.SlugAccountRequired, "account_id does not say which %s account is meant.", st.toolkit.Name)
	if len(names) == 0 {
		return connect.ConnectedAccount{}, f.WithFix("The user has none.")
	}
	return connect.ConnectedAccount{}, f.WithFix("Name one of: %s.", strings.Join(names, "; "))
}

// own finds an account to change: it must be the session user's own, not one that is shared with them.
func (m *connectionManager) own(st standing, e connectionEntry) (connect.ConnectedAccount, error) {
	a, err := m.chosen(st, e)
	if err == nil && (a.UserID != m.call.view.Session.UserID || a.Status == "") {
		err = fault.New(fault.Forbidden, fault.SlugSharedAccessDenied, "Account %s is not this user's own.", a.ID).WithFix("Only its owner can change it.")
	}
	return a, err
}

func (m *connectionManager) rename(ctx context.Context, st standing, e connectionEntry) (connectionResult, error) {
	known := connectionResult{Toolkit: st.toolkit.Slug, Active: st.ready()}
	if e.alias == "" {
		return known, fault.New(fault.Invalid, fault.SlugInvalid, "To rename an account, say its new alias.").WithFix("Send alias, a short name such as \"work\".")
	}
	a, err := m.own(st, e)
	if err != nil {
		return known, err
	}
	if _, err := m.service.accounts.UpdateAccount(ctx, project(m.call.caller), a.ID, connect.AccountPatch{Alias: &e.alias}); err != nil {
		return known, err
	}
	return m.listAnew(ctx, st.toolkit, fmt.Sprintf("Account %s is now called %q.", a.ID, e.alias))
}

func (m *connectionManager) remove(ctx context.Context, st standing, e connectionEntry) (connectionResult, error) {
	known := connectionResult{Toolkit: st.toolkit.Slug, Active: st.ready()}
	if !m.call.view.Session.Config.ManageConnections.AllowRemoval {
		return known, restriction("Accounts cannot be removed in this session: manage_connections.enable_connection_removal is off.").
			WithFix("The user can remove it in the application.")
	}
	a, err := m.own(st, e)
	if err != nil {
		return known, err
	}
	revocation, err := m.service.accounts.DeleteAccount(ctx, project(m.call.caller), a.ID)
	if err != nil {
		return known, err
	}
	return m.listAnew(ctx, st.toolkit, strings.TrimSpace(fmt.Sprintf("Account %s is removed. %s", a.ID, revocation.Note)))
}

// listAnew reports a toolkit after a change.
func (m *connectionManager) listAnew(ctx context.Context, kit *catalog.Toolkit, done string) (connectionResult, error) {
	st, err := m.service.standing(ctx, m.call.caller, m.call.view, kit)
	if err != nil {
		return connectionResult{}, err
	}
	r := m.list(st)
	r.Status, r.Error, r.Instruction = statusActive, "", done
	return r, nil
}
