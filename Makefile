# flott's commands. `make demo` and `make test` set up what they need by themselves; see tools/setup.

# Build results are kept outside the checkout, so that clones share them.
FLOTT_CACHE ?= $(HOME)/.cache/flott
export CARGO_TARGET_DIR ?= $(FLOTT_CACHE)/target

# RocksDB is compiled once for the machine, by tools/rocksdb; cargo is told here where it is.
ROCKSDB := $(FLOTT_CACHE)/rocksdb-$(shell sed -n '/^name = "librocksdb-sys"$$/{n;s/^version = "\(.*\)"$$/\1/p;}' Cargo.lock)
export ROCKSDB_LIB_DIR ?= $(ROCKSDB)
export SNAPPY_LIB_DIR ?= $(ROCKSDB)
export ROCKSDB_STATIC ?= 1
export SNAPPY_STATIC ?= 1
# What is not part of the packages by default, and tested all the same.
FEATURES ?= --features flott/rocksdb

# The tests that drive operators step by step, which run again with a snapshot and a restore between any two steps.
HARNESSED := --test api --test joins --test state --test windows

export PATH := $(PATH):$(HOME)/.cargo/bin

WORKLOADS ?= stateless word_count keyed_sum map_state broadcast timers window_sum sliding_sum session_sum \
             latency startup idle memory

.PHONY: help demo test torture bench fmt setup rocksdb
.DEFAULT_GOAL := help

help: ## Lists these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## Builds flott, runs two jobs on real data and shows their results
	@cargo build --locked --release --package flott-examples
	@tools/demo "$(CARGO_TARGET_DIR)/release"

test: setup rocksdb ## Checks format, lints and docs; runs all tests and the examples
	@tools/phase format cargo fmt --all --check
	@tools/phase clippy cargo clippy --locked --workspace $(FEATURES) --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" tools/phase docs cargo doc --locked --workspace $(FEATURES) --no-deps
	@tools/phase tests cargo test --locked --workspace $(FEATURES)
	@FLOTT_TEST_SNAPSHOTS=1 tools/phase restored cargo test --locked --workspace $(FEATURES) $(HARNESSED)
	@tools/phase examples tools/demo "$(CARGO_TARGET_DIR)/debug"

torture: setup ## Kills jobs 1,000 times and lives 100,000 seeds of the simulation: about an hour; FLOTT_KILLS, FLOTT_SIM_SEEDS
	@FLOTT_SIM_SEEDS=$${FLOTT_SIM_SEEDS:-100000} cargo test --locked --package flott-sim
	@FLOTT_KILLS=$${FLOTT_KILLS:-500} cargo test --locked --package flott-examples --test kill --test trouble

bench: setup ## Measures flott against hand-written loops; WORKLOADS="keyed_sum" ARGS="--keys 1000000" for less
	@cargo build --locked --release --package flott-bench
	@for workload in $(WORKLOADS); do "$(CARGO_TARGET_DIR)/release/flott-bench" $$workload $(ARGS) || exit; done

fmt: setup ## Formats all code
	@cargo fmt --all

setup: ## Installs what a build needs, where it is missing
	@tools/setup

rocksdb: setup ## Compiles RocksDB, once for the machine
	@tools/rocksdb
