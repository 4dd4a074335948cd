#!/usr/bin/env bash
# Installs what the tests need and do not find, beside Rust, where apt-get is there to do it. What is
# there already is left as it is.
#   tests/install.sh site       what docs/build.sh needs, too
set -euo pipefail

missing=()
needs() { # PACKAGES COMMAND...
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
needs gcc command -v gcc
needs g++ command -v g++
needs make command -v make
needs binutils command -v nm
needs cmake command -v cmake
needs pkg-config command -v pkg-config
needs valgrind command -v valgrind
needs clang command -v clang++
needs doxygen command -v doxygen
needs git command -v git
needs curl command -v curl
needs util-linux command -v setpriv
needs skopeo command -v skopeo
needs docker-registry command -v docker-registry
needs openssl command -v openssl
needs apache2-utils command -v htpasswd
needs docker-registry command -v docker-registry
needs openssl command -v openssl
needs tar command -v tar
needs mount command -v mount
needs mmdebstrap command -v mmdebstrap
needs exfatprogs command -v mkfs.exfat
needs exfat-fuse command -v mount.exfat-fuse
needs nodejs command -v node
needs npm command -v npm
needs python3 command -v python3
needs python3-venv python3 -c 'import ensurepip, venv'
if [ "${1:-}" = site ]; then
    needs chromium command -v chromium
    needs chromium-driver command -v chromedriver
    needs fonts-dejavu-core test -e /usr/share/fonts/truetype/dejavu
fi
[ ${#missing[@]} != 0 ] || exit 0

as=()
[ "$(id -u)" = 0 ] || as=(sudo -n)
if ! command -v apt-get >/dev/null || ! "${as[@]}" true; then
    echo "not installed, and wanted by tests: ${missing[*]}" >&2
    exit 0
fi
echo "installing ${missing[*]}"
"${as[@]}" apt-get update -qq
"${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "${missing[@]}" >/dev/null
