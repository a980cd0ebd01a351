package config

import (
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/patchbay-dev/patchbay/internal/secret"
	"github.com/patchbay-dev/patchbay/internal/tenant"
)

// Setting is one row of the table. Its name as a flag, a variable and a file key all follow from Key.
type Setting struct {
	Key     string // dotted, as in the file: "log.level"; "<slug>" stands for a toolkit's slug
	Default string // as text; empty when there is none
	Unset   string // what happens without a value, where Default does not say it
	Meaning string
	Secret  bool // never shown; can also be read from a file by the key with "_file" behind it
	List    bool // several values: a list in the file, commas elsewhere

	set func(c *Config, slug string, values []string) error
}

// Settings is the table, in the order in which the documentation lists it.
func Settings() []Setting {
	return slices.Concat(serverSettings(), searchSettings(), runningSettings())
}

// serverSettings say where the server is, what it keeps, and who and what it lets in and out.
func serverSettings() []Setting {
	return []Setting{
		{Key: "listen", Default: "127.0.0.1:8484", set: one(address, func(c *Config) *string { return &c.Listen }),
			Meaning: "Address and port to serve on. `:8484` is every interface; port `0` lets the system choose one."},
		{Key: "public_url", Unset: "from each request's Host", set: one(publicURL, func(c *Config) *string { return &c.PublicURL }),
			Meaning: "What users and providers see, for example `https://patchbay.example.com`. MCP, Connect and callback URLs are built from it; set it as soon as the server is reached by another name than it sees."},
		{Key: "data", Default: "./patchbay-data", set: one(text, func(c *Config) *string { return &c.Data }),
			Meaning: "Directory of the SQLite database, the master key and session files."},
		{Key: "database", Default: "sqlite", Secret: true, set: one(database, func(c *Config) *secret.Value { return &c.Database }),
			Meaning: "`sqlite` keeps everything in `data`; `postgres://user:password@host/name` lets several nodes share one database."},
		{Key: "api_key", Unset: "made on first start and printed once", Secret: true, set: one(apiKey, func(c *Config) *secret.Value { return &c.APIKey }),
			Meaning: "Makes this key (`ak_` and at least 22 characters) exist in the default project, for automation."},
		{Key: "master_key", Unset: "`master.key` in `data`, made on first start", Secret: true, set: one(hidden, func(c *Config) *secret.Value { return &c.MasterKey }),
			Meaning: "The key that seals every stored credential: 32 bytes in base64, `file:PATH`, `env:NAME`, or `vault:https://HOST:8200/transit/keys/NAME` (see docs/secrets.md). Several with commas between them: the first seals, all open. Keep a copy apart from the database: without it stored credentials cannot be opened. All nodes of one database need the same key."},
		{Key: "config", Unset: "`patchbay.yaml` if it is there", set: func(*Config, string, []string) error { return nil },
			Meaning: "The settings file. Unknown keys in it are refused. Not a key of the file itself."},
		{Key: "outbound.allow", List: true, Unset: "every private address is refused", set: many(allowed, func(c *Config) *[]string { return &c.OutboundAllow }),
			Meaning: "Private destinations that toolkits may reach: CIDRs (`10.1.0.0/16`), hosts or host:port."},
		{Key: "trusted_proxies", List: true, Default: "127.0.0.0/8,::1/128", set: many(prefix, func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }),
			Meaning: "Networks whose `X-Forwarded-Proto` and `X-Forwarded-Host` are believed when `public_url` is not set."},
		{Key: "oauth.registration", Default: "true", set: one(boolean, func(c *Config) *bool { return &c.Registration }),
			Meaning: "Let MCP clients register themselves (RFC 7591), which most need to sign a person in. Clients that describe themselves at an https address can sign in either way."},
		{Key: "signin.issuer", Unset: "people sign in with personal keys", set: one(issuerURL, func(c *Config) *string { return &c.SignIn.Issuer }),
			Meaning: "OpenID Connect issuer at which people may sign in to let MCP clients in. Register this server there with the redirect URI `<public_url>/oauth/callback`."},
		{Key: "signin.client_id", Unset: "needed with an issuer", set: one(text, func(c *Config) *string { return &c.SignIn.ClientID }),
			Meaning: "This server's client id at the issuer."},
		{Key: "signin.client_secret", Secret: true, Unset: "a public client, by PKCE alone", set: one(hidden, func(c *Config) *secret.Value { return &c.SignIn.ClientSecret }),
			Meaning: "This server's client secret at the issuer."},
		{Key: "signin.user_claim", Default: "sub", set: one(text, func(c *Config) *string { return &c.SignIn.UserClaim }),
			Meaning: "Which claim of the issuer is the user id here. `email` counts only when the issuer has verified it."},
		{Key: "signin.users", List: true, Unset: "everybody whom the issuer knows", set: many(text, func(c *Config) *[]string { return &c.SignIn.Users }),
			Meaning: "Who may sign in: values of that claim, or `@example.com` for all that end so. Set it when strangers can have an account at the issuer."},
		{Key: "signin.tokens", Default: "false", set: one(boolean, func(c *Config) *bool { return &c.SignIn.Tokens }),
			Meaning: "Let access tokens (JWT) of the issuer open MCP endpoints, if they are meant for the endpoint's URL or for `signin.audience`."},
		{Key: "signin.audience", List: true, Unset: "the endpoint's own URL only", set: many(text, func(c *Config) *[]string { return &c.SignIn.Audience }),
			Meaning: "Further audiences of such access tokens that are accepted."},
		{Key: "connect.display_name", Unset: "the project's name", set: one(ofProjects(func(s *tenant.Settings) *string { return &s.DisplayName }), func(c *Config) *string { return &c.Connect.DisplayName }),
			Meaning: "What Connect pages call the application, where the project does not say itself (`PATCH /api/v3.1/org/project/config`, as for the next five)."},
		{Key: "connect.logo_url", Unset: "letters on a tile", set: one(ofProjects(func(s *tenant.Settings) *string { return &s.LogoURL }), func(c *Config) *string { return &c.Connect.LogoURL }),
			Meaning: "Picture on Connect pages, over https."},
		{Key: "connect.accent_color", Unset: "blue", set: one(ofProjects(func(s *tenant.Settings) *string { return &s.AccentColor }), func(c *Config) *string { return &c.Connect.AccentColor }),
			Meaning: "Colour of buttons and links on Connect pages, such as `#1d4ed8`. Shades that can be read are made of it for light and dark pages."},
		{Key: "connect.link_url", Unset: "`public_url`", set: one(ofProjects(func(s *tenant.Settings) *string { return &s.LinkURL }), func(c *Config) *string { return &c.Connect.LinkURL }),
			Meaning: "Put in front of `/link/{token}` in links. What is there redirects to the same path at `public_url`."},
		{Key: "connect.verifier_url", Unset: "nobody is asked", set: one(ofProjects(func(s *tenant.Settings) *string { return &s.VerifierURL }), func(c *Config) *string { return &c.Connect.VerifierURL }),
			Meaning: "Where users come after signing in, for the application to say who they are (docs/connect-pages.md)."},
		{Key: "connect.callback_origins", List: true, Unset: "anywhere", set: many(tenant.ParseOrigin, func(c *Config) *[]string { return &c.Connect.CallbackOrigins }),
			Meaning: "The only origins (scheme, host and port) that links may lead back to, for all projects; a project can narrow them further."},
		{Key: "toolkits.<slug>.base_url", Unset: "the toolkit's own", set: toolkit(httpURL, func(t *Toolkit) *string { return &t.BaseURL }),
			Meaning: "Where the toolkit's API is: GitHub Enterprise, a sandbox, a test double. A path is put in front of the tools' paths."},
		{Key: "toolkits.<slug>.oauth2.authorize_url", Unset: "the toolkit's own", set: toolkit(httpURL, func(t *Toolkit) *string { return &t.OAuth2.AuthorizeURL }),
			Meaning: "Where users are sent to sign in."},
		{Key: "toolkits.<slug>.oauth2.token_url", Unset: "the toolkit's own", set: toolkit(httpURL, func(t *Toolkit) *string { return &t.OAuth2.TokenURL }),
			Meaning: "Where codes and refresh tokens are exchanged."},
		{Key: "toolkits.<slug>.oauth2.revoke_url", Unset: "the toolkit's own", set: toolkit(httpURL, func(t *Toolkit) *string { return &t.OAuth2.RevokeURL }),
			Meaning: "Where grants are ended."},
		{Key: "toolkits.<slug>.oauth2.client_id", Unset: "the project brings an auth config", set: toolkit(text, func(t *Toolkit) *string { return &t.OAuth2.ClientID }),
			Meaning: "Client id of your own OAuth app. With id and secret set the toolkit is managed: users connect with no auth config."},
		{Key: "toolkits.<slug>.oauth2.client_secret", Secret: true, Unset: "the project brings an auth config", set: toolkit(hidden, func(t *Toolkit) *secret.Value { return &t.OAuth2.ClientSecret }),
			Meaning: "Client secret of your own OAuth app."},
		{Key: "toolkits.<slug>.oauth2.scopes", List: true, Unset: "the toolkit's default", set: toolkitList(text, func(t *Toolkit) *[]string { return &t.OAuth2.Scopes }),
			Meaning: "Scopes to ask for."},
		{Key: "toolkits.<slug>.program.env", Secret: true, List: true, Unset: "what the toolkit says", set: programEnv,
			Meaning: "Variables for a toolkit that is a program (docs/importing.md), as `NAME=VALUE`: a list, or in a file a line each. They win over the toolkit's own and are never shown."},
		{Key: "toolkit_dirs", List: true, Unset: "only the toolkits in the binary", set: many(text, func(c *Config) *[]string { return &c.ToolkitDirs }),
			Meaning: "Directories with more toolkits in the same format. One that has the slug of a shipped toolkit replaces it."},
	}
}

