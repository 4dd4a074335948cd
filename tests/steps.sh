# Runs one step of the tests after the other, whether it fails or not, and counts their tests.
#   step NAME COMMAND...
#   summary             at the end: what ran, what was skipped and why, and a line with the sums

# A job in the background of a shell without job control has interrupts ignored, a shell cannot
# undo that for its children, and what is to be interrupted in a test would not be.
if [ -n "$(trap -p INT QUIT)" ]; then
    exec python3 -c '
import os, signal, sys
for number in (signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
os.execvp("bash", ["bash", *sys.argv[1:]])' "$0" "$@"
fi
trap 'exit 130' INT

steps=$(mktemp -d)
trap 'rm -rf "$steps"' EXIT
number=0

# What a step printed says how many of its tests passed and failed: cargo's lines, and `NAME: N
# passed, N failed` of the others. A step without such a line is one test. A test of Rust that
# skipped something is a passed one to cargo, and a skipped one to us.
counts() { # PRINTED SKIPPED STATUS
    awk -v status="$3" '
        FILENAME == ARGV[1] { skips++; if ($1 ~ /::/ && !seen[$1]++) unfinished++; next }
        /^test result: / { passed += $4; failed += $6; told = 1 }
        /: [0-9]+ passed, [0-9]+ failed$/ { passed += $(NF - 3); failed += $(NF - 1); told = 1 }
        END {
            if (!told && !skips && status == 0) passed = 1
            if (!failed && status != 0) failed = 1
            print passed - unfinished, failed + 0, skips + 0
        }' "$2" "$1"
}

step() {
    local name=$1 printed status
    shift
    number=$((number + 1))
    printed=$steps/$number.printed
    export MODELKEEP_SKIPS=$steps/$number.said
    : >"$MODELKEEP_SKIPS"
    printf '\n== %s\n' "$name"
    "$@" | tee "$printed"
    status=${PIPESTATUS[0]}
    sort -u "$MODELKEEP_SKIPS" >"$steps/$number.skipped"
    printf '%s\t%s\n' "$(counts "$printed" "$steps/$number.skipped" "$status")" "$name" >>"$steps/all"
    [ "$status" = 0 ] || printf '%s failed, with status %s\n' "$name" "$status"
}

summary() {
    printf '\n== summary\n'
    awk -F '[ \t]' '
        BEGIN { printf "%7s %7s %7s\n", "passed", "failed", "skipped" }
        { name = $0; sub(/^[^\t]*\t/, "", name); printf "%7d %7d %7d  %s\n", $1, $2, $3, name }' "$steps/all"
    cut -f 2- "$steps"/*.skipped | sort | uniq -c | sed -E 's/^ *1 (.*)/\1/; s/^ *([0-9]+) (.*)/\2 (\1 times)/'
    awk '{ passed += $1; failed += $2; skipped += $3 }
        END { print passed " passed, " failed " failed, " skipped " skipped"; exit failed > 0 }' "$steps/all"
}
