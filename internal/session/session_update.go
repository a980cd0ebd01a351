package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Optional tells an absent member from null and from a value (PATCH).
type Optional[T any] struct {
	Set, Null bool
	Value     T
}

// Patch changes a session (contract section 6.3): absent keeps, null clears, maps replace whole, blocks merge field by field.
type Patch struct {
	ExpectedVersion   int // 0: whatever it is
	Toolkits          Optional[*ToolkitFilter]
	Tools             Optional[map[string]ToolFilter]
	Tags              Optional[*TagFilter]
	AuthConfigs       Optional[map[string]string]
	ConnectedAccounts Optional[map[string][]string]
	ToolkitVersions   Optional[map[string]string]
	ManageConnections Optional[ManageConnectionsPatch]
	Workbench         Optional[WorkbenchPatch]
	MultiAccount      Optional[MultiAccountPatch]
	Preload           Optional[Preload]
	Search            Optional[bool]
	MultiExecute      Optional[bool]
	Timezone          Optional[string]
	LinkURLOverwrite  Optional[string]
	Permissions       Optional[json.RawMessage]
	Experimental      Optional[struct{}] // only its Null is looked at: clears timezone, overwrite and permissions
	TTL               Optional[int]      // seconds from now; null: never ends
	KnownNoise        []string           // keys of the request that were ignored, for the warnings
}

// The field-by-field patches of the merged blocks; nil keeps.
type (
	ManageConnectionsPatch struct {
		Enable, Wait, AllowRemoval, OnCall *bool
		CallbackURL                        Optional[string]
	}
	WorkbenchPatch struct {
		Enable, ProxyExecution *bool
		OffloadThreshold       *int
		Size                   *string
	}
	MultiAccountPatch struct {
		Enable, RequireExplicit *bool
		Max                     *int
	}
)

// errMoved says that somebody else wrote the session between the check and the write.
var errMoved = errors.New("session was changed meanwhile")

// Update changes a session and gives its new view. What is sent is checked against the stored session outside the
// transaction and written only if that is still the one stored; somebody else's change in between means another round.
func (s *Service) Update(ctx context.Context, c tenant.Caller, id string, p Patch) (*View, []Warning, error) {
	if err := wholeProject(c); err != nil {
		return nil, nil, err
	}
	const rounds = 5
	for range rounds {
		view, warnings, err := s.update(ctx, c, id, p)
		if !errors.Is(err, errMoved) {
			return view, warnings, err
		}
	}
	return nil, nil, conflict("Session %s is being changed by others all the time; nothing was written.", id).
		WithFix("Send the request again.")
}

func (s *Service) update(ctx context.Context, c tenant.Caller, id string, p Patch) (*View, []Warning, error) {
	stored, err := s.store.Session(ctx, c.ProjectID, id)
	if err != nil {
		return nil, nil, sessionFault(err, id)
	}
	if s.over(stored) {
		return nil, nil, notFound(id)
	}
	if p.ExpectedVersion != 0 && p.ExpectedVersion != stored.Version {
		return nil, nil, conflict("Session %s is at config version %d, not %d; nothing was written.", id, stored.Version, p.ExpectedVersion).
			WithFix("Read the session again, apply your change to what it says now, and send its config_version.")
	}

	check := s.newCheck(c, stored.UserID, p.Apply(stored.Config))
	check.kept = stored.Config.ConnectedAccounts
	check.callback = stored.Config.ManageConnections.CallbackURL
	if p.TTL.Set && !p.TTL.Null {
		check.ttl(p.TTL.Value)
	}
	check.sandbox(p.wantsSandbox())
	check.ignored(p.KnownNoise)
	config, warnings, err := check.finish(ctx)
	if err != nil {
		return nil, nil, noRetry(err)
	}

	changed, err := s.store.UpdateSession(ctx, c.ProjectID, id, func(now *Session) error {
		if now.Version != stored.Version {
			return errMoved
		}
		now.Config = config
		now.UpdatedAt = s.now().UTC()
		p.applyTTL(now, now.UpdatedAt)
		return nil
	})
	if err != nil {
		return nil, nil, sessionFault(err, id)
	}
	// Not remembered: somebody else's later change may have been heard of already. The next call reads what is stored.
	s.sessions.Drop(id)
	return s.makeView(changed), warnings, nil
}

