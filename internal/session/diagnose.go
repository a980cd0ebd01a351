package session

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Diagnosis says what a session would do with a call to a toolkit or tool, and why.
type Diagnosis struct {
	Toolkit string
	Tool    string // empty when the question was about the toolkit
	Works   bool
	// Policy is what the session's rules say of it, and which line says so.
	Allowed bool
	Policy  string
	// Account is the one that a call would use; nil when there is none or none is needed.
	Account  *connect.ConnectedAccount
	Chosen   string          // why it is this one, or why there is none
	Choices  []AccountChoice // all accounts that were considered
	Fix      string          // what to do about it; empty when it works
	Snapshot string          // id of the catalog it was judged by
}

// AccountChoice is one account that was considered.
type AccountChoice struct {
	Account connect.ConnectedAccount
	Problem string // empty: it could be used
}

// Diagnose explains which account and which line of the policy a call would use. What is a toolkit's or a tool's slug.
func (s *Service) Diagnose(ctx context.Context, c tenant.Caller, id, what string) (Diagnosis, error) {
	view, err := s.Open(ctx, c, id)
	if err != nil {
		return Diagnosis{}, err
	}
	d := Diagnosis{Snapshot: view.Catalog.ID}
	kit, refused, err := d.subject(view, what)
	if err != nil {
		return Diagnosis{}, err
	}
	if refused != nil {
		f := fault.From(refused)
		d.Policy, d.Fix = f.Message, f.Fix
	} else {
		d.Allowed, d.Policy = true, view.policy.why(kit.Slug, d.Tool)
	}
	st, err := s.standing(ctx, c, view, kit)
	if err != nil {
		return Diagnosis{}, err
	}
	d.account(view, st)
	if slices.Contains(view.missing, kit.Slug) {
		d.Policy += " The session is pinned to version " + view.Session.Config.ToolkitVersions[kit.Slug] + ", which is no longer there; " + kit.Version + " is used."
	}
	d.Works = d.Allowed && st.ready()
	return d, nil
}

// subject finds what was asked about and what the policy says of it.
func (d *Diagnosis) subject(v *View, what string) (kit *catalog.Toolkit, refused, err error) {
	if t, ok := v.Catalog.Tool(what); ok {
		d.Tool, d.Toolkit = t.Slug, t.Toolkit.Slug
		return t.Toolkit, v.Allows(t), nil
	}
	if kit, ok := v.Catalog.Toolkit(what); ok {
		d.Toolkit = kit.Slug
		return kit, v.AllowsToolkit(kit.Slug), nil
	}
	near := append(v.Catalog.NearestToolkits(what, 2), v.Catalog.NearestTools(what, 2)...)
	return nil, nil, fault.New(fault.NotFound, fault.SlugSessionToolNotFound, "There is no toolkit or tool %q%s", what, didYouMean(near))
}

func (d *Diagnosis) account(v *View, st standing) {
	c := v.Session.Config
	for _, choice := range st.All {
		one := AccountChoice{Account: choice.Account}
		if choice.Problem != nil {
			one.Problem = fault.From(choice.Problem).Message
		}
		d.Choices = append(d.Choices, one)
	}
	pins := c.ConnectedAccounts[st.toolkit.Slug]
	switch {
	case st.toolkit.NoAuth():
		d.Chosen = st.toolkit.Name + " needs no account."
	case st.Used == nil && st.mustChoose():
		d.Chosen = "Several accounts work and multi_account.require_explicit_selection is on: each call has to name one in account."
	case st.Used == nil:
		d.Chosen = st.problem()
		if d.Fix == "" {
			d.Fix = v.howToConnect(st.toolkit)
		}
	case len(pins) > 0:
		d.Account, d.Chosen = st.Used, fmt.Sprintf("connected_accounts.%s pins %s.", st.toolkit.Slug, strings.Join(pins, ", "))
	case c.AuthConfigs[st.toolkit.Slug] != "":
		d.Account, d.Chosen = st.Used, fmt.Sprintf("auth_configs.%s chooses %s; of the user's accounts there, the one connected last.", st.toolkit.Slug, c.AuthConfigs[st.toolkit.Slug])
	default:
		d.Account, d.Chosen = st.Used, "Nothing is pinned: of the user's own accounts, the one connected last."
	}
}

// why says which line of the configuration lets something in.
func (p *policy) why(toolkit, tool string) string {
	list, tags := p.rules(toolkit)
	switch {
	case tool != "" && list != nil && list.only:
		return list.line + " names it."
	case tool != "" && tags != nil && len(tags.enable)+len(tags.disable) > 0:
		return "Its tags fit: " + tags.says() + "."
	case p.toolkits != nil && p.toolkits.only:
		return p.toolkits.line + " names the toolkit."
	case p.toolkits != nil:
		return p.toolkits.line + " does not name the toolkit."
	default:
		return "The session has no filter that concerns it."
	}
}
