package session

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/id"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Codes of warnings. The first is the API's own.
const (
	warnHighContext     = "PRELOAD_TOOLS_HIGH_CONTEXT_USAGE"
	warnPreloadCut      = "PRELOAD_TOOLS_CAPPED"
	warnPreloadAccount  = "PRELOAD_WITH_ACCOUNT_SELECTION"
	warnNoEffect        = "FILTER_WITHOUT_EFFECT"
	warnAccountUnusable = "CONNECTED_ACCOUNT_UNUSABLE"
	warnConfigUnusable  = "AUTH_CONFIG_UNUSABLE"
	warnNoSandbox       = "SANDBOX_NOT_AVAILABLE"
	warnNotEnforced     = "PERMISSIONS_NOT_ENFORCED"
	warnIgnored         = "UNKNOWN_KEYS_IGNORED"
)

// fewPreloads is how many listed tools a model takes without harm.
const fewPreloads = 20

// configCheck makes a configuration canonical (current slugs, no doubles) and collects everything that is wrong with it,
// so that all can be mended at once.
type configCheck struct {
	ctx      context.Context
	service  *Service
	caller   tenant.Caller
	catalog  *catalog.Snapshot
	userID   string
	config   Config
	kept     map[string][]string // pins that were there before: what has died since is no reason to refuse an update
	faults   []string
	pins     int // how many of the faults are about pinned accounts
	warnings []Warning
}

func (s *Service) newCheck(ctx context.Context, c tenant.Caller, userID string, config Config) *configCheck {
	return &configCheck{ctx: ctx, service: s, caller: project(c), catalog: s.catalog.Snapshot(c.ProjectID), userID: userID, config: config}
}

// finish checks the configuration itself and gives it back, or one fault that lists all that is wrong. An error of another
// kind means that the check could not be made.
func (c *configCheck) finish() (Config, []Warning, error) {
	c.toolkits()
	c.tools()
	c.tags("tags", c.config.Tags)
	c.toolkitVersions()
	c.multiAccount()
	c.links()
	c.timezone()
	c.workbench()
	c.permissions()
	if err := c.authConfigs(); err != nil {
		return Config{}, nil, err
	}
	if err := c.connectedAccounts(); err != nil {
		return Config{}, nil, err
	}
	c.preload()
	if len(c.faults) > 0 {
		return Config{}, nil, configFault(c.faults, c.pins)
	}
	return c.config, c.warnings, nil
}

// configFault puts all faults into one answer. When nothing but pinned accounts is wrong it says so by its code.
func configFault(faults []string, pins int) *fault.Error {
	slug, code := fault.SlugSessionInvalid, fault.CodeSessionInvalid
	if pins == len(faults) {
		slug, code = fault.SlugInvalidAccountIDs, fault.CodeInvalidAccountIDs
	}
	message := "The session's configuration is not valid: " + faults[0]
	if n := len(faults) - 1; n > 0 {
		message += fmt.Sprintf(" (and %d more, see errors)", n)
	}
	return fault.New(fault.Invalid, slug, "%s", message).WithCode(code).WithDetails(faults...).
		WithFix("Nothing was stored. Mend what errors lists and send the request again.")
}

func (c *configCheck) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *configCheck) pinFault(format string, args ...any) {
	c.pins++
	c.fault(format, args...)
}

func (c *configCheck) warn(code, format string, args ...any) {
	c.warnings = append(c.warnings, Warning{Code: code, Message: fmt.Sprintf(format, args...)})
}

func (c *configCheck) user() {
	if strings.TrimSpace(c.userID) == "" {
		c.fault("user_id: it is missing or empty; send the id by which your application knows the user")
	}
}

func (c *configCheck) ttl(seconds int) {
	if seconds < 0 || seconds > maxTTL {
		c.fault("ttl: %d is not between 1 second and 10 years; leave it out for a session that does not end", seconds)
	}
}

func (c *configCheck) sandbox(wanted bool) {
	if wanted {
		c.warn(warnNoSandbox, "This server has no sandbox: the session is made without COMPOSIO_REMOTE_WORKBENCH and COMPOSIO_REMOTE_BASH_TOOL.")
	}
}

