#!/usr/bin/env bash
# The workflows are well-formed, and give nobody more than a job needs: what actionlint and zizmor say.
set -euo pipefail
source "$(dirname "$0")/../release/tools.sh"
source tests/checks.sh

lints() { # NAME COMMAND...
    if "${@:2}"; then pass "$1 has nothing to say"; else fail "$1"; fi
}
if command -v go >/dev/null; then
    GOBIN=$built/go-tools go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
    lints actionlint "$built/go-tools/actionlint"
else
    skip "actionlint" "no go on the path"
fi
install_tools zizmor
lints zizmor zizmor --offline --quiet .github
