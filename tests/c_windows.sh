#!/usr/bin/env bash
# The C binding on Windows: compiles the programs of C and C++ by MinGW against the DLL and the static
# library, and runs them, by wine where this is not Windows. tests/platforms.sh calls it.
#   tests/c_windows.sh DIRECTORY        where modelkeep.dll, its import library and libmodelkeep.a are
set -euo pipefail
libraries=$(cd "${1:?a directory is needed}" && pwd)
cd "$(dirname "$0")/.."
source tests/checks.sh
work=$(mktemp -d)
cleanup() { rm -rf "$work"; }

# The loader looks for libraries beside the program.
cp "$libraries/modelkeep.dll" "$(x86_64-w64-mingw32-gcc -print-file-name=libwinpthread-1.dll)" "$work"
warnings=(-Wall -Wextra -Werror -Iinclude -static-libgcc)
c=(x86_64-w64-mingw32-gcc -std=c11 -D_POSIX_C_SOURCE=200809L "${warnings[@]}")
cpp=(x86_64-w64-mingw32-g++ -std=c++17 -static-libstdc++ "${warnings[@]}")
# As in bindings/c/CMakeLists.txt.
system=(-lkernel32 -lntdll -luserenv -lws2_32 -ldbghelp -lbcrypt)
run=()
[ "$(uname -s)" != Linux ] || run=(wine64)

proves() { # PROGRAM ARGUMENT...
    local source=tests/c/$1 name=${1%.*} compile=("${c[@]}") way
    shift
    [ "${source##*.}" = c ] || compile=("${cpp[@]}")
    "${compile[@]}" "$source" -o "$work/$name-shared.exe" "$libraries/libmodelkeep.dll.a" -pthread
    "${compile[@]}" "$source" -o "$work/$name-static.exe" "$libraries/libmodelkeep.a" "${system[@]}" -pthread
    for way in shared static; do
        mkdir "$work/$name-$way.d"
        if "${run[@]}" "$work/$name-$way.exe" "$@" "$work/$name-$way.d"; then
            pass "$name, $way"
        else
            fail "$name, $way"
        fi
    done
}

proves scenarios.c tests/scenarios.txt tests/data/tiny.gguf
proves conventions.c tests/data/tiny.gguf
proves options.c tests/data/tiny.gguf
proves models.c tests/data/tiny.gguf
proves results.c tests/data/tiny.gguf
proves archives.c tests/data/tiny.gguf
proves threads.c tests/data/tiny.gguf
proves tour.cpp tests/data/tiny.gguf