func (c *configCheck) ignored(keys []string) {
	if len(keys) > 0 {
		c.warn(warnIgnored, "These members of the request are not known here and were ignored: %s.", strings.Join(keys, ", "))
	}
}

func (c *configCheck) custom(custom CustomTools) CustomTools {
	final, faults := finalCustomTools(c.catalog, custom)
	c.faults = append(c.faults, faults...)
	return final
}

func (c *configCheck) toolkits() {
	f := c.config.Toolkits
	if f == nil {
		return
	}
	enabling := f.Only || len(f.Enable) > 0
	if enabling && len(f.Disable) > 0 {
		c.fault("toolkits: give either enable or disable, not both")
	}
	c.config.Toolkits = &ToolkitFilter{
		Enable:  c.toolkitSlugs("toolkits.enable", f.Enable),
		Disable: c.toolkitSlugs("toolkits.disable", f.Disable),
		Only:    enabling,
	}
}

func (c *configCheck) toolkitSlugs(line string, slugs []string) []string {
	var out []string
	for _, slug := range slugs {
		if isMetaToolkit(slug) { // the meta tools have their own switches
			continue
		}
		if t, ok := c.toolkit(line, slug); ok && !slices.Contains(out, t.Slug) {
			out = append(out, t.Slug)
		}
	}
	return out
}

func (c *configCheck) toolkit(line, slug string) (*catalog.Toolkit, bool) {
	t, ok := c.catalog.Toolkit(slug)
	if !ok {
		c.fault("%s: there is no toolkit %q%s", line, slug, didYouMean(c.catalog.NearestToolkits(slug, 3)))
	}
	return t, ok
}

// isMetaToolkit reports whether a slug is that of the toolkit under which the API files the meta tools.
func isMetaToolkit(slug string) bool { return strings.EqualFold(slug, "composio") }

func didYouMean(nearest []string) string {
	if len(nearest) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(nearest, ", ") + "?"
}

func (c *configCheck) tools() {
	if c.config.Tools == nil {
		return
	}
	out := make(map[string]ToolFilter, len(c.config.Tools))
	var idle []string
	for _, slug := range slices.Sorted(maps.Keys(c.config.Tools)) {
		t, ok := c.toolkit("tools", slug)
		if !ok {
			continue
		}
		if _, twice := out[t.Slug]; twice {
			c.fault("tools: %q names toolkit %s a second time", slug, t.Slug)
		}
		out[t.Slug] = c.toolFilter(t, c.config.Tools[slug])
		if !c.names(t.Slug) {
			idle = append(idle, t.Slug)
		}
	}
	c.config.Tools = out
	if len(idle) > 0 {
		c.warn(warnNoEffect, "tools says something about %s, which toolkits leaves out.", strings.Join(idle, ", "))
	}
}

// names reports whether the toolkits filter, already made canonical, lets a toolkit in.
func (c *configCheck) names(slug string) bool {
	f := c.config.Toolkits
	switch {
	case f == nil:
		return true
	case f.Only:
		return slices.Contains(f.Enable, slug)
	default:
		return !slices.Contains(f.Disable, slug)
	}
}

func (c *configCheck) toolFilter(t *catalog.Toolkit, f ToolFilter) ToolFilter {
	line := "tools." + t.Slug
	enabling := f.Only || len(f.Enable) > 0
	forms := 0
	for _, used := range []bool{enabling, len(f.Disable) > 0, f.Tags != nil} {
		if used {
			forms++
		}
	}
	if forms > 1 {
		c.fault("%s: give one of enable, disable and tags, not several", line)
	}
	c.tags(line+".tags", f.Tags)
	return ToolFilter{
		Enable:  c.toolSlugs(line+".enable", t, f.Enable),
		Disable: c.toolSlugs(line+".disable", t, f.Disable),
		Only:    enabling,
		Tags:    f.Tags,
	}
}

func (c *configCheck) toolSlugs(line string, toolkit *catalog.Toolkit, slugs []string) []string {
	var out []string
	for _, slug := range slugs {
		t, ok := c.tool(line, slug)
		switch {
		case !ok:
		case t.Toolkit.Slug != toolkit.Slug:
			c.fault("%s: %s is a tool of %s; put it under tools.%s", line, t.Slug, t.Toolkit.Slug, t.Toolkit.Slug)
		case !slices.Contains(out, t.Slug):
			out = append(out, t.Slug)
		}
	}
	return out
}

