# Every target says what it does: make help

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo demo-spring services ui test test-ui test-spring test-long test-long-spring screenshots fuzz bench bench-ui show-main-job show-incidents show-logs show-embedded show-api show-ui show-spring show-detector eval-detection lint build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The operator's pages; npm writes the second file when it has installed what the lock file says.
ui_sources := $(shell find ui/src ui/public -type f ! -name '*.test.ts*') ui/index.html ui/vite.config.ts ui/package.json
ui_page := ui/dist/index.html
ui_packages := ui/node_modules/.package-lock.json

demo: ui ## A simulated shop, Bellwether with its embedded store and one fault (FAULT=, SERVICE=, SEED=, FAULTS=none); ends with Ctrl-C
	@scripts/demo.sh

demo-spring: ui ## The same on real parts: four Spring Boot services under load, Prometheus, Bellwether (FAULT=, SERVICE= tell one story); ends with Ctrl-C
	@scripts/demo_spring.sh

services: ## The sample services with their tests (needs a JDK 17 or newer and Maven)
	@scripts/require.sh java mvn
	cd services && mvn --batch-mode --no-transfer-progress --quiet verify

ui: $(ui_page) ## The operator's pages, which every build takes along (needs Node.js 20.19 or newer with npm)

$(ui_packages): ui/package-lock.json ui/package.json
	@scripts/require.sh node
	cd ui && npm ci --no-audit --no-fund
	@touch $@

$(ui_page): $(ui_sources) $(ui_packages)
	@scripts/require.sh node
	cd ui && npm run --silent build

test: ui ## Purity, formatting, lints and all tests (needs Debian's prometheus, prometheus-alertmanager, nginx, maven, openjdk-17-jdk-headless, binutils, systemd, openssl, python3-yaml, curl, python3 and chromium, and Node.js; about twenty minutes the first time)
	@scripts/require.sh cargo cc prometheus prometheus-alertmanager curl python3 chromium nginx openssl objdump systemd-analyze python3-yaml
	@scripts/check_pure.sh
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test --workspace
	scripts/check_deploy.sh $${CARGO_TARGET_DIR:-target}/debug/bellwether
	scripts/check_deploy.sh --self-test
	@$(MAKE) --no-print-directory test-ui
	@$(MAKE) --no-print-directory test-spring

# The pages are looked at in the binary that the tests have built.
test-ui: ui ## The operator's pages alone: types, lints, unit tests, and a real browser on the debug binary
	@scripts/require.sh chromium
	cd ui && npm run --silent types && npm run --silent lint && npm run --silent test && npm run --silent e2e

# The simulator's tests (it) bring its program along, with the features that all tests are built with.
test-spring: services ## One fault on real Spring Boot services with a real Prometheus and load, in production windows; the doctor on them; the simulated fleet against them
	@scripts/require.sh cargo cc prometheus curl
	cargo test --workspace --no-run --test spring --test it
	cargo clippy --workspace --test spring -- -D warnings
	cargo test --workspace --test spring -- --nocapture

test-long-spring: services ## All eight faults on them (at most 100 minutes; FAULT= tells one; a stopped run goes on where it was, RESTART=1 begins anew)
	@scripts/test_long_spring.sh

screenshots: ui ## Every page in light, dark and as wide as a phone, to ui/shots, from a demo of its own (BELLWETHER=http://... one that runs)
	@scripts/require.sh cargo cc chromium
	cargo build -p server --bin bellwether
	cd ui && npm run --silent screenshots

