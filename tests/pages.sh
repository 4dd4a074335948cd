#!/usr/bin/env bash
# The README and the guides: their blocks run and print what the pages say, the picture is what a
# terminal shows, and the plots are of the figures that were measured. After tests/python.sh, which builds the module into the environment that is used here.
#   tests/pages.sh [PAGE...]
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/target/venv/bin/python
[ -x "$python" ] || { echo "no module of Python: tests/python.sh builds it" >&2; exit 1; }
"$python" -m pip install --disable-pip-version-check --quiet 'pyte>=0.8,<0.9'
cargo build --quiet --package modelkeep-cli --package modelkeep-c
export PYTHONPYCACHEPREFIX=$PWD/target/pycache
# What the pages build for release is looked at once: it is built quickly.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
status=0
"$python" tests/pages.py "$@" || status=1
"$python" docs/pictures/terminal.py || status=1
"$python" docs/pictures/scale.py || status=1
"$python" docs/pictures/fleet.py || status=1
exit $status