func (c *configCheck) tool(line, slug string) (*catalog.Tool, bool) {
	t, ok := c.catalog.Tool(slug)
	if !ok {
		c.fault("%s: there is no tool %q%s", line, slug, didYouMean(c.catalog.NearestTools(slug, 3)))
	}
	return t, ok
}

var knownTags = []string{
	catalog.TagRead, catalog.TagCreate, catalog.TagUpdate, catalog.TagDestructive,
	catalog.TagIdempotent, catalog.TagOpenWorld, catalog.TagImportant,
}

func (c *configCheck) tags(line string, f *TagFilter) {
	if f == nil {
		return
	}
	for _, tag := range slices.Concat(f.Enable, f.Disable) {
		if !slices.Contains(knownTags, tag) {
			c.fault("%s: there is no tag %q; the tags are %s", line, tag, strings.Join(knownTags, ", "))
		}
	}
}

func (c *configCheck) toolkitVersions() {
	if c.config.ToolkitVersions == nil {
		return
	}
	out := make(map[string]string, len(c.config.ToolkitVersions))
	for _, slug := range slices.Sorted(maps.Keys(c.config.ToolkitVersions)) {
		t, ok := c.toolkit("toolkit_versions", slug)
		if !ok {
			continue
		}
		version := c.config.ToolkitVersions[slug]
		if version != "latest" && version != t.Version && !slices.Contains(t.Versions, version) {
			c.fault("toolkit_versions.%s: there is no version %q; use \"latest\" or one of %s", t.Slug, version, some(t.Versions))
		}
		out[t.Slug] = version
	}
	c.config.ToolkitVersions = out
}

func (c *configCheck) multiAccount() {
	m := c.config.MultiAccount
	if !m.Enable && (m.Max != 0 || m.RequireExplicit) {
		c.fault("multi_account: enable is false, but other members are set; set enable to true or leave them out")
	}
	if m.Max != 0 && (m.Max < 2 || m.Max > 10) {
		c.fault("multi_account.max_accounts_per_toolkit: %d is not between 2 and 10", m.Max)
	}
}

func (c *configCheck) links() {
	if text := c.config.ManageConnections.CallbackURL; text != "" {
		if _, ok := webAddress(text); !ok {
			c.fault("manage_connections.callback_url: %q is not a whole http or https URL", text)
		}
	}
	if text := c.config.LinkURLOverwrite; text != "" {
		if u, ok := webAddress(text); !ok || u.RawQuery != "" || u.Fragment != "" {
			c.fault("experimental.link_url_overwrite: %q is not a plain http or https URL; links become this URL with /link/{token} behind it", text)
		}
	}
}

// webAddress reports whether a text is a whole http or https URL, the only kind that a browser is sent to.
func webAddress(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, false
	}
	return u, true
}

func (c *configCheck) timezone() {
	zone := c.config.Timezone
	if zone == "" {
		return
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		c.fault("experimental.assistive_prompt_config.user_timezone: %q is not an IANA time zone such as \"Europe/Paris\"", zone)
	}
}

var sandboxSizes = []string{"standard", "medium", "large", "xlarge"}

func (c *configCheck) workbench() {
	w := c.config.Workbench
	if w.Size != "" && !slices.Contains(sandboxSizes, w.Size) {
		c.fault("workbench.sandbox_size: %q is not one of %s", w.Size, strings.Join(sandboxSizes, ", "))
	}
	if w.OffloadThreshold < 0 {
		c.fault("workbench.auto_offload_threshold: %d is not a positive number of characters", w.OffloadThreshold)
	}
}

func (c *configCheck) permissions() {
	if len(c.config.Permissions) == 0 {
		return
	}
	var p struct {
		Default   string
		Overrides map[string]string
	}
	if err := json.Unmarshal(c.config.Permissions, &p); err != nil {
		c.fault("experimental.permissions: it must be an object with default and overrides")
		return
	}
	if p.Default != "allow_all" || len(p.Overrides) > 0 {
		c.warn(warnNotEnforced, "experimental.permissions is kept, but this server does not ask for approval before a call. Use toolkits, tools and tags to forbid what must not run.")
	}
}

