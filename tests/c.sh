#!/usr/bin/env bash
# The C binding: compiles C and C++ programs against the shared and the static library, runs them under
# valgrind where it is, and with the sanitizers of the compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/checks.sh

work=$(mktemp -d)
pids=()
cleanup() {
    [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
    rm -rf "$work"
}
# The library as it is built where the client of registries is asked for, put aside.
cargo build --package modelkeep-c --package modelkeep-cli --features modelkeep-c/registry
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
libraries=$target/debug
with_registry=$work/with-registry
mkdir "$with_registry"
cp "$libraries"/libmodelkeep.{so,a} "$with_registry"
ln -s libmodelkeep.so "$with_registry/libmodelkeep.so.0"
cargo build --package modelkeep-c --package modelkeep-cli
# The shared library is known by its soname.
ln -sf libmodelkeep.so "$libraries/libmodelkeep.so.0"

warnings=(-Wall -Wextra -Wpedantic -Wredundant-decls -Werror -Iinclude -g -pthread)
c=(gcc -std=c11 -D_POSIX_C_SOURCE=200809L -Wstrict-prototypes "${warnings[@]}")
cpp=(g++ -std=c++17 "${warnings[@]}")
# How a program is linked with the library of a directory.
links_with() { # DIRECTORY
    static=("$1/libmodelkeep.a" -lpthread -lm -ldl)
    shared=(-L"$1" -lmodelkeep "-Wl,-rpath,$1")
}
links_with "$libraries"
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all)

# The compilers at hand, each with its own of C++.
declare -A compiler_of_cpp=([gcc]=g++ [clang]=clang++)
compilers=(gcc)
if command -v clang++ >/dev/null; then
    compilers+=(clang)
else
    skip "C and C++ by clang" "no clang++ on the path"
fi

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
    "${compile[@]}" "$source" -o "$work/$name-shared" "${shared[@]}" &
    "${compile[@]}" "${sanitizers[@]}" "$source" -o "$work/$name-sanitized" "${shared[@]}"
    wait $!
    "${compile[@]}" "$source" -o "$work/$name-static" "${static[@]}"
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
proves options.c tests/data/tiny.gguf
proves models.c tests/data/tiny.gguf
proves results.c tests/data/tiny.gguf
proves archives.c tests/data/tiny.gguf
proves threads.c tests/data/tiny.gguf
proves tour.cpp tests/data/tiny.gguf

# Models come from a store that is served as a registry, and go to one of Docker, where that is.
export OLLAMA_MODELS=$work/served
"$libraries/modelkeep" import tests/data/tiny.gguf tiny >"$work/log"
"$libraries/modelkeep" serve --registry --addr 127.0.0.1:0 2>"$work/serving" &
pids+=($!)
unset OLLAMA_MODELS
until from=$(grep -o '127.0.0.1:[0-9]*' "$work/serving" | head -1); do sleep 0.05; done
to=
if command -v docker-registry >/dev/null; then
    python3 tests/registries.py "$work/registry" >"$work/taking" &
    pids+=($!)
    until to=$(grep . "$work/taking"); do sleep 0.05; done
else
    skip "a push in C and C++" "no docker-registry on the path"
fi
proves registry.c "$from" "$to" tests/data/tiny.gguf
proves registry.cpp "$from" "$to" tests/data/tiny.gguf
mkdir "$work/without"
mv "$work"/registry.c* "$work/without"
links_with "$with_registry"
proves registry.c "$from" "$to" tests/data/tiny.gguf
proves registry.cpp "$from" "$to" tests/data/tiny.gguf
# What reads a handle allocates nothing: all that return neither a status nor nothing, but for what
# makes a reference, and for what makes text of a number.
if echo 'int main(void) { extern void *__libc_malloc(unsigned long); return !__libc_malloc(1); }' |
    gcc -x c - -o "$work/glibc" 2>"$work/log"; then
    "${c[@]}" tests/c/allocations.c -o "$work/allocations" "${shared[@]}"
    mkdir "$work/allocations.d"
    "$work/allocations" "$from" tests/data/tiny.gguf "$work/allocations.d"
    unread=$(comm -23 <(grep -E '^[a-z].*\bmkeep_\w+\(' include/modelkeep.h |
        grep -vE '^(mkeep_status|void|mkeep_human) |^mkeep_gguf \*|_is_archive\(' |
        grep -oE 'mkeep_\w+\(' | tr -d '(' | sort) \
        <(grep -oE 'QUIET\(mkeep_\w+' tests/c/allocations.c | sed 's/QUIET(//' | sort -u))
    [ -z "$unread" ] || { echo "not counted: $unread" >&2; exit 1; }
    pass "what reads a handle allocates nothing"