func conflict(format string, args ...any) *fault.Error {
	f := fault.New(fault.Conflict, fault.SlugSessionConflict, format, args...)
	f.NoRetry = true
	return f
}

// Apply gives the configuration that a patch asks for. The one it begins from is not touched.
func (p Patch) Apply(c Config) Config {
	fresh := DefaultConfig()
	if p.Experimental.Set && p.Experimental.Null {
		c.Timezone, c.LinkURLOverwrite, c.Permissions = "", "", nil
	}
	replace(p.Toolkits, &c.Toolkits)
	replace(p.Tools, &c.Tools)
	replace(p.Tags, &c.Tags)
	replace(p.AuthConfigs, &c.AuthConfigs)
	replace(p.ConnectedAccounts, &c.ConnectedAccounts)
	replace(p.ToolkitVersions, &c.ToolkitVersions)
	replace(p.Preload, &c.Preload)
	replace(p.Timezone, &c.Timezone)
	replace(p.LinkURLOverwrite, &c.LinkURLOverwrite)
	replace(p.Permissions, &c.Permissions)
	replaceOr(p.Search, &c.Search, fresh.Search)
	replaceOr(p.MultiExecute, &c.MultiExecute, fresh.MultiExecute)
	c.ManageConnections = merge(p.ManageConnections, c.ManageConnections, fresh.ManageConnections, ManageConnectionsPatch.apply)
	c.Workbench = merge(p.Workbench, c.Workbench, fresh.Workbench, WorkbenchPatch.apply)
	c.MultiAccount = merge(p.MultiAccount, c.MultiAccount, fresh.MultiAccount, MultiAccountPatch.apply)
	return c
}

// replace sets a member to what was sent, or to nothing for null.
func replace[T any](sent Optional[T], member *T) {
	var nothing T
	replaceOr(sent, member, nothing)
}

func replaceOr[T any](sent Optional[T], member *T, null T) {
	switch {
	case sent.Set && sent.Null:
		*member = null
	case sent.Set:
		*member = sent.Value
	}
}

// merge changes the members of a block that were sent, or puts the block back to its beginning for null.
func merge[P, T any](sent Optional[P], block, fresh T, apply func(P, T) T) T {
	switch {
	case !sent.Set:
		return block
	case sent.Null:
		return fresh
	default:
		return apply(sent.Value, block)
	}
}

func (p ManageConnectionsPatch) apply(m ManageConnections) ManageConnections {
	set(p.Enable, &m.Enable)
	set(p.Wait, &m.Wait)
	set(p.AllowRemoval, &m.AllowRemoval)
	set(p.OnCall, &m.OnCall)
	replace(p.CallbackURL, &m.CallbackURL)
	return m
}

func (p WorkbenchPatch) apply(w Workbench) Workbench {
	set(p.Enable, &w.Enable)
	set(p.ProxyExecution, &w.ProxyExecution)
	set(p.OffloadThreshold, &w.OffloadThreshold)
	set(p.Size, &w.Size)
	return w
}

// apply switches the block off as a whole: what else was stored in it goes, what else was sent with it is left for the
// check to find fault with.
func (p MultiAccountPatch) apply(m MultiAccount) MultiAccount {
	if p.Enable != nil && !*p.Enable {
		m = MultiAccount{}
	}
	set(p.Enable, &m.Enable)
	set(p.RequireExplicit, &m.RequireExplicit)
	set(p.Max, &m.Max)
	return m
}

func set[T any](sent *T, member *T) {
	if sent != nil {
		*member = *sent
	}
}

func (p Patch) applyTTL(s *Session, now time.Time) {
	switch {
	case !p.TTL.Set:
	case p.TTL.Null:
		s.ExpiresAt = time.Time{}
	default:
		s.ExpiresAt = endOf(now, p.TTL.Value)
	}
}

func (p Patch) wantsSandbox() bool {
	w := p.Workbench
	return w.Set && !w.Null && w.Value.Enable != nil && *w.Value.Enable
}
