# What the scripts of tests have in common: a script says what passed, what failed and what it
# skipped, and at its end how many of each.
passed=0 failed=0
checked=$(basename "$0" .sh)

# A script that has something to clean up says how.
cleanup() { :; }

pass() { # WHAT
    passed=$((passed + 1))
    echo "$1"
}
fail() { # WHAT
    failed=$((failed + 1))
    echo "failed: $1"
}
# Something is left out for want of what an installation would bring: a failure where everything is
# required.
skip() { # WHAT WHY
    if [ "${MODELKEEP_REQUIRE:-}" = all ]; then
        fail "$1: $2, and MODELKEEP_REQUIRE is all"
    else
        not_here "$1" "$2"
    fi
}
# Something is left out which nothing that is installed would bring to this machine.
not_here() { # WHAT WHY
    echo "skipped: $1: $2"
    [ -z "${MODELKEEP_SKIPS:-}" ] || printf '%s\tskipped: %s: %s\n' "$checked" "$1" "$2" >>"$MODELKEEP_SKIPS"
}

# A script that ended before its end failed where it stands.
tell() {
    local status=$?
    trap - EXIT
    cleanup
    [ "$status" = 0 ] || failed=$((failed + 1))
    echo "$checked: $passed passed, $failed failed"
    [ "$failed" = 0 ] || exit 1
    exit 0
}
trap tell EXIT
