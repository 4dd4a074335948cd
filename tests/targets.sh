#!/usr/bin/env bash
# Type-checks the workspace for other systems, and runs the tests of Windows under wine. A target is
# skipped whose standard library is not there: from an installation or, where RUSTC_BOOTSTRAP is set,
# from the compiler's own sources.
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
for target in x86_64-pc-windows-gnu aarch64-apple-darwin x86_64-unknown-linux-musl \
    aarch64-unknown-linux-gnu i686-unknown-linux-gnu armv7-unknown-linux-gnueabihf; do
    if ! has_standard "$target"; then
        not_here "$target" "its standard library is not installed"
    elif cargo check "${standard[@]}" --workspace --target "$target"; then
        pass "$target: type-checks"
    else
        fail "$target: does not type-check"
    fi
done

target=x86_64-pc-windows-gnu
if ! has_standard "$target" || ! command -v wine64 >/dev/null || ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
    not_here "the tests of Windows" "wine, MinGW or the standard library is not installed"
else
    export WINEDEBUG=-all CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine64
    if cargo test "${standard[@]}" -p modelkeep --lib --test windows --target "$target"; then
        pass "$target: the tests pass under wine"
    else
        fail "$target: tests fail under wine"
    fi
fi