// searchSettings name models outside that searches may use.
func searchSettings() []Setting {
	return []Setting{
		{Key: "search.embeddings.url", Unset: "searches stay inside this server", set: one(publicURL, func(c *Config) *string { return &c.Embeddings.URL }),
			Meaning: "An embeddings endpoint in the format of OpenAI's API, without `/embeddings`: `https://api.openai.com/v1`, `http://127.0.0.1:11434/v1`. Searches then also go by what texts mean to its model. It is sent the names and descriptions of all tools, once, and the use cases that are searched for (docs/search.md). It may be private."},
		{Key: "search.embeddings.model", Unset: "needed with a URL", set: one(text, func(c *Config) *string { return &c.Embeddings.Model }),
			Meaning: "The model there, for example `text-embedding-3-small`."},
		{Key: "search.embeddings.api_key", Secret: true, Unset: "no key is sent", set: one(hidden, func(c *Config) *secret.Value { return &c.Embeddings.APIKey }),
			Meaning: "The key for it, sent as a bearer token."},
		{Key: "search.embeddings.dimensions", Unset: "the model's own", set: one(dimensions, func(c *Config) *int { return &c.Embeddings.Dimensions }),
			Meaning: "Ask the model for shorter vectors, where it can (`text-embedding-3-small`: 256 to 1536). A tool takes a byte for each on disk, and an eighth of one in memory."},
		{Key: "search.embeddings.timeout", Default: "400ms", set: one(duration(10*time.Millisecond), func(c *Config) *time.Duration { return &c.Embeddings.Timeout }),
			Meaning: "How long a search waits for the endpoint before it goes on without. After a failure searches do not ask it until it answers again."},
		{Key: "search.chat.url", Unset: "plans are made of what tools declare", set: one(publicURL, func(c *Config) *string { return &c.Chat.URL }),
			Meaning: "A chat endpoint in the format of OpenAI's API, without `/chat/completions`, whose model puts the steps of a plan in words. It is sent each use case with the names of known fields, and the tools that were found (docs/search.md). It may be private."},
		{Key: "search.chat.model", Unset: "needed with a URL", set: one(text, func(c *Config) *string { return &c.Chat.Model }),
			Meaning: "The model there."},
		{Key: "search.chat.api_key", Secret: true, Unset: "no key is sent", set: one(hidden, func(c *Config) *secret.Value { return &c.Chat.APIKey }),
			Meaning: "The key for it, sent as a bearer token."},
		{Key: "search.chat.timeout", Default: "4s", set: one(duration(10*time.Millisecond), func(c *Config) *time.Duration { return &c.Chat.Timeout }),
			Meaning: "How long a search waits for the plans before it answers with those that are declared."},
	}
}

