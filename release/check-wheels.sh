#!/usr/bin/env bash
# Looks at the wheels and the source distribution of a directory as an index does, and tests them as
# users have them: in a clean environment of each CPython that is here and has a wheel.
#   release/check-wheels.sh DIRECTORY [pytest arguments]
# PYTHONS names the interpreters; else all of 3.11 and newer that are on the path or that pyenv has.
set -euo pipefail
dist=$(cd "${1:?a directory is needed}" && pwd)
shift
source "$(dirname "$0")/tools.sh"
source tests/checks.sh
work=$(mktemp -d)
cleanup() { rm -rf "$work"; }

shopt -s nullglob
wheels=("$dist"/*.whl)
sources=("$dist"/*.tar.gz)
[ ${#wheels[@]} != 0 ] || { echo "there is no wheel in $dist" >&2; exit 1; }

install_tools twine abi3audit check-wheel-contents
python -m twine check --strict "${wheels[@]}" "${sources[@]}"
pass "twine has nothing to say"
stable=("$dist"/*-abi3-*.whl)
python -m abi3audit --strict --summary "${stable[@]}"
pass "abi3audit finds only the stable interface"
python -m check_wheel_contents "${wheels[@]}"
pass "check-wheel-contents has nothing to say"

# One interpreter of each version.
interpreters() {
    local python found seen='' all=(python3 python3.{11..20} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3)
    [ -z "${PYTHONS:-}" ] || read -ra all <<<"$PYTHONS"
    for python in "${all[@]}"; do
        found=$("$python" -c '
import sys, sysconfig
new = sys.implementation.name == "cpython" and sys.version_info >= (3, 11)
print(*sys.version_info[:2], sysconfig.get_config_var("Py_GIL_DISABLED") if new else exit(1))' 2>/dev/null) || continue
        [[ $seen != *"($found)"* ]] || continue
        seen+="($found)"
        echo "$python"
    done
}

# Whether the installer takes one of the wheels for this interpreter.
suits() { # PYTHON
    "$1" -m venv "$work/venv-$tested"
    in_venv -m pip --disable-pip-version-check --quiet install --no-index --no-deps \
        --find-links "$dist" --only-binary modelkeep modelkeep 2>"$work/log"
}
in_venv() { "$(programs "$work/venv-$tested")/python" "$@"; }

tested=0
for python in $(interpreters); do
    tested=$((tested + 1))
    name=$("$python" --version)
    if ! suits "$python"; then
        not_here "the wheel in $name" "none of $dist is for it"
        continue
    fi
    in_venv -m pip --disable-pip-version-check --quiet install pytest numpy
    PYTHONPYCACHEPREFIX="$work/pycache" in_venv -m pytest --quiet -o cache_dir="$work/cache" "$@"
    pass "the wheel installs and works in $name"
done
[ "$tested" != 0 ] || fail "no CPython of 3.11 or newer is here"
