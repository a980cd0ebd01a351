package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-dev/patchbay/internal/app/config"
	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/outbound"
)

// Verdict says how a check went.
type Verdict string

// The verdicts. Only a Problem keeps the server, or a part of it, from working.
const (
	Fine    Verdict = "fine"
	Warning Verdict = "warning"
	Problem Verdict = "problem"
)

// Finding is what one check found.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Message string  `json:"message"`
	Fix     string  `json:"fix,omitempty"`
}

const (
	probeTimeout = 5 * time.Second
	maxSkew      = 30 * time.Second // OAuth servers and signatures tolerate about a minute
)

// Diagnose checks everything that the settings point at. It changes nothing that starting the server would not change, and
// makes no database where there is none. It contacts the database, the public URL and the URLs that the settings give for
// toolkits and models; nothing else.
func Diagnose(ctx context.Context, o Options) []Finding {
	d := &doctor{ctx: ctx, config: o.Config, shipped: New(o).shipped}
	d.settings()
	d.dataDirectory()
	opens := d.database()
	snapshot := d.toolkits()
	if opens && snapshot != nil {
		d.condition()
	}
	d.server()
	d.publicURL()
	d.outbound(snapshot)
	d.models()
	return d.findings
}

type doctor struct {
	ctx      context.Context // lives for one call of Diagnose
	config   config.Config
	shipped  fs.FS
	findings []Finding
}

func (d *doctor) say(check string, v Verdict, fix, format string, args ...any) {
	d.findings = append(d.findings, Finding{check, v, fmt.Sprintf(format, args...), fix})
}

// sayError reports an error with the fix it brings along.
func (d *doctor) sayError(check string, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		d.say(check, Problem, "", "%s", redactText(err.Error()))
		return
	}
	message := f.Message
	if len(f.Details) > 0 {
		message += "\n" + strings.Join(f.Details, "\n")
	}
	d.say(check, Problem, f.Fix, "%s", message)
}

func (d *doctor) settings() {
	file := "no settings file"
	if d.config.File != "" {
		file = d.config.File
	}
	given := 0
	for _, line := range d.config.Lines() {
		if line.From != "default" {
			given++
		}
	}
	d.say("settings", Fine, "", "%s; %d settings given, the rest are defaults", file, given)
	for _, warning := range d.config.Warnings {
		d.say("settings", Warning, "Correct or remove the variable.", "%s", warning)
	}
}

func (d *doctor) dataDirectory() {
	const check = "data directory"
	state, err := os.Stat(d.config.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.say(check, Fine, "", "%s is not there yet; the first start makes it", d.config.Data)
		return
	case err != nil:
		d.say(check, Problem, "Let the user that runs the server read and write it.", "%v", err)
		return
	case !state.IsDir():
		d.say(check, Problem, "Name a directory with --data or PATCHBAY_DATA.", "%s is not a directory", d.config.Data)
		return
	}
	probe, err := os.CreateTemp(d.config.Data, ".doctor-*")
	if err != nil {
		d.say(check, Problem, "Let the user that runs the server write to it.", "cannot write to %s: %v", d.config.Data, err)
		return
	}
	probe.Close()
	os.Remove(probe.Name())
	if state.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		d.say(check, Warning, "chmod 700 "+d.config.Data, "%s can be entered by other users (mode %04o)", d.config.Data, state.Mode().Perm())
		return
	}
	d.say(check, Fine, "", "%s can be written", d.config.Data)
}

// database reports whether there is one, and it opens.
func (d *doctor) database() bool {
	const check = "database"
	path := databaseOf(d.config)
	if d.config.Database.Reveal() == "sqlite" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			d.say(check, Fine, "", "%s is not there yet; the first start makes it and the first API key", path)
			return false
		}
	}
	keys, err := OpenKeys(d.ctx, d.config)
	if err != nil {
		d.sayError(check, err)
		return false
	}
	defer keys.Close()
	if d.config.Database.Reveal() == "sqlite" {
		d.say(check, Fine, "", "SQLite in %s", path)
	} else {
		d.say(check, Fine, "", "Postgres at %s", hostOf(d.config.Database.Reveal()))
	}
	d.masterKey()
	d.keys(keys)
	return true
}

func hostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "?"
	}
	return u.Host + u.Path
}

// masterKey is called once the database is open, which needs the right key.
func (d *doctor) masterKey() {
	const check = "master key"
	switch {
	case !d.config.MasterKey.Empty():
		d.say(check, Fine, "", "from the settings; it opens the database")
	case d.config.Database.Reveal() != "sqlite":
		d.say(check, Warning, "Give all nodes the same key by PATCHBAY_MASTER_KEY_FILE.",
			"in the data directory of this node, while the database is shared: other nodes cannot open it")
	default:
		d.say(check, Fine, "", "%s; it opens the database. Keep a copy elsewhere", filepath.Join(d.config.Data, "master.key"))
	}
}

func (d *doctor) keys(keys Keys) {
	const check = "API keys"
	list, err := keys.List(d.ctx)
	if err != nil {
		d.sayError(check, err)
		return
	}
	working := 0
	for _, key := range list {
		if key.RevokedAt.IsZero() {
			working++
		}
	}
	if working == 0 {
		d.say(check, Warning, "Make one with: patchbay key create", "none works; clients cannot use the server")
		return
	}
	d.say(check, Fine, "", "%d work, %d are revoked", working, len(list)-working)
}

