package connect_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/patchbay-dev/patchbay/internal/catalog"
	"github.com/patchbay-dev/patchbay/internal/connect"
	"github.com/patchbay-dev/patchbay/internal/connect/connecttest"
	"github.com/patchbay-dev/patchbay/internal/fault"
	"github.com/patchbay-dev/patchbay/internal/notify"
	"github.com/patchbay-dev/patchbay/internal/outbound"
	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/store/storetest"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

var (
	ann = connecttest.Person{ID: "p1", Name: "Ann Lee", Email: "ann@example.com"}
	bob = connecttest.Person{ID: "p2", Name: "Bob Roy", Email: "bob@example.com"}
)

const origin = "https://patchbay.example"

// bed is a service on a real store, with a provider to connect at and a clock that the test holds.
type bed struct {
	*connect.Service
	t        testing.TB
	ctx      context.Context
	store    connect.Store
	bus      *notify.Bus
	provider *connecttest.Provider
	clock    *clock
	caller   tenant.Caller
	options  connect.Options
	log      *lockedBuffer
	statuses *[]string
}

func newBed(t testing.TB, adjust ...func(*connect.Options)) *bed {
	t.Helper()
	bus, c := new(notify.Bus), newClock()
	return newBedOn(t, storetest.OpenWith(t, bus, c.Now), bus, c, adjust...)
}

