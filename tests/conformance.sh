#!/usr/bin/env bash
# Replays every recorded case against `modelkeep serve`.
#   tests/conformance.sh [path of the command]
set -euo pipefail
cd "$(dirname "$0")/.."
command=${1:-target/debug/modelkeep}

# The cases that cannot be copied into the project are only looked for where they were recorded.
elsewhere=(chat-templates chat-templates-go0 real-go-templates real-vocab server-created)
cases=() missing=()
for case in tests/golden/*/; do
    cases+=("${case%/}")
done
for name in "${elsewhere[@]}"; do
    for place in "${MODELKEEP_SHARED:-}" ../shared; do
        if [ -n "$place" ] && [ -d "$place/golden/$name" ]; then
            cases+=("$place/golden/$name")
            continue 2
        fi
    done
    missing+=("$name")
done

python3 tests/golden/replay.py --status-only-errors --differs tests/golden/differs.json \
    --cmd "$command --store {store} serve --addr 127.0.0.1:{port}" "${cases[@]}"
echo "recordings: ${#cases[@]} cases ran, ${#missing[@]} skipped${missing[*]:+ (${missing[*]})}"
