package session

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
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

// maxUserID is as long as the user id of a connected account may be.
const maxUserID = 256

// fewPreloads is how many listed tools a model takes without harm.
const fewPreloads = 20

// configCheck makes a configuration canonical (current slugs, no doubles) and collects everything that is wrong with it,
// so that all can be mended at once.
type configCheck struct {
	service  *Service
	caller   tenant.Caller
	catalog  *catalog.Snapshot
	userID   string
	config   Config
	callback string              // the callback URL that was there before: origins may have been narrowed since
	kept     map[string][]string // pins that were there before: what has died since is no reason to refuse an update
	faults   []string
	pins     int // how many of the faults are about pinned accounts
	warnings []Warning
}

func (s *Service) newCheck(c tenant.Caller, userID string, config Config) *configCheck {
	pinned, _ := s.catalog.Pinned(c.ProjectID, config.ToolkitVersions) // what the rest names has to be there in these versions
	return &configCheck{service: s, caller: project(c), catalog: pinned, userID: userID, config: config}
}

// finish checks the configuration itself and gives it back, or one fault that lists all that is wrong. An error of another
// kind means that the check could not be made.
func (c *configCheck) finish(ctx context.Context) (Config, []Warning, error) {
	c.toolkits()
	c.tools()
	c.tags("tags", c.config.Tags)
	c.toolkitVersions()
	c.multiAccount()
	if err := c.links(ctx); err != nil {
		return Config{}, nil, err
	}
	c.timezone()
	c.workbench()
	c.permissions()
	if err := c.authConfigs(ctx); err != nil {
		return Config{}, nil, err
	}
	if err := c.connectedAccounts(ctx); err != nil {
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
	switch n := utf8.RuneCountInString(c.userID); {
	case strings.TrimSpace(c.userID) == "":
		c.fault("user_id: it is missing or empty; send the id by which your application knows the user")
	case !utf8.ValidString(c.userID) || strings.ContainsRune(c.userID, 0):
		c.fault("user_id: it is not text")
	case n > maxUserID:
		c.fault("user_id: it has %d characters; at most %d are allowed", n, maxUserID)
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

func (c *configCheck) multiAccount() {
	m := c.config.MultiAccount
	if !m.Enable && (m.Max != 0 || m.RequireExplicit) {
		c.fault("multi_account: enable is false, but other members are set; set enable to true or leave them out")
	}
	if m.Max != 0 && (m.Max < 2 || m.Max > 10) {
		c.fault("multi_account.max_accounts_per_toolkit: %d is not between 2 and 10", m.Max)
	}
}

func (c *configCheck) links(ctx context.Context) error {
	if text := c.config.ManageConnections.CallbackURL; text != "" && text != c.callback {
		err := c.service.accounts.CheckCallback(ctx, c.caller, text)
		switch _, ok := webAddress(text); {
		case !ok:
			c.fault("manage_connections.callback_url: %q is not a whole http or https URL", text)
		case fault.Is(err, fault.Invalid):
			c.fault("manage_connections.callback_url: %s", fault.From(err).Message)
		case err != nil:
			return err
		}
	}
	if text := c.config.LinkURLOverwrite; text != "" {
		if u, ok := webAddress(text); !ok || u.RawQuery != "" || u.Fragment != "" {
			c.fault("experimental.link_url_overwrite: %q is not a plain http or https URL; links become this URL with /link/{token} behind it", text)
		}
	}
	return nil
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
