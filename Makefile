# orderwatch. `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## a simulated company in your browser: nothing to install but Go
	@echo "building orderwatch (a minute or two the first time) ..."
	go run ./cmd/orderwatch demo

.PHONY: build
build: ## bin/orderwatch, one static binary
	CGO_ENABLED=0 go build -trimpath -o bin/orderwatch ./cmd/orderwatch

.PHONY: deps
deps: ## install the servers that the tests start (Debian), or say what to install
	@.ci/install

.PHONY: test
test: deps ## every test, on throwaway servers on free loopback ports
	.ci/test

.PHONY: lint
lint: ## formatting, vet, golangci-lint
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	golangci-lint run

.PHONY: bench
bench: ## the benchmarks that stand beside the code
	go test -run '^$$' -bench . -benchmem ./...
