#!/usr/bin/env bash
# The C binding: compiles C and C++ programs against the shared and the static library, runs them under
# valgrind where it is, and with the sanitizers of the compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/checks.sh

cargo build --package modelkeep-c --package modelkeep-cli
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
libraries=$target/debug
work=$(mktemp -d)
cleanup() { rm -rf "$work"; }
# The shared library is known by its soname.
ln -sf libmodelkeep.so "$libraries/libmodelkeep.so.0"

warnings=(-Wall -Wextra -Wpedantic -Wredundant-decls -Werror -Iinclude -g -pthread)
c=(gcc -std=c11 -D_POSIX_C_SOURCE=200809L -Wstrict-prototypes "${warnings[@]}")
cpp=(g++ -std=c++17 "${warnings[@]}")
static=("$libraries/libmodelkeep.a" -lpthread -lm -ldl)
shared=(-L"$libraries" -lmodelkeep "-Wl,-rpath,$libraries")
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all)

if command -v valgrind >/dev/null; then
    under=(valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect
        --errors-for-leak-kinds=definite,indirect)
else
    under=()
    skip "C programs under valgrind" "no valgrind on the path"
fi

# valgrind of 2022 does not know cachestat (451), which we do without where it is unknown, and says
# so in five lines for each window of each file.
quieted() { sed '/WARNING: unhandled amd64-linux syscall: 451/,/valgrind.org.support/d' >&2; }

# Builds a program in three ways and runs each, with a directory of its own: against the shared
# library under valgrind, against the static one, and with the compiler's sanitizers.
proves() {
    local name=$1 source=tests/c/$1 compile=("${c[@]}") way
    shift
    [ "${name##*.}" = c ] || compile=("${cpp[@]}")
    "${compile[@]}" "$source" -o "$work/$name-shared" "${shared[@]}"
    "${compile[@]}" "$source" -o "$work/$name-static" "${static[@]}"
    "${compile[@]}" "${sanitizers[@]}" "$source" -o "$work/$name-sanitized" "${shared[@]}"
    for way in shared static sanitized; do
        mkdir "$work/$name-$way.d"
        echo "$name, $way"
        local before=()
        [ "$way" != shared ] || before=("${under[@]}")
        "${before[@]}" "$work/$name-$way" "$@" "$work/$name-$way.d" 2> >(quieted)
        passed=$((passed + 1))
    done
}

proves scenarios.c tests/scenarios.txt tests/data/tiny.gguf
proves conventions.c tests/data/tiny.gguf
proves models.c tests/data/tiny.gguf
proves results.c tests/data/tiny.gguf
proves archives.c tests/data/tiny.gguf
proves threads.c tests/data/tiny.gguf
proves tour.cpp tests/data/tiny.gguf

# The GGUF corpus: the outcome of each file, and under the sanitizers every byte that is borrowed.
"${c[@]}" tests/c/corpus.c -o "$work/corpus" "${shared[@]}"
"${c[@]}" "${sanitizers[@]}" tests/c/corpus.c -o "$work/corpus-sanitized" "${shared[@]}"
corpus=
for place in tests "${MODELKEEP_SHARED:-}" ../shared; do
    [ -n "$corpus" ] || [ ! -d "$place/gguf/corpus" ] || corpus=$place/gguf/corpus
