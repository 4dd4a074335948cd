#!/usr/bin/env bash
# Installs the source distribution of a directory as pip does, in a clean environment, and uses it.
#   release/check-sdist.sh DIRECTORY
set -euo pipefail
dist=$(cd "${1:?a directory is needed}" && pwd)
source "$(dirname "$0")/tools.sh"
source tests/checks.sh
work=$(mktemp -d)
cleanup() { rm -rf "$work"; }

"${PYTHON:-python3}" -m venv "$work/venv"
installed=$(programs "$work/venv")
CARGO_TARGET_DIR=$built "$installed/python" -m pip --disable-pip-version-check --quiet install \
    "$dist/modelkeep-$version.tar.gz"
cd "$work"
"$installed/python" -c '
import modelkeep, sys
assert modelkeep.__version__ == sys.argv[1], modelkeep.__version__' "$version"
pass "the source distribution installs and can be imported"
"$installed/modelkeep" --version | grep -q "^modelkeep $version"
pass "its command runs"
