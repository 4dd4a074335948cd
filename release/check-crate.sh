#!/usr/bin/env bash
# Packs the library as the registry of crates would get it, and builds what was packed.
#   TAG=vA.B.C release/check-crate.sh      before a release: the version is ready, too
set -euo pipefail
source "$(dirname "$0")/tools.sh"
source tests/checks.sh

if [ -n "${TAG:-}" ]; then
    [ "$TAG" = "v$version" ] || { echo "the tag is $TAG, and Cargo.toml says $version" >&2; exit 1; }
    ! grep -q "^## $version.*not released" CHANGELOG.md ||
        { echo "CHANGELOG.md says that $version is not released" >&2; exit 1; }
    python3 release/notes.py "$version" >/dev/null
    grep -q '^repository' Cargo.toml || { echo "Cargo.toml states no repository" >&2; exit 1; }
    pass "the tag, the version and the change log agree"
fi
rm -rf "$built/package"
cargo publish --dry-run --locked --package modelkeep
pass "cargo would publish the library"
# A third of what the registry takes. Which directory it is in depends on the version of cargo.
size=$(find "$built/package" -name "modelkeep-$version.crate" -printf '%s\n')
[ -n "$size" ] || { echo "cargo left no modelkeep-$version.crate in $built/package" >&2; exit 1; }
[ "$size" -lt 3500000 ] || { echo "the crate has $size bytes" >&2; exit 1; }
pass "the crate has $size bytes"
