#!/usr/bin/env bash
# tests/steps.sh and what tests tell it: every step runs and is counted, whatever the others do.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/checks.sh
work=$(mktemp -d)
cleanup() { rm -rf "$work"; }

# Runs a script of steps; what it prints is in $work/said, its last line in `last`.
ended=0 last=
runs() { # [VARIABLE=VALUE...] <SCRIPT
    { echo "source $PWD/tests/steps.sh"; cat; echo summary; } >"$work/run.sh"
    ended=0
    env -u MODELKEEP_REQUIRE "$@" bash "$work/run.sh" >"$work/said" 2>&1 || ended=$?
    last=$(tail -1 "$work/said")
}
expects() { # STATUS LAST WHAT
    [ "$ended $last" = "$1 $2" ] && { pass "$3"; return; }
    cat "$work/said"
    fail "$3: status $ended and $last, not status $1 and $2"
}

runs <<'STEPS'
step one true
step two printf 'test result: ok. 7 passed; 0 failed; 1 ignored\ntest result: ok. 5 passed; 0 failed; 0 ignored\n'
step three echo "recordings: 3 passed, 0 failed"
STEPS
expects 0 "16 passed, 0 failed, 0 skipped" "the tests of all steps are summed"

runs <<'STEPS'
step one false
step two bash -c 'printf "test result: ok. 7 passed; 0 failed; 0 ignored\ntest result: FAILED. 5 passed; 2 failed; 0 ignored\n"; exit 101'
step three bash -c 'echo "recordings: 3 passed, 0 failed"; exit 3'
step four true
STEPS
expects 1 "16 passed, 4 failed, 0 skipped" "no step hides another, and a status counts without a word"
said=$(sed -n '/^== two, failed/,/^== summary/p' "$work/said")
[[ $said == *"FAILED. 5 passed"*"== three, failed"*"recordings: 3 passed"* && $said != *"== four"* ]] ||
    fail "the summary does not begin with what failed"

runs <<'STEPS'
one() { step first bash -c 'sleep 0.2; echo said by first; exit 3'; step second true; }
two() { step third bash -c 'echo "recordings: 3 passed, 0 failed"; kill -INT $$; echo ignored'; }
step zeroth true
beside one two
step last true
STEPS
expects 1 "6 passed, 2 failed, 0 skipped" "steps beside each other are counted, and can be interrupted"
grep -qx "said by first" <(grep -A 1 -x "== first" "$work/said") ||
    fail "what a step beside others printed is not shown below its name"

cat >"$work/beside.sh" <<SCRIPT
source $PWD/tests/steps.sh
one() { step first bash -c 'touch $work/begun; trap "touch $work/told; exit 1" INT; while :; do sleep 0.05; done'; }
beside one
SCRIPT
bash "$work/beside.sh" >"$work/said" 2>&1 &
until [ -e "$work/begun" ]; do sleep 0.05; done
kill -INT $!
wait $! || ended=$?
[ "$ended" = 130 ] && [ -e "$work/told" ] || fail "an interrupt ends the runner, with $ended, and not what runs beside"
pass "an interrupt ends what runs beside, too"

cat >"$work/skips.sh" <<SCRIPT
set -euo pipefail
source $PWD/tests/checks.sh
pass one
skip two "no tool"
not_here three "no instruction"
not_here three "no instruction"
SCRIPT
runs <<<"step one bash $work/skips.sh"
expects 0 "1 passed, 0 failed, 2 skipped" "a skip is counted once"
grep -qx "skipped: two: no tool" <(tail -3 "$work/said") || fail "the summary does not say what was skipped"
runs MODELKEEP_REQUIRE=all <<<"step one bash $work/skips.sh"
expects 1 "1 passed, 1 failed, 1 skipped" "where all is required, what can be installed may not be missing"

echo "import skips; skips.skip('two', 'no tool')" >"$work/wants.py"
runs PYTHONPATH=tests <<<"step one python3 $work/wants.py"
expects 0 "0 passed, 0 failed, 1 skipped" "a program of Python skips"
runs PYTHONPATH=tests MODELKEEP_REQUIRE=all <<<"step one python3 $work/wants.py"
grep -q "failed: two: no tool" "$work/said" || fail "a program of Python does not say what is missing"
expects 1 "0 passed, 1 failed, 0 skipped" "a program of Python may not skip what is required"

echo "step one bash -c 'printf \"a::b\tskipped: b: no tool\n\" >>\$MODELKEEP_SKIPS; echo test result: ok. 7 passed\; 0 failed\;'" >"$work/steps"
runs <"$work/steps"
expects 0 "6 passed, 0 failed, 1 skipped" "a test of Rust that skips is no passed one"

printf 'source %s\nfalse\n' "$PWD/tests/checks.sh" | cat <(echo 'set -e') - >"$work/dies.sh"
runs <<<"step one bash $work/dies.sh"
expects 1 "0 passed, 1 failed, 0 skipped" "a script that breaks off has failed"

# As in the background of a shell without job control.
echo "step one bash -c 'kill -INT \$\$; echo ignored'" >"$work/steps"
trap '' INT QUIT
runs <"$work/steps"
trap - INT QUIT
expects 1 "0 passed, 1 failed, 0 skipped" "an interrupt reaches a step although the runner was started with it ignored"
