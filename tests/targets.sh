#!/usr/bin/env bash
# Type-checks the workspace for other systems; tests/platforms.sh runs it there. A target is skipped
# whose standard library is not there: from an installation or, where RUSTC_BOOTSTRAP is set, from the
# compiler's own sources.
#   tests/targets.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/checks.sh

standard=() # how cargo gets the standard library of the target
has_standard() { # TARGET
    standard=()
    [ ! -d "$(rustc --print target-libdir --target "$1")" ] || return 0
    [ -n "${RUSTC_BOOTSTRAP:-}" ] && [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] || return 1
    standard=(-Z "build-std=std,panic_unwind,test")
}

export PYO3_NO_PYTHON=1
targets=("$@")
[ $# != 0 ] || targets=(
    x86_64-pc-windows-gnu aarch64-pc-windows-gnullvm aarch64-apple-darwin x86_64-unknown-freebsd
    x86_64-unknown-linux-musl aarch64-unknown-linux-gnu i686-unknown-linux-gnu
    armv7-unknown-linux-gnueabihf
)
for target in "${targets[@]}"; do
    if ! has_standard "$target"; then
        not_here "$target" "its standard library is not installed"
    elif cargo check "${standard[@]}" --workspace --target "$target"; then
        pass "$target: type-checks"
    else
        fail "$target: does not type-check"
    fi
done
