#!/usr/bin/env bash
# Every test of the project, on a machine that has Rust, Python 3.11 or newer and a C compiler. Ends
# with `N passed, N failed, N skipped`. What a test needs and does not find is skipped and counted;
# where MODELKEEP_REQUIRE is all, it fails, unless it is the machine itself that lacks it: rights of
# root, a second disk, an instruction of the processor. tests/install.sh installs what is needed.
set -uo pipefail
source "$(dirname "$0")/steps.sh"
cd "$(dirname "$0")/.."

export PYTHONUNBUFFERED=1
step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets -- -D warnings
export RUSTDOCFLAGS="-D warnings"
step "documentation" cargo doc --workspace --no-deps --document-private-items
unset RUSTDOCFLAGS
step "links" python3 tests/links.py
step "public surface" python3 tests/api.py
step "calls by binding" python3 tests/bindings.py
step "a fleet, simulated" python3 tests/fleet.py
step "the runner of the tests" bash tests/runner.sh
step "Rust tests" cargo test --workspace --no-fail-fast
step "build" cargo build --workspace

# What runs the programs that were built, what builds for a release and uses that, and what builds for
# other systems: none needs another, and each waits much.
programs() {
    step "recorded answers" bash tests/conformance.sh
    step "GGUF corpus" python3 tests/corpus.py
    step "C and C++ programs" bash tests/c.sh
    step "side by side with Ollama" python3 tests/side_by_side.py --seed 1
    step "side by side with Ollama, odd JSON" python3 tests/side_by_side.py --odd --seed 2
    step "clients of Ollama" bash tests/clients.sh
    step "pulled from as a registry" bash tests/registry.sh
    step "pushed to and pulled from registries" bash tests/remote.sh
    step "crashes and power cuts" bash tests/crash.sh quick
    step "stores made at random" bash fuzz/stores.sh quick
}
releases() {
    # What the scripts of a release make is used here as its users will, and is built without the
    # optimizations that would take minutes; the workflow builds and tests it as it is published.
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=1
    step "Python" bash tests/python.sh
    step "README and guides" bash tests/pages.sh
    step "site" bash tests/site.sh
    step "what we build with" bash tests/deny.sh
    step "workflows" bash tests/workflows.sh
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=0
    step "wheel" bash release/check-wheels.sh target/dist tests/python/test_{package,scenarios}.py
    step "source distribution" env MATURIN_PEP517_ARGS="--profile dev" bash release/check-sdist.sh target/dist
    step "archive" bash release/archive.sh target/archives
    step "archive in use" bash release/check-archives.sh target/archives
    step "crate" bash release/check-crate.sh
}
systems() {
    step "other systems" env PARTS='tour recordings corpus c' bash tests/platforms.sh arm64 s390x i386 musl windows
}
beside programs releases systems
summary
