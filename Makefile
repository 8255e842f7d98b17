# The front door. `make` says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export JOBS ?= $(shell nproc)
export SLUICE_VENV := $(shell tools/bootstrap --venv)
export PYTHONDONTWRITEBYTECODE := 1
# A miss is compiled at once, not preprocessed first: a tenth of a build from nothing.
export CCACHE_DEPEND := 1
VERSION := $(shell sed -n 's/^project.sluice VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)

##@ Start here
.PHONY: help
help:  ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build  ## real flights from SQLite to Parquet: killed half-way, resumed, verified, queried
	@demo/run
.PHONY: demo-mysql
demo-mysql: build  ## the same from a scratch MySQL to a scratch S3 server
	@tools/bootstrap --servers
	@demo/run mysql

.PHONY: build
build: build/release/build.ninja  ## the program: build/release/sluice
	@cmake --build build/release -j $(JOBS) --target sluice

##@ Tests
.PHONY: test
test: servers  ## everything: units and conformance sanitized, the house, end to end, real servers, kills
	@tools/test

.PHONY: test-unit test-asan test-tsan test-e2e test-kill test-package test-docs test-servers
test-unit: bootstrap  ## unit tests, layers, headers on the release build
	@tools/test release
test-asan: bootstrap  ## unit tests under the address and undefined-behaviour sanitizers
	@tools/test asan
test-tsan: bootstrap  ## the tests of threads under the thread sanitizer
	@tools/test tsan
test-e2e: bootstrap  ## the program from outside, read back by DuckDB
	@tools/bootstrap --e2e
	@tools/test e2e
test-package: bootstrap  ## the installed tree, projects that build against it, packages in bare roots
	@tools/test package
test-docs: servers  ## every command that the documentation shows
	@tools/test docs
test-kill: servers  ## each named point, and 200 kills at random moments; on servers every combination
	@tools/test kill-all
test-servers: servers  ## connectors, stores and the program against real servers, which it starts
	@tools/test servers

.PHONY: bench bench-quick
bench: build  ## the measured claims: speed, CPU, memory, growth, peers; writes a report; 25 minutes
	@tools/bootstrap --bench
	@bench/run --write
bench-quick: build  ## three rounds of what matters most, smaller tables; under three minutes
	@tools/bootstrap --bench
	@bench/run --quick

##@ House
.PHONY: lint lint-all format
lint: build/release/build.ninja  ## formatting, layers, names, shell; clang-tidy on what changed
	@tools/bootstrap --lint
	@tools/lint
lint-all: build/release/build.ninja  ## the same, clang-tidy on everything
	@tools/bootstrap --lint
	@tools/lint --all
format:  ## formats every C++ source
	@tools/bootstrap --lint
	@git ls-files -co --exclude-standard -- '*.cc' '*.h' | xargs clang-format -i

.PHONY: docs
docs: bootstrap  ## build/site from docs/, without warnings, and build/doxygen from the public headers
	@tools/bootstrap --house
	@tools/site/build

.PHONY: package deb sbom
package: build/release/build.ninja  ## build/sluice-VERSION-….tar.gz: program, library, public headers
	@cmake --build build/release -j $(JOBS) --target sluice sluice_testing
	@packaging/tarball build/release build
deb: build/release/build.ninja  ## build/sluice_VERSION_ARCH.deb: the program, with Arrow in a folder of its own
	@tools/bootstrap --house
	@cmake --build build/release -j $(JOBS) --target sluice sluice_testing
	@packaging/deb build/release build
sbom: build/release/build.ninja  ## build/sluice-VERSION.cdx.json: what is linked, with versions (CycloneDX)
	@tools/bootstrap --house
	@cmake --build build/release -j $(JOBS) --target sluice
	@packaging/sbom build/release/sluice >build/sluice-$(VERSION).cdx.json
	@ls -sh build/sluice-$(VERSION).cdx.json

.PHONY: clean
clean:  ## removes build/; the Python environment and caches outside the tree stay
	rm -rf build

.PHONY: bootstrap servers
bootstrap:
	@tools/bootstrap
servers:
	@tools/bootstrap --servers

# Ninja asks CMake again by itself whenever a CMake file changes.
build/release/build.ninja: | bootstrap
	@cmake --preset release
