package config

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := Load(Sources{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:8484" || c.Data != "./patchbay-data" || c.Database.Reveal() != "sqlite" {
		t.Errorf("listen %q, data %q, database %q", c.Listen, c.Data, c.Database.Reveal())
	}
	if !c.Metrics || c.LogLevel != slog.LevelInfo || c.LogRetention != 30*24*time.Hour || c.MaxRequest != 16<<20 {
		t.Errorf("metrics %v, level %v, retention %v, request %d", c.Metrics, c.LogLevel, c.LogRetention, c.MaxRequest)
	}
	want := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if diff := cmp.Diff(want, c.TrustedProxies, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if !c.APIKey.Empty() || !c.MasterKey.Empty() || c.PublicURL != "" || c.File != "" {
		t.Error("something is set that nobody gave")
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "patchbay.yaml", "listen: 127.0.0.1:1\ndata: /file\npublic_url: https://file.example\n")
	c, err := Load(Sources{
		Dir:     dir,
		Environ: []string{"PATCHBAY_LISTEN=127.0.0.1:2", "PATCHBAY_DATA=/env"},
		Flags:   map[string]string{"listen": "127.0.0.1:3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Line{}
	for _, l := range c.Lines() {
		got[l.Key] = l
	}
	for _, want := range []Line{
		{"listen", "127.0.0.1:3", "flag --listen"},
		{"data", "/env", "PATCHBAY_DATA"},
		{"public_url", "https://file.example", "patchbay.yaml:3"},
		{"log.level", "info", "default"},
	} {
		if got[want.Key] != want {
			t.Errorf("got %+v, want %+v", got[want.Key], want)
		}
	}
}

func TestPerToolkit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "p.yaml", `
toolkits:
  github:
    base_url: https://file.example/api/v3/
    oauth2: {client_id: from-file, scopes: [repo, "read:user"]}
toolkits.google_maps.base_url: http://127.0.0.1:9000
`)
	c, err := Load(Sources{
		Environ: []string{
			"PATCHBAY_CONFIG=" + filepath.Join(dir, "p.yaml"),
			"PATCHBAY_TOOLKITS_GITHUB_OAUTH2_CLIENT_SECRET=hush",
			"PATCHBAY_TOOLKITS_MEMORY_PROGRAM_ENV_FILE=" + write(t, dir, "memory.env", "# of the memory\nTOKEN=a=b\n\nDIR=/data\n"),
			"PATCHBAY_TOOLKITS_MICROSOFT_TEAMS_OAUTH2_TOKEN_URL=https://login.example/token",
		},
		Flags: map[string]string{"toolkits.github.oauth2.client_id": "from-flag"},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := c.Toolkits["github"]
	if g.BaseURL != "https://file.example/api/v3" || g.OAuth2.ClientID != "from-flag" || g.OAuth2.ClientSecret.Reveal() != "hush" {
		t.Errorf("github: %+v, secret %q", g, g.OAuth2.ClientSecret.Reveal())
	}
	if env := c.Toolkits["memory"].ProgramEnv; len(env) != 2 || env["TOKEN"].Reveal() != "a=b" || env["DIR"].Reveal() != "/data" {
		t.Errorf("memory: %d variables", len(env))
	}
	for _, l := range c.Lines() {
		if strings.Contains(l.Value, "a=b") {
			t.Errorf("a program's variables are shown: %+v", l)
		}
	}
	if diff := cmp.Diff([]string{"repo", "read:user"}, g.OAuth2.Scopes); diff != "" {
		t.Error(diff)
	}
	if c.Toolkits["google_maps"].BaseURL != "http://127.0.0.1:9000" {
		t.Errorf("google_maps: %+v", c.Toolkits["google_maps"])
	}
	if c.Toolkits["microsoft_teams"].OAuth2.TokenURL != "https://login.example/token" {
		t.Errorf("a slug with an underscore was not understood: %v", c.Toolkits)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := "ak_0123456789abcdefghijkl"
	write(t, dir, "key", key+"\n")
	write(t, dir, "patchbay.yaml", "api_key: ak_weaker_than_the_environment\n")
	c, err := Load(Sources{Dir: dir, Environ: []string{"PATCHBAY_API_KEY_FILE=" + filepath.Join(dir, "key")}})
	if err != nil {
		t.Fatal(err)
	}
	if c.APIKey.Reveal() != key {
		t.Errorf("got %q", c.APIKey.Reveal())
	}
	for _, l := range c.Lines() {
		if strings.Contains(l.Value, key) {
			t.Errorf("the secret is shown by %+v", l)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		file  string
		env   []string
		flags map[string]string
		want  []string // one per fault, in order
	}{
		"a typo in the file names its line and the nearest key": {
			file: "data: x\nlisten_on: 127.0.0.1:1\n",
			want: []string{`patchbay.yaml:2: there is no setting "listen_on"; did you mean "listen"?`},
		},
		"a typo in a group": {
			file: "log:\n  levle: debug\n",
			want: []string{`patchbay.yaml:2: there is no setting "log.levle"; did you mean "log.level"?`},
		},
		"a typo below a toolkit": {
			file: "toolkits:\n  github:\n    baseurl: https://a.example\n",
			want: []string{`patchbay.yaml:3: there is no setting "toolkits.github.baseurl"; did you mean "toolkits.github.base_url"?`},
		},
		"nothing like it": {
			file: "zzzzzzzzzzzz: 1\n",
			want: []string{`patchbay.yaml:1: there is no setting "zzzzzzzzzzzz"; docs/configuration.md lists them all`},
		},
		"twice": {
			file: "log.level: debug\nlog: {level: info}\n",
			want: []string{`patchbay.yaml:2: log.level is already set at patchbay.yaml:1`},
		},
		"a group where a value belongs": {
			file: "listen: {host: a}\n",
			want: []string{`patchbay.yaml:1: listen takes a value, not a group of keys`},
		},
		"a list where one value belongs": {
			file: "listen: [a, b]\n",
			want: []string{`patchbay.yaml:1: listen takes one value, not a list`},
		},
		"the file names another file": {
			file: "config: other.yaml\n",
			want: []string{`patchbay.yaml:1: the settings file cannot name another one; use --config or PATCHBAY_CONFIG`},
		},
		"all faults at once, each with its place": {
			file:  "log: {format: xml}\n",
			env:   []string{"PATCHBAY_LISTEN=8484", "PATCHBAY_METRICS=maybe"},
			flags: map[string]string{"public_url": "patchbay.example", "toolkits.x.base_url": "ftp://a"},
			want: []string{
				`patchbay.yaml:1: log.format is "xml": it must be one of auto, text, json`,
				`PATCHBAY_LISTEN: listen is "8484": it must be host:port, for example "127.0.0.1:8484" or ":8484"`,
				`PATCHBAY_METRICS: metrics is "maybe": it must be "true" or "false"`,
				`flag --public-url: public_url is "patchbay.example": it must be an http:// or https:// URL`,
				`flag --set toolkits.x.base_url: toolkits.x.base_url is "ftp://a": it must be an http:// or https:// URL`,
			},
		},
		"half an OAuth app": {
			env:  []string{"PATCHBAY_TOOLKITS_SLACK_OAUTH2_CLIENT_ID=id"},
			want: []string{`toolkits.slack.oauth2 has only one of client_id and client_secret; set both, or neither`},
		},
		"a secret and its file": {
			env:  []string{"PATCHBAY_API_KEY=ak_0123456789abcdefghijkl", "PATCHBAY_API_KEY_FILE=/nowhere"},
			want: []string{`PATCHBAY_API_KEY_FILE: api_key and api_key_file are both set; keep one`},
		},
		"a bad secret is not quoted": {
			env: []string{"PATCHBAY_API_KEY=hunter2", "PATCHBAY_DATABASE=mysql://root:hunter2@db/x"},
			want: []string{
				`PATCHBAY_API_KEY: api_key: a key begins with "ak_", is followed by at least 22 characters and has no blanks; echo ak_$(openssl rand -hex 32) makes a good one`,
				`PATCHBAY_DATABASE: database: it is neither "sqlite" nor a postgres://user:password@host:port/name URL`,
			},
		},
		"variables of a program that are none": {
			env:  []string{"PATCHBAY_TOOLKITS_X_PROGRAM_ENV=hunter2", "PATCHBAY_PROGRAMS_MAX=0"},
			want: []string{`PATCHBAY_PROGRAMS_MAX: programs.max is "0": it must be a whole number of at least 1`, `PATCHBAY_TOOLKITS_X_PROGRAM_ENV: toolkits.x.program.env: each is written as NAME=VALUE`},
		},
		"too short an interval": {
			env:  []string{"PATCHBAY_REFRESH_INTERVAL=1ms"},
			want: []string{`PATCHBAY_REFRESH_INTERVAL: refresh.interval is "1ms": it must be at least 1s`},
		},
		"an allowed destination that is a URL": {
			env:  []string{"PATCHBAY_OUTBOUND_ALLOW=10.0.0.0/8, http://a"},
			want: []string{`PATCHBAY_OUTBOUND_ALLOW: outbound.allow is "10.0.0.0/8,http://a": "http://a" is a URL; give a host, host:port or CIDR`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tc.file != "" {
				write(t, dir, "patchbay.yaml", tc.file)
			}
			_, err := Load(Sources{Dir: dir, Environ: tc.env, Flags: tc.flags})
			if err == nil {
				t.Fatal("no fault found")
			}
			if diff := cmp.Diff(tc.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNamedFileMustExist(t *testing.T) {
	t.Parallel()
	_, err := Load(Sources{Flags: map[string]string{"config": filepath.Join(t.TempDir(), "none.yaml")}})
	if err == nil || !strings.Contains(err.Error(), "the settings file cannot be read") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownVariablesAreOnlyWarnedAbout(t *testing.T) {
	t.Parallel()
	c, err := Load(Sources{Dir: t.TempDir(), Environ: []string{
		"PATCHBAY_LISTN=:1", "PATCHBAY_URL=http://client", "PATCHBAY_PORT_8484_TCP=tcp://10.0.0.1:8484", "PATCHBAY_SERVICE_HOST=10.0.0.1", "PATCHBAY_DATA=",
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"PATCHBAY_LISTN is not a setting and is ignored; did you mean PATCHBAY_LISTEN?"}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Error(diff)
	}
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