else
    not_here "what the getters allocate" "no glibc, whose allocator can be counted"
fi

links_with "$libraries"

# The C++ header by the newer standards, with what only they have, and by each compiler.
for compiler in "${compilers[@]}"; do
    for standard in 20 2b; do
        "${compiler_of_cpp[$compiler]}" "-std=c++$standard" "${warnings[@]}" "${sanitizers[@]}" \
            tests/c/tour.cpp -o "$work/tour-$standard" "${shared[@]}"
        mkdir "$work/$compiler-$standard.d"
        "$work/tour-$standard" tests/data/tiny.gguf "$work/$compiler-$standard.d"
        pass "tour.cpp by $compiler, C++$standard"
    done
done

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
for compiler in "${compilers[@]}"; do
    "$compiler" -std=c99 "${warnings[@]}" -fsyntax-only "$work/header.c"
    for standard in 17 20 2b; do
        "${compiler_of_cpp[$compiler]}" "-std=c++$standard" "${warnings[@]}" -Wshadow -Wconversion \
            -fsyntax-only "$work/header.cpp"
    done
    pass "the headers compile as C99 and as C++17, 20 and 23, by $compiler"
done

# Doxygen makes a page of each section of the header, and finds nothing that is not documented.
if command -v doxygen >/dev/null; then
    doxygen - >"$work/doxygen.log" 2>&1 <<EOF
QUIET = YES
INPUT = include/modelkeep.h include/modelkeep.hpp
OUTPUT_DIRECTORY = "$work/doxygen"
GENERATE_LATEX = NO
HAVE_DOT = NO
EXTRACT_STATIC = YES
MACRO_EXPANSION = YES
EXCLUDE_SYMBOLS = modelkeep::detail modelkeep::detail::* modelkeep::Range::Iterator modelkeep::Range::End
EOF
    diff /dev/null "$work/doxygen.log"
    diff <(sed -n 's/^ \* @defgroup \(\w*\) .*/group__\1.html/p' include/modelkeep.h | sort) \
        <(cd "$work/doxygen/html" && ls group__*.html | sort)
    pass "every section of the header is a page, and all is documented"
else
    skip "the pages of the header" "no doxygen on the path"
fi

# The shared library exports what the header declares, and nothing else.
diff <(nm -D --defined-only "$libraries/libmodelkeep.so" | awk '{print $3}' | sort) \
    <(grep -oE '\bmkeep_[a-z_0-9]+\(' include/modelkeep.h | tr -d '(' | sort)
pass "what is exported is what the header declares"

