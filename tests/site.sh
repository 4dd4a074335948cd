#!/usr/bin/env bash
# The site of the documentation builds without a warning, and docs/site/look.py finds nothing wrong
# with it in a browser.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/checks.sh

for program in doxygen chromium chromedriver; do
    command -v "$program" >/dev/null || { skip "the site" "no $program on the path"; exit; }
done
bash docs/build.sh look
