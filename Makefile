# Everything a person or CI does here has one name. `make` alone lists them. Only Go is needed, except where it says otherwise.

GOBIN ?= $(shell go env GOPATH)/bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION)
GOLANGCI_LINT_VERSION := v2.15.0

.DEFAULT_GOAL := help
.PHONY: help run build test race lint generate compat compat-openapi conformance bench soak check

help: ## list these targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build bin/patchbay and start it on http://127.0.0.1:8484 (data in ./patchbay-data)
	@go build -ldflags '$(LDFLAGS)' -o bin/patchbay ./cmd/patchbay
	@bin/patchbay serve

build: ## build bin/patchbay, static and stripped
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/patchbay ./cmd/patchbay

test: ## run all Go tests (SQLite; Postgres too where one can be started)
	go test ./...

race: ## run the tests of the concurrent packages under the race detector (needs a C compiler)
	go test -race $$(.ci/race-packages)

lint: ## gofmt, go vet, golangci-lint (installed on first use)
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt -w these:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	@command -v golangci-lint >/dev/null || [ -x $(GOBIN)/golangci-lint ] || \
		go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	PATH="$(GOBIN):$$PATH" golangci-lint run

generate: ## rewrite the documentation that is made from code
	go generate ./...

compat: ## drive a running server with the official SDKs (needs Node and Python)
	compat/run.sh

compat-openapi: ## import 2,639 API descriptions and hold tools and requests against them (needs Node; 30 minutes, 1 GB)
	compat/openapi/run.sh

conformance: ## run the MCP conformance suite against a running server (needs Node)
	compat/conformance/run.sh

bench: ## measure against the floors (a few minutes, on an idle machine)
	bench/run.sh

soak: ## deliver 10,000 events while the server is killed twenty times and the receiver is down for ten minutes
	PATCHBAY_TEST_ORDEAL="10000 20 10m" go test ./cmd/patchbay -run '^TestNothingIsLost$$' -v -count=1 -timeout 2h

check: ## all that CI runs
	.ci/run