func (c *configCheck) authConfigs() error {
	if c.config.AuthConfigs == nil {
		return nil
	}
	out := make(map[string]string, len(c.config.AuthConfigs))
	for _, slug := range slices.Sorted(maps.Keys(c.config.AuthConfigs)) {
		t, ok := c.toolkit("auth_configs", slug)
		if !ok {
			continue
		}
		authConfigID := c.config.AuthConfigs[slug]
		if err := c.authConfig("auth_configs."+t.Slug, t.Slug, authConfigID); err != nil {
			return err
		}
		out[t.Slug] = authConfigID
	}
	c.config.AuthConfigs = out
	return nil
}

func (c *configCheck) authConfig(line, toolkit, authConfigID string) error {
	if !id.Has(id.AuthConfig, authConfigID) {
		c.fault("%s: %q is not the id of an auth config (ac_…)", line, authConfigID)
		return nil
	}
	a, err := c.service.accounts.AuthConfig(c.ctx, c.caller, authConfigID)
	switch {
	case fault.Is(err, fault.NotFound):
		c.fault("%s: this project has no auth config %s", line, authConfigID)
	case err != nil:
		return err
	case a.Toolkit != toolkit:
		c.fault("%s: %s is an auth config of %s", line, authConfigID, a.Toolkit)
	case !a.Enabled:
		c.warn(warnConfigUnusable, "%s: %s is disabled, so %s cannot be used until it is enabled.", line, authConfigID, toolkit)
	case !a.EnabledForSessions:
		c.warn(warnConfigUnusable, "%s: %s is not enabled for sessions (is_enabled_for_tool_router), so %s cannot be used until it is.", line, authConfigID, toolkit)
	}
	return nil
}

func (c *configCheck) connectedAccounts() error {
	if c.config.ConnectedAccounts == nil {
		return nil
	}
	found, err := c.pinnedAccounts()
	if err != nil {
		return err
	}
	out := make(map[string][]string, len(c.config.ConnectedAccounts))
	for _, slug := range slices.Sorted(maps.Keys(c.config.ConnectedAccounts)) {
		t, ok := c.toolkit("connected_accounts", slug)
		if !ok {
			continue
		}
		pins := slices.Clone(c.config.ConnectedAccounts[slug])
		slices.Sort(pins)
		if len(slices.Compact(pins)) != len(c.config.ConnectedAccounts[slug]) {
			c.pinFault("connected_accounts.%s: an account is named twice", t.Slug)
		}
		if err := c.pinsOf(t.Slug, c.config.ConnectedAccounts[slug], found); err != nil {
			return err
		}
		out[t.Slug] = c.config.ConnectedAccounts[slug]
	}
	c.config.ConnectedAccounts = out
	return nil
}

