#!/usr/bin/env bash
# Every test of the project, on a machine that has Rust, Python 3.11 or newer and a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "format and lints"
cargo fmt --all --check
cargo clippy --workspace --all-targets -- -D warnings
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
python3 tests/links.py
python3 tests/api.py
step "Rust tests"
cargo test --workspace
step "recorded answers"
cargo build --workspace
bash tests/conformance.sh
step "GGUF corpus"
python3 tests/corpus.py
step "C and C++ programs"
bash tests/c.sh
step "side by side with Ollama"
python3 tests/side_by_side.py
python3 tests/side_by_side.py --odd
step "clients of Ollama"
bash tests/clients.sh
step "crashes and power cuts"
bash tests/crash.sh quick
step "stores made at random"
bash fuzz/stores.sh quick
step "Python"
bash tests/python.sh
