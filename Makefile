# What a developer does with this repository. `make help` lists it.
.DEFAULT_GOAL := help
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## the command line program, optimised, as dist/driftdb
	@cargo build --release --package driftdb --bin driftdb
	@mkdir -p dist && cp $(TARGET)/release/driftdb dist/driftdb
	@echo "built dist/driftdb: $$(dist/driftdb --version)"

.PHONY: wasi
wasi: ## the same program for WASI, as dist/driftdb.wasm; fetches what it needs
	@tools/build-wasi

.PHONY: npm
npm: ## the npm package, as dist/driftdb-VERSION.tgz; fetches what it needs
	@tools/build-npm

.PHONY: web
web: ## the playground, as static files in dist/web
	@tools/build-web

.PHONY: serve
serve: web ## the playground, opened at http://127.0.0.1:4173/
	@cd web && npx vite preview --host 127.0.0.1 --port 4173 --open

.PHONY: demo
demo: build ## every statement on 10,000 orders, then this repository's own history as a database
	@cargo build --quiet --release --package driftdb --example git-history
	@GIT_HISTORY=$(TARGET)/release/examples/git-history DRIFTDB=dist/driftdb demo/run

.PHONY: test
test: ## all tests; ends with how many passed and failed
	@.ci/test

.PHONY: test-long
test-long: ## the same with the hunts (models, crashes, corruption) at full length
	@DRIFTDB_HUNT=long .ci/test --profile hunt

.PHONY: bench
bench: ## the benchmark, with SQLite and redb beside
	@cargo build --quiet --release --package driftdb-bench --bins
	@cargo run --quiet --release --package driftdb-bench --bin driftdb-bench -- $(ARGS)

.PHONY: bench-web
bench-web: ## the same in Chromium, with sqlite-wasm, wa-sqlite and PGlite beside (ARGS='--quick', '--engines driftdb,wa-sqlite', '--write')
	@tools/bench-web $(ARGS)

.PHONY: fmt
fmt: ## format the code
	@cargo fmt --all

.PHONY: clippy
clippy: ## the lints, warnings as errors
	@cargo clippy --workspace --all-targets -- -D warnings

.PHONY: ci
ci: ## everything that must pass: formatting, lints, the no_std build, dependencies, tests
	@.ci/run