func (d *doctor) toolkits() *catalog.Snapshot {
	const check = "toolkits"
	snapshot, err := loadCatalog(d.ctx, d.config, d.shipped)
	if err != nil {
		d.sayError(check, err)
		return nil
	}
	tools := 0
	for _, t := range snapshot.Toolkits() {
		tools += len(t.Tools)
	}
	managed := 0
	for slug, set := range d.config.Toolkits {
		if set.OAuth2.ClientID == "" {
			continue
		}
		managed++
		if t, ok := snapshot.Toolkit(slug); ok && !usesOAuth2(t) {
			d.say(check, Warning, "Remove toolkits."+slug+".oauth2 from the settings.", "%s has an OAuth client in the settings but does not sign in by OAuth", slug)
		}
	}
	d.say(check, Fine, "", "%d toolkits with %d tools; %d with an OAuth app of yours", len(snapshot.Toolkits()), tools, managed)
	return snapshot
}

func usesOAuth2(t *catalog.Toolkit) bool {
	return slices.ContainsFunc(t.Auth, func(s catalog.AuthScheme) bool { return s.Mode == "OAUTH2" })
}

// server looks whether one runs at the address of the settings.
func (d *doctor) server() {
	const check = "server"
	listener, err := listen(d.ctx, d.config.Listen, "--listen or PATCHBAY_LISTEN")
	if err == nil {
		listener.Close()
		d.say(check, Fine, "", "none runs at %s; the address is free", d.config.Listen)
		return
	}
	address := d.config.Listen
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	if status, _, probeErr := d.probe("http://" + address + "/readyz"); probeErr == nil && status == http.StatusOK {
		d.say(check, Fine, "", "one runs at %s and is ready", d.config.Listen)
		return
	}
	d.sayError(check, err)
}

// publicURL checks that the server can be reached by the name that it gives to others, and compares the clocks.
func (d *doctor) publicURL() {
	const check = "public URL"
	public := d.config.PublicURL
	if public == "" {
		d.say(check, Fine, "", "not set: URLs are built from each request's Host")
		return
	}
	if u, err := url.Parse(public); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		d.say(check, Warning, "Put a TLS proxy in front and set public_url to https://…",
			"%s has no TLS; newer official SDKs refuse it unless COMPOSIO_ALLOW_INSECURE_HTTP=1 is set", public)
	}
	status, date, err := d.probe(public + "/healthz")
	switch {
	case err != nil:
		d.say(check, Problem, "Start the server, and see that the name resolves and the proxy forwards to it.", "%s cannot be reached from here: %v", public, rootOf(err))
		return
	case status != http.StatusOK:
		d.say(check, Problem, "See that the proxy forwards all paths to the server.", "%s/healthz answers %d", public, status)
		return
	}
	d.say(check, Fine, "", "%s answers", public)
	if skew := time.Since(date).Abs(); !date.IsZero() && skew > maxSkew {
		d.say("clock", Problem, "Synchronise the clock (NTP): token expiry and signatures depend on it.",
			"this machine's clock is %s away from the one behind %s", skew.Round(time.Second), public)
	} else if !date.IsZero() {
		d.say("clock", Fine, "", "agrees with the one behind %s", public)
	}
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "::1"
}

// probe asks for a URL of our own server: unlike the toolkits' requests it may be private.
func (d *doctor) probe(target string) (status int, date time.Time, err error) {
	ctx, cancel := context.WithTimeout(d.ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0, time.Time{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, time.Time{}, err
	}
	defer resp.Body.Close()
	date, _ = http.ParseTime(resp.Header.Get("Date")) // the zero time when it says none
	return resp.StatusCode, date, nil
}

// outbound tries every URL that the settings give for a toolkit, through the guard that real calls go through.
func (d *doctor) outbound(snapshot *catalog.Snapshot) {
	const check = "outbound"
	client, err := outbound.New(outbound.Options{Allow: d.config.OutboundAllow})
	if err != nil {
		d.say(check, Problem, "Correct outbound.allow in the settings.", "%v", err)
		return
	}
	if snapshot == nil {
		return
	}
	for _, t := range snapshot.Toolkits() {
		set, ok := d.config.Toolkits[t.Slug]
		if !ok {
			continue
		}
		for _, target := range []string{set.BaseURL, set.OAuth2.TokenURL, set.OAuth2.RevokeURL} {
			if target != "" {
				d.reach(client, check, t.Slug, target)
			}
		}
	}
}

func (d *doctor) reach(client *outbound.Client, check, slug, target string) {
	ctx, cancel := context.WithTimeout(d.ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, target, nil)
	if err != nil {
		d.say(check, Problem, "Correct the URL in the settings.", "%s: %v", slug, err)
		return
	}
	resp, err := client.Do(req)
	var refused *fault.Error
	switch {
	case errors.As(err, &refused) && refused.Slug == fault.SlugDestinationRefused:
		d.say(check, Problem, fmt.Sprintf("If it is yours, add %q to outbound.allow.", req.URL.Host), "%s: %s is refused: %s", slug, target, refused.Message)
	case err != nil:
		d.say(check, Problem, "Check the URL in the settings, and the network.", "%s: %s cannot be reached: %v", slug, target, rootOf(err))
	default:
		resp.Body.Close()
		d.say(check, Fine, "", "%s: %s can be reached", slug, target)
	}
}
