package config

import (
	"fmt"
	"strings"
)

//go:generate go test . -run TestConfigurationPageIsFresh -update

const markdownHead = `# Settings

<!-- Made from the table in internal/app/config/settings.go by "make generate". Do not edit. -->

Every setting has one name in three spellings. In order of strength:

1. a flag of ` + "`patchbay serve`" + `: ` + "`--log-level debug`" + `
2. an environment variable: ` + "`PATCHBAY_LOG_LEVEL=debug`" + `
3. a key of the settings file (` + "`patchbay.yaml`, or what `--config` names" + `): ` + "`log.level: debug`, or `level` below `log`" + `

Per-toolkit settings are given with ` + "`--set toolkits.github.base_url=https://github.example.com/api/v3`" + `, as
` + "`PATCHBAY_TOOLKITS_GITHUB_BASE_URL`" + `, or in the file. Lists are YAML lists in the file and separated by commas elsewhere. A key in the
file that does not exist is an error that names the line and the nearest key. ` + "`patchbay doctor`" + ` shows what is in force and where
each value came from.

**Secrets** (marked 🔒) can be read from a file, the way Docker and Kubernetes mount them: put ` + "`_file`" + ` behind the name in any
spelling, for example ` + "`PATCHBAY_API_KEY_FILE=/run/secrets/patchbay_key`" + `. Prefer files to flags, which other users of the machine can see.

| key | variable | default | meaning |
|---|---|---|---|
`

const markdownTail = `
## An example

` + "```yaml" + `
listen: 0.0.0.0:8484
public_url: https://patchbay.example.com
database_file: /run/secrets/patchbay_database
outbound:
  allow: [10.1.0.0/16]
toolkits:
  github:
    oauth2:
      client_id: Iv1.0123456789abcdef
      client_secret_file: /run/secrets/github_client_secret
log:
  format: json
` + "```" + `
`

// Markdown renders the table as docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(markdownHead)
	for _, s := range Settings() {
		name := "`" + s.Key + "`"
		if s.Secret {
			name += " 🔒"
		}
		fallback := s.Unset
		if s.Default != "" {
			fallback = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", name, s.Env(), fallback, s.Meaning)
	}
	b.WriteString(markdownTail)
	return b.String()
}
