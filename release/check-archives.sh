#!/usr/bin/env bash
# Looks at the archives of a directory, and uses as their users do the one for this machine and those
# for which there is a runner as cargo has it: CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine64, say.
#   release/check-archives.sh DIRECTORY
set -euo pipefail
dist=$(cd "${1:?a directory is needed}" && pwd)
source "$(dirname "$0")/tools.sh"
source tests/checks.sh
work=$(mktemp -d)
cleanup() { rm -rf "$work"; }

unpack() { # ARCHIVE DIRECTORY
    mkdir -p "$2"
    python3 -c 'import shutil, sys; shutil.unpack_archive(*sys.argv[1:])' "$1" "$2"
}

# Every archive has each thing once, under whatever name its system gives it.
holds() { # DIRECTORY PATTERN...
    local place=$1 pattern found
    shift
    for pattern in "$@"; do
        found=$(find "$place" -path "$place/$pattern" | wc -l)
        [ "$found" = 1 ] || { fail "$(basename "$place") has $found of $pattern"; return; }
    done
    pass "$(basename "$place") is complete"
}

# The newest version of the C library that a program of Linux asks for is of 2012.
runs_on_old() { # NAME FILE...
    local asked newest
    asked=$(readelf --version-info --wide "${@:2}" 2>/dev/null | grep -oE 'GLIBC_[0-9.]+' | sort -uV)
    newest=$(tail -n 1 <<<"$asked")
    if [ "$(printf '%s\nGLIBC_2.17\n' "$newest" | sort -V | tail -n 1)" = GLIBC_2.17 ]; then
        pass "$1 asks for ${newest:-no version of the C library}"
    else
        fail "$1 asks for $newest"
    fi
}

# What starts a program of a target, in `run`.
runs_here() { # TARGET
    local name
    name=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$1")_RUNNER
    read -ra run <<<"${!name:-}"
    [ "$1" = "$host" ] || [ -n "${!name:-}" ]
}

# Windows looks for a DLL beside the program and on the path, and Linux where a program says.
runs() { # WHAT PREFIX PROGRAM
    local scratch
    scratch=$(mktemp -d "$work/scratch.XXX")
    cp "$2"/bin/*.dll "$(dirname "$3")" 2>/dev/null || true
    LD_LIBRARY_PATH=$2/lib "${run[@]}" "$3" tests/data/tiny.gguf "$scratch"
    pass "$1"
}

used() { # TARGET PREFIX
    local place=$work/host-$1 prefix=$2 suffix= program flags compiler
    [[ $1 != *-windows-* ]] || suffix=.exe
    mkdir "$place"
    "${run[@]}" "$prefix/bin/modelkeep$suffix" --version | tr -d '\r' | grep -qx "modelkeep $version"
    pass "the command for $1 runs"
    [ "$1" = "$host" ] || install_tools ziglang
    cross_compiles "$1" "$place"
    case $1 in
        "$host") ;;
        # The DLLs of the compiler itself are not beside what it makes.
        *-windows-gnu) settings+=(-DCMAKE_EXE_LINKER_FLAGS=-static) ;;
        # A program of C has nothing from zig that unwinds, as it has from gcc.
        *-linux-*) settings+=(-DCMAKE_EXE_LINKER_FLAGS=-lunwind) ;;
    esac
    cmake -S tests/c/host -B "$place" -DWAY=installed -DCMAKE_BUILD_TYPE=Release "${settings[@]}" \
        "-Dmodelkeep_DIR=$prefix/lib/cmake/modelkeep" >"$place/log"
    cmake --build "$place" --config Release >>"$place/log"
    for program in c-modelkeep c-static cpp-modelkeep cpp-static; do
        runs "$program of a project in CMake for $1" "$prefix" "$place/$program$suffix"
    done
    # What compiles for others is what CMake found.
    compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$place/CMakeCache.txt")
    [[ $1 != *-msvc ]] || return 0
    read -ra flags < <(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs modelkeep)
    "$compiler" -std=c11 -D_POSIX_C_SOURCE=200809L tests/c/models.c -o "$place/by-pkg-config$suffix" "${flags[@]}"
    runs "a program by pkg-config for $1" "$prefix" "$place/by-pkg-config$suffix"
}

shopt -s nullglob
archives=("$dist"/modelkeep-"$version"-*-*.tar.gz "$dist"/modelkeep-"$version"-*-*.zip)
[ ${#archives[@]} != 0 ] || fail "there is no archive in $dist"
for archive in "${archives[@]}"; do
    name=$(basename "$archive")
    name=${name%.tar.gz}
    name=${name%.zip}
    # Not where it was built: what is installed may be moved.
    unpack "$archive" "$work/unpacked"
    prefix="$work/unpacked/$name"
    common=(include/modelkeep.h include/modelkeep.hpp lib/pkgconfig/modelkeep.pc share/man/man1/modelkeep.1
        share/doc/modelkeep/LICENSE-MIT lib/cmake/modelkeep/modelkeep-config.cmake)
    case $name in
        *-windows-msvc) holds "$prefix" "${common[@]}" bin/modelkeep.exe bin/modelkeep.dll lib/modelkeep.dll.lib lib/modelkeep.lib ;;
        *-windows-gnu) holds "$prefix" "${common[@]}" bin/modelkeep.exe bin/modelkeep.dll lib/libmodelkeep.dll.a lib/libmodelkeep.a ;;
        *-apple-darwin) holds "$prefix" "${common[@]}" bin/modelkeep lib/libmodelkeep.0.dylib lib/libmodelkeep.dylib lib/libmodelkeep.a ;;
        *) holds "$prefix" "${common[@]}" bin/modelkeep lib/libmodelkeep.so.0 lib/libmodelkeep.so lib/libmodelkeep.a ;;
    esac
    if grep -rlaF -e "$root" -e "$HOME/" "$prefix"; then
        fail "$name tells where it was built"
    else
        pass "$name does not tell where it was built"
    fi
    [[ $name != *-linux-gnu* ]] || runs_on_old "$name" "$prefix/bin/modelkeep" "$prefix/lib/libmodelkeep.so.0"
    target=${name#modelkeep-"$version"-}
    if runs_here "$target"; then
        used "$target" "$prefix"
    else
        not_here "$name in use" "nothing runs here what is for $target"
    fi
done
