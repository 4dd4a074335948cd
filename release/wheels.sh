#!/usr/bin/env bash
# Builds wheels and the source distribution of the Python package.
#   release/wheels.sh DIRECTORY [sdist|TARGET[:INTERPRETER]]...
# A target is a triple of rustc; without one, the wheel is for this machine. One wheel is for every
# CPython with the stable interface, and one for each INTERPRETER without it (python3.14t, say). What
# is there already stays, but for files of the same names.
set -euo pipefail
out=$(mkdir -p "${1:?a directory is needed}" && cd "$1" && pwd)
shift
source "$(dirname "$0")/tools.sh"
install_tools 'maturin>=1.9,<2' ziglang

wheel() { # TARGET [INTERPRETER]
    local how
    case $1 in
        *-linux-gnu*) how=(--compatibility manylinux2014) ;;
        *-linux-musl*) how=(--compatibility musllinux_1_2) ;;
        *) how=(--compatibility pypi) ;;
    esac
    ! by_zig "$1" || how+=(--zig)
    [ $# = 1 ] || how+=(--interpreter "$2")
    builds_for "$1" maturin build --release --locked --target "$1" "${how[@]}" --out "$out"
}

for what in "${@:-$host}"; do
    case $what in
        sdist) maturin sdist --out "$out" ;;
        *:*) wheel "${what%%:*}" "${what#*:}" ;;
        *) wheel "$what" ;;
    esac
done
