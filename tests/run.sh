#!/usr/bin/env bash
# Every test of the project, on a machine that has Rust, Python 3.11 or newer and a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "format and lints"
cargo fmt --all --check
cargo clippy --workspace --all-targets
step "Rust tests"
cargo test --workspace
