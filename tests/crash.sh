#!/usr/bin/env bash
# Stops, tears and fails the command at every change it makes to a store, and cuts the power in a
# model of a file system, by the black-box testers in `crash` of $MODELKEEP_SHARED or ../shared.
#   tests/crash.sh [quick|full [FROM [TO]]|second|power|disk [ROUNDS]]
# quick is for every commit; full goes over every operation and every error, once and for ever. It
# takes long, so it may be cut into runs: the operations from one number to another. Nothing in it
# is random. second has a second writer act in every wait of ours, and stops, tears, fails and cuts
# the power of both; quick has a part of it. power cuts the power in long operations, under two models of a file system; disk that
# of real file systems on loop devices, as root, so many times for each operation.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/checks.sh
mode=${1:-quick}
testers=
for place in "${MODELKEEP_SHARED:-}" ../shared; do
    if [ -z "$testers" ] && [ -n "$place" ] && [ -f "$place/crash/crash_test.py" ]; then
        testers=$place/crash
    fi
done
if [ -z "$testers" ]; then
    skip "crashes and power cuts" "no crash/crash_test.py in \$MODELKEEP_SHARED or ../shared"
    exit 0
fi
if [ -n "${MODELKEEP:-}" ]; then command=$MODELKEEP; else command=$PWD/target/debug/modelkeep; fi
work=$(mktemp -d)
served=
cleanup() {
    [ -z "$served" ] || { kill -9 "$served" && wait "$served"; } 2>/dev/null || true
    rm -rf "$work"
}

# Two models that share their weights, one of its own, and an orphan. What is as old as its inode is
# young here, and what is damaged is refused by the testers: src/store/crash has such.
store=$work/store
"$command" --store "$store" import tests/data/tiny.gguf a >/dev/null
"$command" --store "$store" cp a b >/dev/null
"$command" --store "$store" import tests/data/tiny.gguf own --system "be brief" >/dev/null
printf orphan >"$store/blobs/sha256-$(printf orphan | sha256sum | cut -d' ' -f1)"
touch -d '2 hours ago' "$store"/blobs/*

printf 'FROM a\nSYSTEM """of\na""" \nPARAMETER stop x\nLICENSE y\n' >"$work/Modelfile"

# A registry with two models: of one every blob is new, of the other a part.
"$command" --store "$work/remote" import tests/data/tiny.gguf new --template tests/data/template.txt --system brief >/dev/null
head -c 200000 /dev/zero >"$work/zeros"
"$command" gguf edit tests/data/tiny.gguf "$work/other.gguf" --set general.name=other --type str >/dev/null
"$command" --store "$work/remote" import "$work/other.gguf" other --license "$work/zeros" >/dev/null
"$command" --store "$work/remote" serve --registry --quiet --addr 127.0.0.1:0 2>"$work/served" &
served=$!
until registry=$(grep -o '127.0.0.1:[0-9]*' "$work/served" | head -1); do sleep 0.05; done

operations=(
    "cp a new/name:tag" "cp a b --force" "mv own new/name" "rm own" "rm a b" "gc --grace 0s"
    "import tests/data/tiny.gguf imported --copy-mode copy" "import tests/data/tiny.gguf a --force --system x"
    "import $work/Modelfile made" "pull $registry/library/new" "pull $registry/library/other a"
)
points=0 states=0
recover="$command --store {store} --delete-delay 0s gc --grace 0s"
stop() { # NAME OPTIONS PROGRAM...
    local name=$1 options=$2 report found broken
    shift 2
    # A second writer may come too late on a machine that is busy: then there is no result.
    for _ in 1 2 3; do
        # shellcheck disable=SC2086
        report=$(python3 "$testers/crash_test.py" --template "$store" --work "$work/points" -q \
            --recover "$recover" $options -- "$@" 2>&1 | tail -1) || true
        [[ $report != RESULT* ]] || break
    done
    found=$(sed -n 's/.*RESULT points=\([0-9]*\) .*/\1/p' <<<"$report")
    broken=$(sed -n 's/.* broken=\([0-9]*\) .*/\1/p' <<<"$report")
    points=$((points + ${found:-0}))
    if [ "${broken:-1}" = 0 ]; then
        passed=$((passed + 1))
    else
        fail "$name $options: $report"
    fi
}
record() { # PROGRAM...
    rm -rf "$work/log"
    for _ in 1 2 3; do
        python3 "$testers/crash_test.py" --template "$store" --work "$work/points" -q --max 1 \
            --record "$work/log" -- "$@" >/dev/null 2>&1 || true
        [ ! -e "$work/log/trace.json" ] || break
    done
}
lose() { # NAME TESTER...
    local name=$1 report found
    shift
    report=$(python3 "$@" | grep '^TOTAL') || true
    found=$(sed -n 's/.*TOTAL states=\([0-9]*\) .*/\1/p' <<<"$report")
    states=$((states + ${found:-0}))
    if grep -q ' broken=0 ' <<<"$report" && grep -q 'after ack: 0/' <<<"$report"; then
        passed=$((passed + 1))
    else
        fail "power cut in $name: $report"
    fi
}
crash() { # what the tester is asked for, and then the operation
    # shellcheck disable=SC2086
    stop "$2" "$1" "$command" --store "{store}" $2
}
cut_power() { # the operation, and what the tester is asked for
    # shellcheck disable=SC2086
    record "$command" --store "{store}" $1
    # shellcheck disable=SC2086
    lose "$1" "$testers/powerloss.py" "$work/log" ${2:-}
}
beside_a_second_writer() { # the kinds of failures, and then what the second writer does
    local kinds=$1 act operation kind program
    shift
    for act in "$@"; do
        for operation in "rm own" "gc --grace 0s" "import tests/data/tiny.gguf a --force --system x"; do
            # shellcheck disable=SC2206
            program=(python3 tests/second_writer.py "{store}" "$act" "$command" --store "{store}"
                --delete-delay 400ms $operation)
            while read -r kind; do
                stop "$operation while another ${act}s" "$kind" "${program[@]}"
            done <<<"$kinds"
            record "${program[@]}"
            lose "$operation while another ${act}s" tests/recovered_power.py "$testers" "$recover" "$work/log"
        done
    done
}

