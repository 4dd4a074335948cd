#!/usr/bin/env bash
# Builds the archive of a release: what a user unpacks into a prefix, or sets the path to. It has the
# command with its manual and completions, and the libraries of C with what CMake and pkg-config ask for.
#   release/archive.sh DIRECTORY [TARGET]...
# A target is a triple of rustc; without one, the archive is for this machine. Made of the same commit
# with the same tools, it has the same bytes.
set -euo pipefail
out=$(mkdir -p "${1:?a directory is needed}" && cd "$1" && pwd)
shift
source "$(dirname "$0")/tools.sh"
install_tools ziglang cargo-zigbuild
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# How cargo builds for a target, in `build` and `triple`.
describe() { # TARGET
    build=build triple=$1
    if by_zig "$1"; then
        build=zigbuild
        [[ $1 != *-linux-gnu* ]] || triple=$1.2.17
    fi
}

# The manual and the completions are the same for every target, and made by the command of this one.
documents() { # PREFIX
    local share=$1/share
    mkdir -p "$share"/{man/man1,bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
    cargo build --locked --quiet --package modelkeep-cli
    "$built/debug/modelkeep" man "$share/man/man1"
    "$built/debug/modelkeep" completions bash >"$share/bash-completion/completions/modelkeep"
    "$built/debug/modelkeep" completions zsh >"$share/zsh/site-functions/_modelkeep"
    "$built/debug/modelkeep" completions fish >"$share/fish/vendor_completions.d/modelkeep.fish"
    mkdir -p "$share/doc/modelkeep"
    cp LICENSE-MIT LICENSE-APACHE CHANGELOG.md README.md docs/c-api.md "$share/doc/modelkeep"
}

archive() ( # TARGET
    describe "$1"
    cross_compiles "$1" "$work"
    prefix=$work/modelkeep-$version-$1
    cmake --no-warn-unused-cli -S . -B "$work/build-$1" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_LIBDIR=lib \
        -DMODELKEEP_TRIPLE="$triple" -DMODELKEEP_BUILD="$build" -DMODELKEEP_TARGET_DIR="$built" "${settings[@]}"
    libraries "$1"
    cmake --install "$work/build-$1" --config Release --prefix "$prefix"
    builds_for "$1" cargo "$build" --locked --release --package modelkeep-cli --target "$triple" --target-dir "$built"
    mkdir -p "$prefix/bin"
    cp "$built/$1/release/modelkeep"$([[ $1 != *-windows-* ]] || echo .exe) "$prefix/bin"
    documents "$prefix"
    python3 release/pack.py "$prefix" "$out"
)

# What is to be linked into others cannot have the C library in itself, as the command has on musl.
libraries() { # TARGET
    [[ $1 != *-linux-musl* ]] || local -x RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=-crt-static"
    builds_for "$1" cmake --build "$work/build-$1" --config Release
}

for target in "${@:-$host}"; do
    archive "$target"
done