test-long: ## The live tests with 500 kills, 100 more while people are paged, twelve minutes behind an Alertmanager, a recording of ten minutes, whole episodes and every demo; again with Prometheus 3 (needs Go); ten more simulated weeks
	@scripts/require.sh cargo cc prometheus prometheus-alertmanager curl python3
	BELLWETHER_KILLS=500 BELLWETHER_PAGING_KILLS=100 BELLWETHER_ALERTMANAGER_MINUTES=12 BELLWETHER_STORM_SECONDS=60 BELLWETHER_RECORD_SECONDS=600 BELLWETHER_WHOLE_EPISODES=1 BELLWETHER_DEMO_STORIES=all cargo test -p server --test live
	scripts/prometheus3.sh >/dev/null
	TEST_PROMETHEUS=$$(scripts/prometheus3.sh) cargo test -p embedded --test promql
	TEST_PROMETHEUS=$$(scripts/prometheus3.sh) cargo test -p server --test live -- end_to_end
	BELLWETHER_WEEKS=10 cargo test --release -p lab --test week

fuzz: ## Any bytes to the parsers, a minute each (FUZZ_SECONDS=60, TARGETS="exposition"); needs cargo-fuzz, nightly Rust and a C++ compiler
	@scripts/fuzz.sh

bench: ## How fast the forest, the whole detector, the engine, log templates and the exposition parser are, beside peers (scikit-learn and isotree in an environment of their own, logdrain, prometheus-parse); ten thousand incidents over the API; metrics by wrk
	@scripts/require.sh cargo cc curl
	cargo bench -p forest
	cargo bench -p detect
	cargo bench -p engine
	cargo run --release -p lab --example log_peer
	cargo bench -p embedded --bench exposition
	cargo run --release -p embedded --example promql_speed
	scripts/check_builds.sh
	scripts/bench_forest.sh
	scripts/bench_detector.sh
	scripts/bench_main_job.sh
	scripts/bench_incidents.sh
	scripts/bench_api.sh

bench-ui: ## How fast the operator's pages are in Chromium with 200 services and 10,000 incidents: first paint, interactions, JavaScript, memory over ten minutes (LIVE_SECONDS=600)
	@scripts/bench_ui.sh

show-main-job: ## Measure what Bellwether promises, line by line, against its bars (LINES="1 2" selects)
	@scripts/show_main_job.sh

show-incidents: ## Measure how incidents explain themselves, line by line, against the bars (LINES="2 4" selects, WEEKS=10)
	@scripts/show_incidents.sh

show-logs: ## Measure what is read of logs, line by line, against the bars (LINES="2 3" selects, DATA=../shared/data, GB=5)
	@scripts/show_logs.sh

show-embedded: ## Measure demo, embedded store and parser, line by line, against the bars (LINES="2 3" selects, STORIES=one)
	@scripts/show_embedded.sh

show-api: ## Measure the API, access control and paging, line by line, against the bars (LINES="2 4" selects)
	@scripts/show_api.sh

show-ui: ## Measure the operator's pages, line by line, against the bars (LINES="1 3" selects)
	@scripts/show_ui.sh

show-spring: ## Measure Bellwether on real Spring Boot services, line by line, against the bars (LINES="1 3" selects)
	@scripts/show_spring.sh

show-detector: ## Measure the detector, line by line, against the bars (LINES="1 4" selects, WEEKS=10, DATA=../shared/data, EVAL=../shared/eval)
	@DATA="$(or $(DATA),../shared/data)" EVAL="$(or $(EVAL),../shared/eval)" scripts/show_detector.sh

eval-detection: ## Score the detector on labelled series beside its peers, to target/eval/detection.md (DATA=../shared/data, EVAL=../shared/eval, PEERS="netdata ewma"; peers take an hour the first time)
	@DATA="$(or $(DATA),../shared/data)" EVAL="$(or $(EVAL),../shared/eval)" scripts/eval_detection.sh

lint: ## Purity, formatting and lints alone
	@scripts/require.sh cargo cc
	@scripts/check_pure.sh
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

build: ui ## The release binary, target/release/bellwether
	@scripts/require.sh cargo cc
	cargo build --release -p server

clean: ## Remove what was built and what the demo and the benches left
	cargo clean
	rm -rf services/target services/*/target services/run ui/dist ui/shots .demo .bench fuzz/target fuzz/found fuzz/artifacts