# Every function that the header declares is called by a program of C, and by the header of C++.
uncalled() { # FILE...
    comm -23 <(grep -oE '\bmkeep_[a-z_0-9]+\(' include/modelkeep.h | tr -d '(' | sort -u) \
        <(grep -ohE '\bmkeep_[a-z_0-9]+\b' "$@" | sort -u)
}
# What the header of C++ does by a wider call, and what std::string and std::vector do for it.
wider='^mkeep_(string_c|store_copy|store_delete_all|gguf_writer_set_str|remote_list_json)$'
missed=$(uncalled tests/c/*.[ch])$(uncalled include/modelkeep.hpp | grep -vE "$wider" || true)
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
# The examples, as a user copies them. Each is built in one of two WAYs, by one compiler, against one
# of the libraries, and runs: what gcc built against the shared one under valgrind, and what clang
# built with the sanitizers.
is() { # EXPECTED COMMAND...
    local status=0
    "${@:2}" || status=$?
    [ "$status" = "$1" ] || { echo "${*:2} ended with $status instead of $1" >&2; return 1; }
}
example_in_cmake() { # LANGUAGE WAY COMPILER KIND OPTION...
    local language=$1 way=$2 compiler=$3 kind=$4 build="$work/example $1 $2 $3" before=() flags=-g
    case "$compiler $kind" in
        "gcc modelkeep") before=("${under[@]}") ;;
        clang*) flags+=" ${sanitizers[*]}" ;;
    esac
    CC=$compiler CXX=${compiler_of_cpp[$compiler]} cmake --no-warn-unused-cli -S "examples/$language" \
        -B "$build" \
        -DMODELKEEP_LIBRARY="modelkeep::$kind" -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" \
        "${@:5}" >"$work/log"
    cmake --build "$build" >>"$work/log"
    export OLLAMA_MODELS=$work/examples
    expect "path: $path" "${before[@]}" "$build/host" llama3.2 2> >(quieted)
    expect "stop: </s>" "$build/host" llama3.2
    expect "completion" "${before[@]}" "$build/list" 2> >(quieted)
    expect " blobs, " "${before[@]}" "$build/verify" llama3.2 2>/dev/null
    is 1 "$build/host" llama3.2:7b 2>"$work/log"
    grep -q 'meant: llama3.2:latest?' "$work/log"
    OLLAMA_MODELS=$work/large stopped "$build/verify"
    unset OLLAMA_MODELS
    pass "the examples of $language, $way, by $compiler, modelkeep::$kind"
}
# Interrupts a program when it has said how far it is.
stopped() { # COMMAND...
    local status=0 process
    # What the one before has said is not this one's: a signal that comes before the program takes it
    # is lost.
    : >"$work/progress"
    "$@" >"$work/stopped" 2>>"$work/progress" &
    process=$!
    until grep -q ' of ' "$work/progress"; do
        kill -0 $process
        sleep 0.02
    done
    kill -INT $process
    wait $process || status=$?
    [ $status = 130 ] || { echo "$* was stopped with $status" >&2; return 1; }
}
# A store whose blob takes long to hash: zeros that are not on the disk.
large_store() { # DIRECTORY
    local digest
    digest=$(printf '0%.0s' {1..64})
    mkdir -p "$1/blobs" "$1/manifests/registry.ollama.ai/library/large"
    truncate -s 64G "$1/blobs/sha256-$digest"
    printf '{"layers":[{"digest":"sha256:%s","size":%d}]}' "$digest" $((64 << 30)) \
        >"$1/manifests/registry.ollama.ai/library/large/latest"
}
expect() { # TEXT COMMAND...
    local found
    found=$("${@:2}")
    [[ $found == *"$1"* ]] || { echo "${*:2} printed $found" >&2; exit 1; }
}
# The store that the examples read.
printf 'FROM %s\nPARAMETER stop </s>\n' "$PWD/tests/data/tiny.gguf" >"$work/Modelfile"
export OLLAMA_MODELS=$work/examples
"$libraries/modelkeep" import "$work/Modelfile" llama3.2 >"$work/log"
path=$("$libraries/modelkeep" path llama3.2)
unset OLLAMA_MODELS

if command -v cmake >/dev/null && command -v pkg-config >/dev/null; then
    reused=(-DMODELKEEP_TARGET_DIR="$target" -DCMAKE_BUILD_TYPE=Debug)
    cmake -S . -B "$work/asked" -DMODELKEEP_REGISTRY=ON "${reused[@]}" >"$work/log"
    cmake --build "$work/asked" >>"$work/log"
    mkdir "$work/asked.d"
    expect "models come and go" "$work/without/registry.c-shared" "$from" "$to" tests/data/tiny.gguf "$work/asked.d"
    pass "CMake builds the client of registries where it is asked for"
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
    large_store "$work/large"
    installed=(-DCMAKE_PREFIX_PATH="$work/moved")
    other=${compilers[-1]}
    example_in_cmake c fetched gcc modelkeep "${reused[@]}"
    example_in_cmake c installed "$other" static "${installed[@]}"
    example_in_cmake cpp fetched "$other" static "${reused[@]}"
    example_in_cmake cpp installed gcc modelkeep "${installed[@]}"
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
export OLLAMA_MODELS=$work/examples
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
