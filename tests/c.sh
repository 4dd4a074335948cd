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

# What is installed is found by CMake and by pkg-config, also after it was moved.
if command -v cmake >/dev/null && command -v pkg-config >/dev/null; then
    cmake -S bindings/c -B "$work/build" -DMODELKEEP_PROFILE=dev -DMODELKEEP_TARGET_DIR="$target" \
        >"$work/log"
    cmake --build "$work/build" >>"$work/log"
    cmake --install "$work/build" --prefix "$work/prefix" >>"$work/log"
    mv "$work/prefix" "$work/moved"
    cmake -S tests/c/installed -B "$work/installed" -DCMAKE_PREFIX_PATH="$work/moved" >>"$work/log"
    cmake --build "$work/installed" >>"$work/log"
    for program in tour-modelkeep tour-static; do
        "$work/installed/$program" tests/data/tiny.gguf "$work/$program.d"
    done
    PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name modelkeep.pc)")
    export PKG_CONFIG_PATH
    read -ra flags < <(pkg-config --cflags --libs modelkeep)
    gcc -D_POSIX_C_SOURCE=200809L tests/c/models.c -o "$work/models" "${flags[@]}"
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir modelkeep) \
        "$work/models" tests/data/tiny.gguf "$work/models.d"
else
    echo "skipped: no cmake or no pkg-config on the path"
fi

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
example c README.md && expect "$path" "$work/example"
example cpp README.md && expect "$path" "$work/example"
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
