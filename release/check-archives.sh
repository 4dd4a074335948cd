#!/usr/bin/env bash
# Looks at the archives of a directory, and uses the one for this machine as its users do.
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

used_here() { # PREFIX
    local prefix=$1 program flags
    "$prefix/bin/modelkeep" --version | grep -qx "modelkeep $version"
    pass "the command runs"
    cmake -S tests/c/host -B "$work/host" -DWAY=installed -DCMAKE_PREFIX_PATH="$prefix" >"$work/log"
    cmake --build "$work/host" >>"$work/log"
    for program in c-modelkeep c-static cpp-modelkeep cpp-static; do
        mkdir "$work/$program.d"
        "$work/host/$program" tests/data/tiny.gguf "$work/$program.d"
        pass "$program of a project in CMake"
    done
    read -ra flags < <(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs modelkeep)
    "${CC:-cc}" -std=c11 -D_POSIX_C_SOURCE=200809L tests/c/models.c -o "$work/by-pkg-config" "${flags[@]}"
    mkdir "$work/pkg-config.d"
    LD_LIBRARY_PATH=$prefix/lib "$work/by-pkg-config" tests/data/tiny.gguf "$work/pkg-config.d"
    pass "a program by pkg-config"
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
    [[ $name != *-"$host" ]] || used_here "$prefix"
done