# More models, each with a blob of its own, and as many orphans make longer operations.
grow() {
    all=
    for number in $(seq "$1"); do
        "$command" --store "$store" import tests/data/tiny.gguf "m$number" \
            --system "$(seq "$number")" >/dev/null
        local orphan="orphan $number"
        printf %s "$orphan" >"$store/blobs/sha256-$(printf %s "$orphan" | sha256sum | cut -d' ' -f1)"
        all+=" m$number"
    done
    touch -d '2 hours ago' "$store"/blobs/*
}
cut_power_of_disks() {
    local rounds=$1 system operation report
    for system in ext4 xfs btrfs; do
        if [ "$(id -u)" != 0 ] || [ ! -e /dev/loop0 ]; then
            not_here "power cuts of $system" "they want root and loop devices"
            continue
        fi
        if ! command -v "mkfs.$system" >/dev/null; then
            skip "power cuts of $system" "no mkfs.$system on the path"
            continue
        fi
        for operation in "${operations[@]}"; do
            # shellcheck disable=SC2086
            report=$(python3 "$testers/fs_powercut.py" --template "$store" --fs "$system" \
                --fsync-other -n "$rounds" --work "$work/disk" \
                -- "$command" --store "{store}" $operation 2>&1 | tail -1)
            points=$((points + rounds))
            if grep -q "{'ok': $rounds}" <<<"$report"; then
                pass "$operation: $report"
            else
                fail "$operation: $report"
            fi
        done
    done
    echo "$points power cuts of real file systems"
}

case $mode in
    disk)
        cut_power_of_disks "${2:-5}"
        exit
        ;;
    power)
        grow 30
        kinds=()
        operations+=("rm$all" "rm a b own$all" "import $work/Modelfile m1 --force")
        for operation in "${operations[@]}"; do
            cut_power "$operation"
            cut_power "$operation" --file-fsync-persists-entry
        done
        operations=()
        ;;
    second)
        beside_a_second_writer $'\n--tear\n--errno EIO\n--errno ENOSPC --sticky' create copy pull delete
        operations=()
        ;;
    quick)
        kinds=("" "--tear" "--errno ENOSPC" "--errno EIO --sticky")
        beside_a_second_writer "" create pull
        ;;
    full)
        grow 12
        operations+=("rm$all" "rm m1 m3 m5 m7" "gc --grace 0s --rename-old --partials"
            "import tests/data/tiny.gguf big --template tests/data/template.txt --license LICENSE-MIT --system brief")
        kinds=("" "--tear")
        for error in ENOSPC EIO EROFS EMFILE EACCES EDQUOT; do
            kinds+=("--errno $error" "--errno $error --sticky")
        done
        operations=("${operations[@]:$((${2:-1} - 1)):$((${3:-99} - ${2:-1} + 1))}")
        ;;
esac
for operation in "${operations[@]}"; do
    for kind in "${kinds[@]}"; do
        crash "$kind" "$operation"
    done
    cut_power "$operation"
done
echo "$points points, $states power cuts"