// newBedOn is newBed on a store that the test opened.
func newBedOn(t testing.TB, s connect.Store, bus *notify.Bus, c *clock, adjust ...func(*connect.Options)) *bed {
	t.Helper()
	b := &bed{
		t: t, ctx: t.Context(), store: s, bus: bus, clock: c, provider: connecttest.NewProvider(t),
		caller: tenant.Caller{ProjectID: "pr_1"}, log: new(lockedBuffer), statuses: new([]string),
	}
	client, err := outbound.New(outbound.Options{Allow: []string{"127.0.0.1/32"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	snapshot := toolkits(t, b.provider.URL)
	var mu sync.Mutex
	b.options = connect.Options{
		Store: b.store, HTTP: client, Bus: b.bus, Now: b.clock.Now, PublicURL: origin,
		Catalog:     func(string) connect.Toolkits { return snapshot },
		ProjectName: func(context.Context, string) string { return "Example Project" },
		Log:         slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		StatusChanged: func(_ context.Context, before connect.Status, a connect.ConnectedAccount) {
			mu.Lock()
			defer mu.Unlock()
			*b.statuses = append(*b.statuses, string(before)+" > "+string(a.Status))
		},
	}
	for _, f := range adjust {
		f(&b.options)
	}
	b.Service = newService(t, b.options)
	return b
}

// with gives the options of the bed, adjusted, for another node on the same store.
func (b *bed) with(adjust func(*connect.Options)) connect.Options {
	o := b.options
	adjust(&o)
	return o
}

func newService(t testing.TB, o connect.Options) *connect.Service {
	t.Helper()
	s, err := connect.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// withApp gives the operator an OAuth app at the provider.
func withApp(toolkit string) func(*connect.Options) {
	return func(o *connect.Options) {
		o.Apps = map[string]connect.OAuthApp{toolkit: {ClientID: "client-1", ClientSecret: secret.Hide("s3cret/with+signs")}}
	}
}

// toolkits are the toolkits of the tests, declared as real ones are.
func toolkits(t testing.TB, providerURL string) *catalog.Snapshot {
	t.Helper()
	const head = "description: A toolkit that exists for tests only.\nversion: 20261122_00\ncategories: [testing]\nbase_url: $URL\n"
	const who = "identity: {GET: /me, id: id, name: profile.name, email: profile.email}\n"
	declared := map[string]string{
		"acme": "slug: acme\nname: Acme\n" + head + who + `
auth:
  - scheme: OAUTH2
    issuer: https://acme.example
    authorize_url: $URL/authorize
    token_url: $URL/token
    revoke_url: $URL/revoke
    scopes: [read, write]
    authorize_params: {access_type: offline}
`,
		"keyed": "slug: keyed\nname: Keyed\n" + head + who + `
auth:
  - scheme: API_KEY
    register: Settings, then API.
    fields:
      key*: {title: Secret key, secret: true, help: "https://keyed.example/keys"}
      region: {title: Region, default: eu}
      size: {title: Size, type: number}
    header: {X-Acme-Key: "{key}", X-Region: "{region}"}
  - scheme: BASIC
`,
		"slackish": "slug: slackish\nname: Slackish\n" + head + `
auth:
  - scheme: OAUTH2
    authorize_url: $URL/authorize
    token_url: $URL/token
    pkce: false
    client_auth: basic
    scopes: {default: ["chat:write", "users:read"], separator: ","}
    user_scopes: {param: user_scope, default: ["search:read"]}
    token: {access_token: authed_user.access_token, scope: authed_user.scope, team: team.id}
    revoke: {DELETE: "$URL/applications/{client_id}/grant", json: {access_token: "{access_token}"}, client: basic}
`,
		"okfalse": "slug: okfalse\nname: Okfalse\n" + head + who + `
auth:
  - scheme: BEARER_TOKEN
errors: {failed_when: "${{ body.ok == false }}", reconnect_when: '${{ body.error == "invalid_auth" }}'}
`,
		"shops": "slug: shops\nname: Shops\n" + head + `
auth:
  - scheme: OAUTH2
    authorize_url: "https://{shop}.shops.example/authorize"
    token_url: "https://{shop}.shops.example/token"
    scopes: [read]
    fields:
      shop*: {title: Shop}
`,
		"anyhost": "slug: anyhost\nname: Anyhost\n" + head + `
auth:
  - scheme: OAUTH2
    authorize_url: "https://{server}/authorize"
    token_url: "https://{server}/token"
    scopes: [read]
    fields:
      server*: {title: Server}
`,
		"usualhost": "slug: usualhost\nname: Usualhost\n" + head + `
auth:
  - scheme: OAUTH2
    authorize_url: "https://{server}/authorize"
    token_url: "https://{server}/token"
    scopes: [read]
    fields:
      server: {title: Server, default: login.usual.example}
`,
		"tenant": "slug: tenant\nname: Tenant\n" + strings.Replace(head, "$URL", "https://{site}.tenant.example", 1) + `
auth:
  - scheme: API_KEY
    fields:
      site*: {title: Site}
      key*: {title: Key, secret: true}
`,
		"remote": "slug: remote\nname: Remote\n" + head + `
auth:
  - scheme: DCR_OAUTH
    discovery_url: $URL/mcp
`,
		"self": "slug: self\nname: Self\n" + strings.Replace(head, "$URL", `"{server}"`, 1) + `
auth:
  - scheme: API_KEY
    fields:
      server*: {title: Server, type: url}
      key*: {title: Key, secret: true}
  - scheme: S2S_OAUTH2
    token_url: $URL/token
    fields:
      server*: {title: Server, type: url}
`,
		"open": "slug: open\nname: Open\n" + head,
	}
	files := fstest.MapFS{}
	for slug, text := range declared {
		files[slug+"/toolkit.yaml"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, "$URL", providerURL))}
		files[slug+"/things.yaml"] = &fstest.MapFile{Data: []byte(things)}
	}
	loaded, err := catalog.LoadToolkits(files)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := catalog.NewSnapshot(loaded...)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// things are the tools of each of them.
const things = `
- slug: LIST_THINGS
  title: List things
  description: Lists the things there are, newest first.
  hints: [read]
  scopes: [things.read]
  request: GET /things
- slug: MAKE_THING
  title: Make a thing
  description: Makes a thing that was not there before.
  hints: [create]
  scopes: [things.write, [things.admin, things.read]]
  request: POST /things
`

// config makes an auth config.
func (b *bed) config(toolkit, scheme string, credentials map[string]string) connect.AuthConfig {
	b.t.Helper()
	fields := connect.Fields{}
	for name, v := range credentials {
		fields[name] = secret.Hide(v)
	}
	c, err := b.CreateAuthConfig(b.ctx, b.caller, connect.NewAuthConfig{
		Toolkit: toolkit, Scheme: scheme, Credentials: fields, EnabledForSessions: true,
	})
	must(b.t, err)
	return c
}

func (b *bed) oauthConfig(toolkit string) connect.AuthConfig {
	b.t.Helper()
	return b.config(toolkit, connect.OAuth2, map[string]string{"client_id": b.provider.ClientID, "client_secret": b.provider.ClientSecret})
}

func (b *bed) link(n connect.NewLink) connect.Link {
	b.t.Helper()
	if n.UserID == "" && n.AccountID == "" {
		n.UserID = "user_1"
	}
	l, err := b.CreateLink(b.ctx, b.caller, n)
	must(b.t, err)
	return l
}

// press opens a link and presses its button, and gives where the browser is sent.
func (b *bed) press(l connect.Link, browser string, form map[string]string) string {
	b.t.Helper()
	_, err := b.OpenLink(b.ctx, l.Token, browser)
	must(b.t, err)
	step, err := b.SubmitLink(b.ctx, l.Token, browser, origin, form)
	must(b.t, err)
	if len(step.Faults) > 0 {
		b.t.Fatalf("the form has faults: %v", step.Faults)
	}
	return step.Redirect
}

// signIn goes the whole way of an OAuth link.
func (b *bed) signIn(l connect.Link, who connecttest.Person) connect.LinkStep {
	b.t.Helper()
	back := b.provider.Consent(b.t, b.press(l, "browser-1", nil), who)
	step, err := b.FinishCallback(b.ctx, params(back), "browser-1", origin)
	must(b.t, err)
	return step
}

// connected makes an ACTIVE OAuth account.
func (b *bed) connected(c connect.AuthConfig, userID string, who connecttest.Person) connect.ConnectedAccount {
	b.t.Helper()
	l := b.link(connect.NewLink{AuthConfigID: c.ID, UserID: userID})
	b.signIn(l, who)
	return b.account(l.Account.ID)
}

func (b *bed) account(id string) connect.ConnectedAccount {
	b.t.Helper()
	a, err := b.Account(b.ctx, b.caller, id)
	must(b.t, err)
	return a
}

func params(q url.Values) connect.CallbackParams {
	return connect.CallbackParams{
		State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), ErrorDescription: q.Get("error_description"), Issuer: q.Get("iss"),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault checks kind and slug and that the message holds all the words.
func wantFault(t *testing.T, err error, kind fault.Kind, slug string, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %s", slug)
	}
	f := fault.From(err)
	if f.Kind != kind || f.Slug != slug {
		t.Fatalf("got kind %d slug %s (%v), want kind %d slug %s", f.Kind, f.Slug, err, kind, slug)
	}
	all := f.Message + "\n" + f.Fix + "\n" + strings.Join(f.Details, "\n")
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("the fault does not say %q:\n%s", w, all)
		}
	}
}

// clock is a clock that stands until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// lockedBuffer is a log that many goroutines write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type connectPerson = connecttest.Person

// failOn makes a path of the provider answer with a failure.
func failOn(path string, status int, body string) func(*http.Request, url.Values) (int, string, bool) {
	return func(r *http.Request, _ url.Values) (int, string, bool) { return status, body, r.URL.Path == path }
}

type connectChange = notify.Change

// fields makes fields of names and values in turn.
func fields(pairs ...string) connect.Fields {
	out := connect.Fields{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = secret.Hide(pairs[i+1])
	}
	return out
}
