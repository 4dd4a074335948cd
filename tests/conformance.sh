#!/usr/bin/env bash
# Replays every recorded case against `modelkeep serve`.
#   tests/conformance.sh [path of the command, after an emulator where it needs one] [OPTION...]
# Options are those of tests/golden/replay.py.
set -euo pipefail
cd "$(dirname "$0")/.."
command=${1:-target/debug/modelkeep}
shift $(($# > 0))
source tests/checks.sh
printed=$(mktemp)
cleanup() { rm -f "$printed"; }

# The cases that cannot be copied into the project are only looked for where they were recorded.
elsewhere=(chat-templates chat-templates-go0 real-go-templates real-vocab server-created)
cases=()
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
    skip "the recording $name" "it is not in \$MODELKEEP_SHARED or ../shared"
done

python3 tests/golden/replay.py --status-only-errors --differs tests/golden/differs.json "$@" \
    --cmd "$command --store {store} serve --addr 127.0.0.1:{port}" "${cases[@]}" | tee "$printed" || true
# The last line begins with RIGHT/ALL.
IFS=/ read -r right all < <(sed -n 's/^\([0-9]*\/[0-9]*\) requests as expected.*/\1/p' "$printed")
passed=$((passed + right)) failed=$((failed + all - right))
