#!/usr/bin/env bash
# What we build with is what deny.toml allows: licenses, one version of each crate, the registry of
# crates and no other source.
#   tests/deny.sh [CHECK...]      others of cargo deny: `advisories` fetches a database from a host
#                                 of its own, and so is for the workflow
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# != 0 ] || set -- bans licenses sources

tools=$PWD/target/cargo-tools
CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --debug --locked --root "$tools" cargo-deny@0.20.2
PATH=$tools/bin:$PATH cargo deny --workspace check "$@"
