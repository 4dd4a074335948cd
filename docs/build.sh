#!/usr/bin/env bash
# Builds the site of the documentation into target/site, and looks at it in a browser.
#   docs/build.sh           builds; a warning is an error
#   docs/build.sh look      and then looks: links, requests to other hosts, text that is cut off
# Needs Rust, Python and Doxygen, and to look at it Chromium with its driver (tests/install.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/target/site-tools
if ! cmp -s docs/site/requirements.txt "$tools/requirements.txt"; then
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --disable-pip-version-check --quiet -r docs/site/requirements.txt
    cp docs/site/requirements.txt "$tools/"
fi
# The theme's word about MkDocs 2, which docs/site/requirements.txt does not take.
export PYTHONPYCACHEPREFIX=$PWD/target/pycache NO_MKDOCS_2_WARNING=1
# What the reference of the command prints.
cargo build --quiet --package modelkeep-cli
# In a directory of its own: that of the tests documents what is private, too.
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --package modelkeep --features registry --no-deps --target-dir target/site-rust
"$tools/bin/mkdocs" build --strict --quiet
cp -r target/site-rust/doc target/site/reference/rust-api
doxygen -l target/site-layout.xml 2>/dev/null
sed -i 's|<tab type="mainpage"|<tab type="user" url="../../index.html" title="All documentation"/>\n    &|' \
    target/site-layout.xml
doxygen -q docs/site/Doxyfile
[ "${1:-}" != look ] || "$tools/bin/python" docs/site/look.py
