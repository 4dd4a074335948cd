#!/usr/bin/env bash
# Builds everything and runs the library's own tests with the oldest compiler that Cargo.toml
# promises as `rust-version`. Where rustup is, it installs that compiler; elsewhere the compiler has
# to be it.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
[ -n "$version" ] || { echo "Cargo.toml states no rust-version" >&2; exit 1; }
if command -v rustup >/dev/null; then
    rustup toolchain install "$version" --profile minimal --no-self-update
    export RUSTUP_TOOLCHAIN=$version
fi
found=$(rustc --version | cut -d ' ' -f 2)
[[ $found == "$version".* ]] || { echo "Rust $version is promised, and $found is here" >&2; exit 1; }
cargo check --workspace --all-targets
cargo test --package modelkeep --lib
