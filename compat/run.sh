#!/usr/bin/env bash
# The compat suites: official SDKs and MCP clients, unchanged, against the running binary and services we did not write.
#
#   compat/run.sh                  all of them
#   compat/run.sh typescript mcp   some of: guide typescript python mcp schemes
#
# Needs Go, Node 20 or newer and Python 3.11 or newer. Packages are installed below compat/ once, at pinned versions.
set -euo pipefail
cd "$(dirname "$0")"
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(guide typescript python mcp schemes)

export TELEMETRY_DISABLED=true npm_config_update_notifier=false

node_packages() { # directory
  [ -d "$1/node_modules/.installed-$(cksum <"$1/package.json" | cut -d' ' -f1)" ] && return
  echo "installing $1"
  (cd "$1" && if [ -f package-lock.json ]; then npm ci --silent --no-audit --no-fund; else npm install --silent --no-audit --no-fund; fi)
  mkdir -p "$1/node_modules/.installed-$(cksum <"$1/package.json" | cut -d' ' -f1)"
}

python_packages() {
  [ -x python/.venv/bin/python ] && cmp -s python/requirements.txt python/.venv/requirements.txt && return
  echo "installing python"
  python3 -m venv python/.venv
  python/.venv/bin/pip install --quiet --disable-pip-version-check -r python/requirements.txt
  cp python/requirements.txt python/.venv/requirements.txt
}

bed() { node bed/bed.mjs "$PWD/../bin/patchbay" -- "$@"; }

guide() {
  node_packages typescript/core-0.19.0
  python_packages
  bed node --test guide/guide.test.mjs
}

typescript() {
  for sdk in typescript/core-*; do
    node_packages "$sdk"
    bed node --test --test-timeout=120000 "$sdk"/*.test.mjs
  done
}

python() {
  python_packages
  bed python/.venv/bin/python -m unittest discover -v -s python
}

mcp() {
  node_packages mcp
  bed node --test --test-timeout=120000 mcp/*.test.mjs
}

schemes() { # OAuth servers that we did not write, and a search for secrets in all that was said and kept
  node_packages mcp # an MCP server behind one of them
  local version=v3.51.17
  local server=$PWD/.cache/zitadel-oidc-$version/server
  [ -x "$server" ] || GOBIN=$(dirname "$server") go install "github.com/zitadel/oidc/v3/example/server@$version"
  BED_ZITADEL_BINARY=$server node bed/bed.mjs --schemes "$PWD/../bin/patchbay" -- node --test --test-timeout=120000 schemes/*.test.mjs
}

(cd .. && go build -o bin/patchbay ./cmd/patchbay)
node_packages bed
for suite in "${suites[@]}"; do
  printf '\n== compat: %s\n' "$suite"
  "$suite"
done