done
if [ -n "$corpus" ]; then
    python3 tests/corpus.py "$work/corpus"
    "$work/corpus-sanitized" "$corpus"/*.gguf
    pass "the GGUF corpus under the sanitizers"
else
    skip "the GGUF corpus through C" "no gguf/corpus in tests, \$MODELKEEP_SHARED or ../shared"
fi

# The headers are for older C and newer C++, too.
echo '#include <modelkeep.h>' >"$work/header.c"
echo '#include <modelkeep.hpp>' >"$work/header.cpp"
gcc -std=c99 "${warnings[@]}" -fsyntax-only "$work/header.c"
for standard in 17 20 23; do
    g++ "-std=c++$standard" "${warnings[@]}" -Wshadow -Wconversion -fsyntax-only "$work/header.cpp"
done
pass "the headers compile as C99 and as C++17, 20 and 23"

# The shared library exports what the header declares, and nothing else.
diff <(nm -D --defined-only "$libraries/libmodelkeep.so" | awk '{print $3}' | sort) \
    <(grep -oE '\bmkeep_[a-z_0-9]+\(' include/modelkeep.h | tr -d '(' | sort)
pass "what is exported is what the header declares"

# Every function that the header declares is called by a program of C, and by the header of C++, where
# a std::string needs no mkeep_string_c.
uncalled() { # FILE...
    comm -23 <(grep -oE '\bmkeep_[a-z_0-9]+\(' include/modelkeep.h | tr -d '(' | sort -u) \
        <(grep -ohE '\bmkeep_[a-z_0-9]+\b' "$@" | sort -u)
}
missed=$(uncalled tests/c/*.[ch])$(uncalled include/modelkeep.hpp | sed '/^mkeep_string_c$/d')
[ -z "$missed" ] || { echo "called nowhere: $missed" >&2; exit 1; }
pass "every function of the header is called"

# A project takes the library from a checkout, as a subdirectory or fetched, or installed and then
# moved, by CMake or by pkg-config. A place may have a space in its name.
in_cmake() { # WAY OPTION...
    local way=$1 build="$work/host $1" program
    cmake -S tests/c/host -B "$build" -DWAY="$way" "${@:2}" >"$work/log"
    cmake --build "$build" >>"$work/log"
    for program in c-modelkeep c-static cpp-modelkeep cpp-static; do
        mkdir "$build/$program.d"
        "$build/$program" tests/data/tiny.gguf "$build/$program.d"
        pass "$program of a project in CMake, $way"
    done
}
by_pkg_config() { # NAME [OPTION]
    local flags
    read -ra flags < <(pkg-config --cflags --libs "${@:2}" modelkeep)
    gcc -std=c11 -D_POSIX_C_SOURCE=200809L tests/c/models.c -o "$work/c-$1" "${flags[@]}"
    g++ -std=c++17 tests/c/tour.cpp -o "$work/cpp-$1" "${flags[@]}" -pthread
    for program in "c-$1" "cpp-$1"; do
        mkdir "$work/$program.d"
        "$work/$program" tests/data/tiny.gguf "$work/$program.d"
        pass "$program by pkg-config"
    done
}
if command -v cmake >/dev/null && command -v pkg-config >/dev/null; then
    reused=(-DMODELKEEP_TARGET_DIR="$target" -DCMAKE_BUILD_TYPE=Debug)
    in_cmake subdirectory -DCHECKOUT="$PWD" "${reused[@]}"
    in_cmake fetched -DFETCHCONTENT_SOURCE_DIR_MODELKEEP="$PWD" "${reused[@]}"
    # The program of a host, and the library with it.
    cmake --install "$work/host subdirectory" --prefix "$work/host" >>"$work/log"
    mkdir "$work/host.d"
    LD_LIBRARY_PATH=$(dirname "$(find "$work/host" -name libmodelkeep.so)") \
        "$work/host/bin/c-modelkeep" tests/data/tiny.gguf "$work/host.d"
    pass "a project in CMake installs the library with its program"

    cmake -S . -B "$work/build" "${reused[@]}" >"$work/log"
    cmake --build "$work/build" >>"$work/log"
    cmake --install "$work/build" --prefix "$work/prefix" >>"$work/log"
    mv "$work/prefix" "$work/moved"
    in_cmake installed -DCMAKE_PREFIX_PATH="$work/moved"
    PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name modelkeep.pc)")
    export PKG_CONFIG_PATH
    library=$(pkg-config --variable=libdir modelkeep)
    LD_LIBRARY_PATH=$library by_pkg_config shared
    rm "$library"/libmodelkeep.so*
    by_pkg_config static --static
else
    skip "the library in other projects" "no cmake or no pkg-config on the path"
fi

# The static library wants no more of the system than what it is described with, or than a compiler
# of C links by itself.
wanted=$(cargo rustc --quiet --package modelkeep-c --lib --crate-type staticlib -- \
    --print native-static-libs 2>&1 | sed -n 's/^note: native-static-libs: //p')
[ -n "$wanted" ]
for library in $wanted; do
    case $library in
        -lpthread | -lm | -ldl | -lrt | -lutil | -lgcc_s | -lc) ;;
        *) fail "the static library wants $library" ;;
    esac
done
pass "the libraries of the system are the known ones"

# The examples of the documents compile as they stand, and do what they say.
example() { # LANGUAGE DOCUMENT [NUMBER]
    local language=$1 source=$work/example.$1
    # The program of that number, from 1.
    awk -v wanted="${3:-1}" "/^\`\`\`$language\$/ {inside=++count==wanted; next}
        /^\`\`\`/ {inside=0} inside" "$2" >"$source"
    case $language in
        c) "${c[@]}" "$source" -o "$work/example" "${shared[@]}" ;;
        cpp) "${cpp[@]}" "$source" -o "$work/example" "${shared[@]}" ;;
    esac
}
expect() { # TEXT COMMAND...
    local found
    found=$("${@:2}")
    [[ $found == *"$1"* ]] || { echo "${*:2} printed $found" >&2; exit 1; }
}
export OLLAMA_MODELS=$work/examples
"$libraries/modelkeep" import tests/data/tiny.gguf llama3.2 >"$work/log"
path=$("$libraries/modelkeep" path llama3.2)
example c docs/c-api.md && expect "model $path" "$work/example" llama3.2
example cpp docs/c-api.md && expect "output_norm.weight 32" "$work/example" "$path"
example c docs/c-api.md 2 && expect "can: completion" "$work/example" llama3.2
example cpp docs/c-api.md 2 && expect " bytes" "$work/example"
pass "the examples of the documents do what they say"
unset OLLAMA_MODELS

"${c[@]}" tests/c/answer.c -o "$work/answer" "${shared[@]}"
for case in basic copy delete; do
    MODELKEEP_ANSWER="$work/answer" PYTHONPATH=tests/golden python3 tests/golden/replay.py \
        --status-only-errors --differs tests/golden/differs.json --python through_c:open \
        "tests/golden/$case"
    pass "the recording $case through C"
done