// pinnedAccounts reads all pinned accounts at once.
func (c *configCheck) pinnedAccounts() (map[string]connect.ConnectedAccount, error) {
	var ids []string
	for _, pins := range c.config.ConnectedAccounts {
		for _, pin := range pins {
			if id.Has(id.ConnectedAccount, pin) {
				ids = append(ids, pin)
			}
		}
	}
	found := make(map[string]connect.ConnectedAccount, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	accounts, _, err := c.service.accounts.ListAccounts(c.ctx, c.caller, connect.AccountFilter{IDs: ids, Limit: len(ids)})
	for _, a := range accounts {
		found[a.ID] = a
	}
	return found, err
}

func (c *configCheck) pinsOf(toolkit string, pins []string, found map[string]connect.ConnectedAccount) error {
	line := "connected_accounts." + toolkit
	limit := 1
	if c.config.MultiAccount.Enable {
		limit = c.config.MultiAccount.limit()
	}
	switch {
	case len(pins) == 0:
		c.pinFault("%s: the list is empty; leave the toolkit out to pin nothing", line)
	case len(pins) > 1 && limit == 1:
		c.pinFault("%s: %d accounts are pinned, but multi_account is off; pin one, or set multi_account.enable", line, len(pins))
	case len(pins) > limit:
		c.pinFault("%s: %d accounts are pinned, more than multi_account.max_accounts_per_toolkit (%d)", line, len(pins), limit)
	}
	shared := 0
	for _, pin := range pins {
		a, ok := found[pin]
		if !ok {
			if err := c.missingPin(line, toolkit, pin); err != nil {
				return err
			}
			continue
		}
		if a.Type == connect.Shared {
			shared++
		}
		c.pin(line, toolkit, a)
	}
	if shared > 1 {
		c.pinFault("%s: %d SHARED accounts are pinned; a session takes one for each toolkit", line, shared)
	}
	return nil
}

// missingPin tells an account that is gone, which only costs the session that toolkit, from an id that never was this
// project's, which is a mistake or worse.
func (c *configCheck) missingPin(line, toolkit, pin string) error {
	if !id.Has(id.ConnectedAccount, pin) {
		c.pinFault("%s: %q is not the id of a connected account (ca_…)", line, pin)
		return nil
	}
	gone := slices.Contains(c.kept[toolkit], pin)
	if !gone {
		var err error
		if gone, err = c.service.accounts.WasDeleted(c.ctx, c.caller, pin); err != nil {
			return err
		}
	}
	if !gone {
		c.pinFault("%s: this project has no connected account %s", line, pin)
		return nil
	}
	c.warn(warnAccountUnusable, "%s: account %s was deleted, so %s cannot be used in this session. Take the pin out, or pin another account.", line, pin, toolkit)
	return nil
}

func (c *configCheck) pin(line, toolkit string, a connect.ConnectedAccount) {
	switch {
	case a.Toolkit != toolkit:
		c.pinFault("%s: %s is an account of %s", line, a.ID, a.Toolkit)
	case a.UserID != c.userID && a.Type != connect.Shared:
		c.pinFault("%s: %s is another user's account; only SHARED accounts can be pinned for other users", line, a.ID)
	case a.UserID != c.userID && !a.ACL.Lets(c.userID, a.UserID):
		c.pinFault("%s: %s is shared, but its ACL does not let user %q use it", line, a.ID, c.userID)
	case a.Status != connect.Active:
		c.warn(warnAccountUnusable, "%s: account %s is %s%s, so %s cannot be used in this session until it is connected again.",
			line, a.ID, a.Status, because(a.StatusReason), toolkit)
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + strings.TrimSuffix(reason, ".") + ")"
}

// preload is checked last: it asks what the rest of the configuration allows.
func (c *configCheck) preload() {
	p := compilePolicy("", c.config, c.catalog)
	if c.config.Preload.All {
		c.preloadAll(p)
		return
	}
	var out []string
	for _, slug := range c.config.Preload.Tools {
		if IsMetaTool(slug) { // shown or not by their own switches
			continue
		}
		t, ok := c.tool("preload.tools", slug)
		if !ok {
			continue
		}
		if err := p.refuse(t); err != nil {
			c.fault("preload.tools: %s", fault.From(err).Message)
		}
		if !slices.Contains(out, t.Slug) {
			out = append(out, t.Slug)
		}
	}
	c.config.Preload.Tools = out
	c.preloadSize(len(out))
}

func (c *configCheck) preloadAll(p *policy) {
	c.config.Preload.Tools = nil
	if !p.positive() {
		c.fault("preload.tools: \"all\" needs a filter that says what is wanted: toolkits.enable, tools with enable, or tags with enable")
		return
	}
	tools, total := p.asked()
	if total > len(tools) {
		c.warn(warnPreloadCut, "preload.tools \"all\" covers %d tools; the first %d are listed and the rest can be found by search. Narrow toolkits, tools or tags.", total, len(tools))
	}
	c.preloadSize(len(tools))
}

func (c *configCheck) preloadSize(n int) {
	if n > fewPreloads {
		c.warn(warnHighContext, "%d tools are preloaded; their schemas take room in the model's context at every turn. About %d are advisable.", n, fewPreloads)
	}
	if n > 0 && c.config.MultiAccount.Enable && c.config.MultiAccount.RequireExplicit {
		c.warn(warnPreloadAccount, "Preloaded tools cannot name an account when a model calls them directly; with several accounts of a toolkit they must go through COMPOSIO_MULTI_EXECUTE_TOOL.")
	}
}
