#!/usr/bin/env bash
# The C door: compiles C and C++ programs against the shared and the static library, runs them under
# valgrind where it is, and with the sanitizers of the compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --package modelkeep-c --package modelkeep-cli
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
libraries=$target/debug
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings=(-Wall -Wextra -Wpedantic -Wredundant-decls -Werror -Iinclude -g)
static=("$libraries/libmodelkeep.a" -lpthread -lm -ldl)
shared=(-L"$libraries" -lmodelkeep "-Wl,-rpath,$libraries")
# The shared library is known by its soname.
ln -sf libmodelkeep.so "$libraries/libmodelkeep.so.0"

for name in scenarios manners answer; do
    gcc -std=c11 -D_POSIX_C_SOURCE=200809L "${warnings[@]}" "tests/c/$name.c" \
        -o "$work/$name" "${shared[@]}"
done
g++ -std=c++17 "${warnings[@]}" tests/c/tour.cpp -o "$work/tour" "${shared[@]}"
gcc -std=c11 -D_POSIX_C_SOURCE=200809L "${warnings[@]}" tests/c/scenarios.c \
    -o "$work/scenarios-static" "${static[@]}"
gcc -std=c11 "${warnings[@]}" -fsanitize=address,undefined tests/c/manners.c \
    -o "$work/manners-sanitized" "${shared[@]}"

if command -v valgrind >/dev/null; then
    under=(valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect
        --errors-for-leak-kinds=definite,indirect)
else
    under=()
    echo "skipped: no valgrind on the path"
fi
"${under[@]}" "$work/scenarios" tests/scenarios.txt tests/data/tiny.gguf "$work/store-shared"
"$work/scenarios-static" tests/scenarios.txt tests/data/tiny.gguf "$work/store-static"
"${under[@]}" "$work/manners" tests/data/tiny.gguf "$work"
"$work/manners-sanitized" tests/data/tiny.gguf "$work"
"${under[@]}" "$work/tour" tests/data/tiny.gguf "$work/store-tour"

# Nothing but the interface leaves the shared library.
strangers=$(nm -D --defined-only "$libraries/libmodelkeep.so" | awk '{print $3}' | grep -v '^mkeep_' || true)
if [ -n "$strangers" ]; then
    echo "the library exports: $strangers" >&2
    exit 1
fi

# The examples of the README compile as they stand.
for language in c cpp; do
    awk "/^\`\`\`$language\$/ {inside=1; next} /^\`\`\`/ {inside=0} inside" README.md >"$work/readme.$language"
done
gcc "${warnings[@]}" "$work/readme.c" -o "$work/readme-c" "${shared[@]}"
g++ -std=c++17 "${warnings[@]}" "$work/readme.cpp" -o "$work/readme-cpp" "${shared[@]}"
"$libraries/modelkeep" --store "$work/readme" import tests/data/tiny.gguf llama3.2 >/dev/null
expected=$("$libraries/modelkeep" --store "$work/readme" path llama3.2)
for program in readme-c readme-cpp; do
    found=$(OLLAMA_MODELS="$work/readme" "$work/$program")
    [ "$found" = "$expected" ] || { echo "$program printed $found" >&2; exit 1; }
done

for case in basic copy delete; do
    MODELKEEP_ANSWER="$work/answer" PYTHONPATH=tests/golden python3 tests/golden/replay.py \
        --status-only-errors --differs tests/golden/differs.json --python through_c:open \
        "tests/golden/$case"
done
