package session

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// ToolkitQuery filters Toolkits.
type ToolkitQuery struct {
	Slugs     []string // exactly these, also those that the session does not allow
	Connected *bool    // only those with a working account, or only those without
	Search    string
	Limit     int // 0: 20; at most 50
	Cursor    string
}

// ToolkitState is a toolkit as the session's user stands to it.
type ToolkitState struct {
	Toolkit        *catalog.Toolkit
	Enabled        bool
	ManagedSchemes []string
	Account        *connect.ConnectedAccount // the one that would be used, else the one that was used last; nil when there is none
	AuthConfig     *connect.AuthConfig       // of Account; nil when there is none
	Problem        string                    // why a pinned account cannot be used, and how to mend it
}

const (
	fewToolkits  = 20
	mostToolkits = 50
)

// Toolkits lists the toolkits of a session with the account each would use: the most used first, or the best match first
// when something is searched for.
func (s *Service) Toolkits(ctx context.Context, c tenant.Caller, id string, q ToolkitQuery) ([]ToolkitState, connect.Page, error) {
	view, err := s.Open(ctx, c, id)
	if err != nil {
		return nil, connect.Page{}, err
	}
	kits := s.matchingToolkits(view, q)
	if q.Connected != nil {
		connected, err := s.connectedToolkits(ctx, c, view)
		if err != nil {
			return nil, connect.Page{}, err
		}
		kits = slices.DeleteFunc(kits, func(t *catalog.Toolkit) bool { return connected[t.Slug] != *q.Connected })
	}
	page := connect.Page{Total: len(kits)}
	if kits, page.Next, err = pageOf(kits, q); err != nil {
		return nil, connect.Page{}, err
	}
	states, err := s.toolkitStates(ctx, c, view, kits)
	return states, page, err
}

func (s *Service) matchingToolkits(v *View, q ToolkitQuery) []*catalog.Toolkit {
	kits := v.Catalog.Toolkits()
	if strings.TrimSpace(q.Search) != "" {
		kits = s.index(v.Catalog).Toolkits(q.Search)
	}
	named := make(map[string]bool, len(q.Slugs))
	for _, slug := range q.Slugs {
		named[currentToolkit(v.Catalog, slug)] = true
	}
	var out []*catalog.Toolkit
	for _, t := range kits {
		if len(named) == 0 && v.policy.allowsToolkit(t.Slug) || named[t.Slug] {
			out = append(out, t)
		}
	}
	return out
}

// pageOf cuts a page out of a list. The cursor names the last toolkit of the page before, so that a catalog that changes
// in between neither repeats nor skips the others.
func pageOf(kits []*catalog.Toolkit, q ToolkitQuery) (_ []*catalog.Toolkit, next string, _ error) {
	limit := fewToolkits
	if q.Limit > 0 {
		limit = min(q.Limit, mostToolkits)
	}
	if q.Cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		if err != nil {
			return nil, "", fault.New(fault.Invalid, fault.SlugInvalid, "cursor: %q did not come from this list.", q.Cursor).WithFix("Pass next_cursor of the page before, or leave it out.")
		}
		at := slices.IndexFunc(kits, func(t *catalog.Toolkit) bool { return t.Slug == string(last) })
		kits = kits[at+1:]
	}
	if len(kits) <= limit {
		return kits, "", nil
	}
	return kits[:limit], base64.RawURLEncoding.EncodeToString([]byte(kits[limit-1].Slug)), nil
}

func (s *Service) toolkitStates(ctx context.Context, c tenant.Caller, v *View, kits []*catalog.Toolkit) ([]ToolkitState, error) {
	states := make([]ToolkitState, len(kits))
	for i, kit := range kits {
		st, err := s.standing(ctx, c, v, kit)
		if err != nil {
			return nil, err
		}
		states[i] = ToolkitState{
			Toolkit: kit, Enabled: v.policy.allowsToolkit(kit.Slug), ManagedSchemes: s.accounts.ManagedSchemes(kit.Slug), Account: st.shown(),
		}
		if len(v.Session.Config.ConnectedAccounts[kit.Slug]) > 0 && !st.ready() {
			states[i].Problem = st.problem() + " " + v.howToConnect(kit)
		}
	}
	return states, s.addAuthConfigs(ctx, c, states)
}

// addAuthConfigs reads the auth configs of all accounts at once.
func (s *Service) addAuthConfigs(ctx context.Context, c tenant.Caller, states []ToolkitState) error {
	var kits []string
	for _, state := range states {
		if state.Account != nil && state.Account.AuthConfigID != "" {
			kits = append(kits, state.Toolkit.Slug)
		}
	}
	if len(kits) == 0 {
		return nil
	}
	configs, _, err := s.accounts.ListAuthConfigs(ctx, project(c), connect.AuthConfigFilter{Toolkits: kits, ShowDisabled: true})
	if err != nil {
		return err
	}
	for i := range states {
		for j := range configs {
			if a := states[i].Account; a != nil && a.AuthConfigID == configs[j].ID {
				states[i].AuthConfig = &configs[j]
			}
		}
	}
	return nil
}

// shown gives the account to show for a toolkit: the one in use, else the newest that works, else the one that changed
// last.
func (st standing) shown() *connect.ConnectedAccount {
	if st.Used != nil {
		return st.Used
	}
	if usable := st.usable(); len(usable) > 0 {
		return &usable[0]
	}
	if last, ok := st.last(); ok {
		return &last
	}
	return nil
}