// runningSettings say what is logged and measured, and how often things are done.
func runningSettings() []Setting {
	return []Setting{
		{Key: "log.level", Default: "info", set: one(level, func(c *Config) *slog.Level { return &c.LogLevel }),
			Meaning: "`debug`, `info`, `warn` or `error`."},
		{Key: "log.format", Default: "auto", set: one(oneOf("auto", "text", "json"), func(c *Config) *string { return &c.LogFormat }),
			Meaning: "`text` or `json`; `auto` is text on a terminal and JSON elsewhere."},
		{Key: "logs.retention", Default: "30d", set: one(duration(time.Hour), func(c *Config) *time.Duration { return &c.LogRetention }),
			Meaning: "How long the log of tool calls is kept."},
		{Key: "events.retention", Default: "30d", set: one(duration(25*time.Hour), func(c *Config) *time.Duration { return &c.EventRetention }),
			Meaning: "How long events and the log of their deliveries are kept, and can be replayed. More than the day for which a delivery is tried."},
		{Key: "webhooks.first_retry", Default: "5s", set: one(duration(100*time.Millisecond), func(c *Config) *time.Duration { return &c.FirstRetry }),
			Meaning: "How long a webhook delivery waits after its first failure. Each further failure doubles it."},
		{Key: "webhooks.longest_retry", Default: "1h", set: one(duration(100*time.Millisecond), func(c *Config) *time.Duration { return &c.LongestRetry }),
			Meaning: "How long a webhook delivery waits for its next attempt at most. After a day it is given up."},
		{Key: "metrics", Default: "true", set: one(boolean, func(c *Config) *bool { return &c.Metrics }),
			Meaning: "Serve Prometheus metrics at `/metrics`."},
		{Key: "metrics_listen", Unset: "metrics are served at `listen`, to everybody", set: one(address, func(c *Config) *string { return &c.MetricsListen }),
			Meaning: "Address for `/metrics` alone, for example `127.0.0.1:9464`: they are then not served at `listen`. They name toolkits and routes, so keep them from the public."},
		{Key: "telemetry.otlp_endpoint", Unset: "no traces are sent", set: one(httpURL, func(c *Config) *string { return &c.TraceEndpoint }),
			Meaning: "OpenTelemetry collector that traces are sent to (OTLP over HTTP), for example `http://127.0.0.1:4318`. They say routes, hosts, statuses and times, and nothing of what was sent."},
		{Key: "limits.request", Default: "16MB", set: one(size, func(c *Config) *int64 { return &c.MaxRequest }),
			Meaning: "Largest request body that is accepted. Sessions with tools of your own send all their schemas with each call."},
		{Key: "limits.streams", Default: "100", set: one(count, func(c *Config) *int { return &c.MaxStreams }),
			Meaning: "How many event streams and waiting reads of events one API key may hold open on a node."},
		{Key: "programs.max", Default: "32", set: one(count, func(c *Config) *int { return &c.MaxPrograms }),
			Meaning: "How many MCP servers may run at the same time that are programs on this machine. One runs for each connected account that is in use; when there is no room, the one that was idle longest ends."},
		{Key: "programs.idle", Default: "5m", set: one(duration(time.Second), func(c *Config) *time.Duration { return &c.ProgramIdle }),
			Meaning: "After how long such a program is ended that nobody calls. The next call starts it again."},
		{Key: "triggers.interval", Default: "1m", set: one(duration(time.Second), func(c *Config) *time.Duration { return &c.PollInterval }),
			Meaning: "How long triggers wait between two looks at a list, unless they say otherwise (`interval` in their configuration, in minutes)."},
		{Key: "triggers.min_interval", Default: "1m", set: one(duration(time.Second), func(c *Config) *time.Duration { return &c.MinPollInterval }),
			Meaning: "The shortest interval that a trigger may ask for. Providers count every look against the account's limits."},
		{Key: "mcp.on_change", Default: "refuse", set: one(oneOf("refuse", "run", "follow"), func(c *Config) *string { return &c.MCPOnChange }),
			Meaning: "What is done when an MCP server changes tools that were approved, where the toolkit does not say. `refuse`: changes wait for approval and a changed tool is not run before; `run`: they wait, and it is run; `follow`: they are approved as they come."},
		{Key: "mcp.check_interval", Default: "1h", set: one(duration(time.Minute), func(c *Config) *time.Duration { return &c.MCPInterval }),
			Meaning: "How often the MCP servers of projects are asked whether their tools are still the approved ones, besides when they say so themselves."},
		{Key: "refresh.interval", Default: "30s", set: one(duration(time.Second), func(c *Config) *time.Duration { return &c.RefreshInterval }),
			Meaning: "How often tokens that are about to end are looked for and replaced, and links that nobody finished are ended."},
		{Key: "sweep.interval", Default: "10m", set: one(duration(time.Second), func(c *Config) *time.Duration { return &c.SweepInterval }),
			Meaning: "How often sessions past their time, answers remembered for idempotency keys and old logs are cleared."},
		{Key: "stop.timeout", Default: "60s", set: one(duration(0), func(c *Config) *time.Duration { return &c.StopTimeout }),
			Meaning: "How long running calls may take to finish when the server is told to stop. A call has 55 seconds."},
	}
}
