# Runs the steps of the tests, whether one fails or not, and counts their tests.
#   step NAME COMMAND...
#   beside FUNCTION...  runs functions of steps at the same time; what a step of theirs prints is
#                       shown when it ends
#   summary             at the end: the last lines of what failed, what ran, what was skipped and
#                       why, and a line with the sums

# A job in the background of a shell without job control has interrupts ignored, a shell cannot
# undo that for its children, and what is to be interrupted in a test would not be.
if [ -n "$(trap -p INT QUIT)" ]; then
    exec python3 -c '
import os, signal, sys
for number in (signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
os.execvp("bash", ["bash", *sys.argv[1:]])' "$0" "$@"
fi
steps=$(mktemp -d)
trap 'rm -rf "$steps"' EXIT
lane= number=0 lanes=()
# A lane is a group of processes of its own, which an interrupt at a terminal does not reach.
trap 'for job in "${lanes[@]}"; do kill -INT -- "-$job"; done; wait; exit 130' INT

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
    local name=$1 started=$SECONDS printed status tests
    shift
    number=$((number + 1))
    printed=$steps/$lane$number.printed
    export MODELKEEP_SKIPS=$steps/$lane$number.said
    : >"$MODELKEEP_SKIPS"
    [ -n "$lane" ] || printf '\n== %s\n' "$name"
    runs "$@"
    sort -u "$MODELKEEP_SKIPS" >"$steps/$lane$number.skipped"
    tests=$(counts "$printed" "$steps/$lane$number.skipped" "$status")
    printf '%s %s\t%s\n' "$tests" $((SECONDS - started)) "$name" >>"$steps/all"
    [[ $tests == *" 0 "* ]] ||
        printf '\n== %s, failed, ended with\n%s\n' "$name" "$(tail -n 40 "$printed" | cut -c 1-400)" >>"$steps/failed"
    [ -z "$lane" ] || cat <(printf '\n== %s\n' "$name") "$steps/$lane$number.shown"
    [ "$status" = 0 ] || printf '%s failed, with status %s\n' "$name" "$status"
}

runs() { # COMMAND...; what it prints is counted by `step`, whose variables these are
    if [ -n "$lane" ]; then
        exec 3>"$steps/$lane$number.shown"
    else
        exec 3>&1
    fi
    "$@" 2>&3 | tee "$printed" >&3
    status=${PIPESTATUS[0]}
    exec 3>&-
}

beside() {
    local job
    for lane in "$@"; do
        # With job control interrupts are not ignored in what runs in the background.
        set -m
        "$lane" </dev/null &
        set +m
        lanes+=($!)
    done
    for job in "${lanes[@]}"; do wait "$job"; done
    lane= lanes=()
}

summary() {
    [ ! -e "$steps/failed" ] || cat "$steps/failed"
    printf '\n== summary\n'
    awk -F '[ \t]' '
        BEGIN { printf "%7s %7s %7s %7s\n", "passed", "failed", "skipped", "seconds" }
        { name = $0; sub(/^[^\t]*\t/, "", name); printf "%7d %7d %7d %7d  %s\n", $1, $2, $3, $4, name }' "$steps/all"
    cut -f 2- "$steps"/*.skipped | sort | uniq -c | sed -E 's/^ *1 (.*)/\1/; s/^ *([0-9]+) (.*)/\2 (\1 times)/'
    awk '{ passed += $1; failed += $2; skipped += $3 }
        END { print passed " passed, " failed " failed, " skipped " skipped"; exit failed > 0 }' "$steps/all"
}
