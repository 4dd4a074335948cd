# What the scripts of a release have in common: where they are, what they build with, and for what.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
host=$(rustc -vV | sed -n 's/^host: //p')
built=${CARGO_TARGET_DIR:-$root/target}

# Runs what builds for a target, so that the result says nothing of where it was built. A standard
# library that is not installed is built of the compiler's sources, where RUSTC_BOOTSTRAP lets cargo do
# so; what an installed one for musl has to link with is that of zig then.
builds_for() { # TARGET COMMAND...
    local flags="--remap-path-prefix=$root=modelkeep --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
    if [ -n "${RUSTC_BOOTSTRAP:-}" ] && [ ! -d "$(rustc --print target-libdir --target "$1")" ]; then
        local -x CARGO_UNSTABLE_BUILD_STD=std,panic_unwind,test
        [[ $1 != *-musl* ]] || flags+=" -C link-self-contained=no"
    fi
    shift
    RUSTFLAGS="$flags ${RUSTFLAGS:-}" "$@"
}

# Where the programs of an environment of Python are, which Windows calls otherwise.
programs() { # ENVIRONMENT
    [ -d "$1/Scripts" ] && echo "$1/Scripts" || echo "$1/bin"
}

# Programs of Python are in an environment of their own, whichever Python made it.
tools=$built/release-tools
install_tools() { # PACKAGES
    [ -e "$tools/pyvenv.cfg" ] || "${PYTHON:-python3}" -m venv "$tools"
    PATH=$(programs "$tools"):$PATH
    python -m pip --disable-pip-version-check --quiet install "$@"
}

# Says in `settings` what CMake is told of a target that is not this machine. The compilers of zig are
# scripts in a directory.
cross_compiles() { # TARGET DIRECTORY
    local language compiler
    settings=()
    [ "$1" != "$host" ] || return 0
    case $1 in
        *-linux-*) settings=(-DCMAKE_SYSTEM_NAME=Linux) ;;
        *-apple-darwin) settings=(-DCMAKE_SYSTEM_NAME=Darwin) ;;
        *-windows-*) settings=(-DCMAKE_SYSTEM_NAME=Windows) ;;
    esac
    for language in C CXX; do
        case $1 in
            *-windows-gnu*) compiler=${1%%-*}-w64-mingw32-$([ $language = C ] && echo gcc || echo g++) ;;
            *-windows-*) continue ;;
            *) by_zig "$1" || continue; compiler=$(zig_compiler "$1" $language "$2") ;;
        esac
        settings+=("-DCMAKE_${language}_COMPILER=$compiler")
    done
}
# What it links for musl is static, unless it is told otherwise.
zig_compiler() { # TARGET C|CXX DIRECTORY
    local zig=${1/-unknown-/-} word=cc
    [ "$2" = C ] || word=c++
    [[ $1 != *-musl* ]] || word+=' -dynamic'
    printf '#!/bin/sh\nexec python3 -m ziglang %s -target %s "$@"\n' "$word" "${zig/apple-darwin/macos}" >"$3/$2-$1"
    chmod +x "$3/$2-$1"
    echo "$3/$2-$1"
}

# Zig links for Linux, so that what is built runs where the C library is of 2012 (glibc 2.17), and from
# Linux for macOS. For Windows, and on macOS, the linker is that of the system or of mingw.
by_zig() { # TARGET
    [[ $1 != *-windows-* && $host != *-apple-darwin ]]
}
