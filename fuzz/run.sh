#!/usr/bin/env bash
# Fuzzes the readers with coverage and AddressSanitizer on the stable toolchain.
#   fuzz/run.sh [seconds [gguf|texts]]
# Inputs that reach new code stay in fuzz/corpus, which the tests replay.
set -euo pipefail
cd "$(dirname "$0")"
what=${2:-gguf}
target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Cpasses=sancov-module -Ccodegen-units=1 \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
-Cdebug-assertions=on"
cargo build --release --target "$target"
found=target/found/$what
mkdir -p "corpus/$what" "$found"
# ASan's shadow does not fit a limit on address space; the limit on memory is libFuzzer's own. What
# glibc notes of a thread that still runs counts as a leak, so these are not looked for.
"target/$target/release/$what" "$found" "corpus/$what" ../tests/data \
    -max_total_time="${1:-60}" -rss_limit_mb=512 -detect_leaks=0 -timeout=2 -max_len=4096 -print_final_stats=1
# Keep of what was found the smallest set that covers as much.
"target/$target/release/$what" -merge=1 "corpus/$what" "$found" -max_len=4096
