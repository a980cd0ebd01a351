#!/usr/bin/env bash
# Measures the hot paths of a fresh build beside their floors. Linux only: CPU time is read from /proc.
set -euo pipefail
cd "$(dirname "$0")/.."
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/patchbay ./cmd/patchbay
go build -o bin/hotpaths ./bench/hotpaths
bin/hotpaths -patchbay bin/patchbay "$@"
