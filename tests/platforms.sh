#!/usr/bin/env bash
# Builds the engine and the command for other systems, and has them do there what they do here: the
# engine's own tests, the tour, the recorded answers, the corpus of GGUF files and, for Windows, the
# programs of C; and makes what a release has for them. qemu runs what is for other processors, wine
# what is for Windows, and programs for musl run as they are: all of it in the root of tests/root.sh.
#   tests/platforms.sh [SYSTEM...]      some of arm64 s390x armhf i386 musl windows; all by default
#   PARTS='tour corpus' tests/platforms.sh [SYSTEM...]
#                                       some of tests tour recordings corpus c release
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/checks.sh

systems=("$@")
[ $# != 0 ] || systems=(arm64 s390x armhf i386 musl windows)
declare -A triples=(
    [arm64]=aarch64-unknown-linux-gnu [s390x]=s390x-unknown-linux-gnu
    [armhf]=armv7-unknown-linux-gnueabihf [i386]=i686-unknown-linux-gnu
    [musl]=x86_64-unknown-linux-musl [windows]=x86_64-pc-windows-gnu
)
declare -A emulators=(
    [arm64]='qemu-aarch64 -L /usr/aarch64-linux-gnu' [s390x]='qemu-s390x -L /usr/s390x-linux-gnu'
    [armhf]='qemu-arm -L /usr/arm-linux-gnueabihf' [i386]='qemu-i386 -L /usr/i686-linux-gnu'
    [musl]=env [windows]=wine64
)

# What only the machine can give.
may_enter() {
    [ "$(uname -sm)" = 'Linux x86_64' ] || return 1
    if [ "$(id -u)" = 0 ]; then
        unshare --mount --propagation private true
    else
        sudo -n unshare --mount --propagation private true
    fi 2>/dev/null
}
if ! may_enter; then
    not_here "other systems" "a root of them takes the rights of the superuser, on Linux, x86-64"
    exit
elif ! command -v mmdebstrap >/dev/null || ! apt-get --version >/dev/null 2>&1; then
    skip "other systems" "no mmdebstrap or no apt-get on the path"
    exit
elif ! bash tests/root.sh make "${systems[@]}"; then
    not_here "other systems" "their root could not be made of the packages that apt finds"
    exit
fi

target=$PWD/target/platforms
settings="
    export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0 CARGO_INCREMENTAL=0
    export RUSTC_BOOTSTRAP=1 RUST_BACKTRACE=0
    export XDG_RUNTIME_DIR=/tmp WINEDEBUG=-all WINEPREFIX=$target/wine
    export WINEPATH='Z:\\usr\\x86_64-w64-mingw32\\lib' # the libraries of wine itself
    export MODELKEEP_SKIPS=${MODELKEEP_SKIPS:-} MODELKEEP_REQUIRE=${MODELKEEP_REQUIRE:-}
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER=s390x-linux-gnu-gcc
    export CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER=arm-linux-gnueabihf-gcc
    export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER=i686-linux-gnu-gcc
"
# Else each program of Windows would begin a session of wine, and whoever reads what it prints would
# wait for the session's end.
begins_session='exec 9> >(exec wine64 cmd >/dev/null 2>&1);'
session=
inside() { # COMMAND
    bash tests/root.sh enter "$settings source release/tools.sh; $session $1"
}
proves() { # WHAT COMMAND
    if inside "$2"; then pass "$1"; else fail "$1"; fi
}
wants() { # PART
    [[ " ${PARTS:-tests tour recordings corpus c release} " == *" $1 "* ]]
}

# How cargo and the scripts of a release start what they build for a system.
runner() { # SYSTEM
    echo "export CARGO_TARGET_$(tr a-z- A-Z_ <<<"${triples[$1]}")_RUNNER='${emulators[$1]}';"
}

both="--locked --package modelkeep --package modelkeep-cli"
proves_programs() { # SYSTEM
    local system=$1 triple=${triples[$1]} run=${emulators[$1]} cargo tests suffix= replay=
    local programs=target/platforms/$triple/debug session=
    cargo="builds_for $triple cargo"
    # Debian's libraries for musl are not those that Rust's unwinding is linked by.
    [ "$system" != musl ] || cargo="install_tools ziglang cargo-zigbuild; builds_for $triple cargo-zigbuild"
    tests="--test scenarios --test large_files"
    if [ "$system" = windows ]; then
        suffix=.exe tests+=" --test windows --test case_folding" session=$begins_session
        # wine shows links of Unix as what they lead to.
        replay="--windows --differs tests/golden/windows.json --skip symlinks"
        ! wants recordings || not_here "the recording symlinks under wine" "it has no links of Unix"
    fi
    if ! inside "$cargo build --target $triple $both --bins --examples"; then
        fail "$system: builds"
        return
    fi
    pass "$system: builds"
    ! wants tests || proves "$system: the tests of the engine" \
        "$(runner "$system") $cargo test --no-fail-fast --target $triple $both --lib $tests"
    ! wants tour || proves "$system: the tour" "$run $programs/examples/tour$suffix"
    ! wants corpus || proves "$system: the corpus of GGUF files" \
        "python3 tests/corpus.py $run $programs/modelkeep$suffix"
    ! wants recordings || proves "$system: the recorded answers" \
        "bash tests/conformance.sh '$run $programs/modelkeep$suffix' $replay"
    [ "$system" != windows ] || ! wants c || proves "$system: the programs of C" \
        "$cargo build --target $triple --locked --package modelkeep-c
        bash tests/c_windows.sh $programs"
}

# s390x, ARMv7 and i686 have no wheels and no archives. What is made here is looked at and used, and
# not published: it is built quickly.
proves_release() { # SYSTEM
    local triple=${triples[$1]} made=target/platforms/made/$1 build
    [[ $1 =~ ^(arm64|musl|windows)$ ]] || return 0
    # The root has no git.
    build="export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
        export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
        export CARGO_PROFILE_RELEASE_OPT_LEVEL=0
        unset CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER; bash release"
    rm -rf "$made"
    proves "$1: the wheel" \
        "bash tests/cpython.sh $1
        $build/wheels.sh $made/wheels $triple
        PYTHONS=/opt/$1/usr/bin/python bash release/check-wheels.sh $made/wheels tests/python/test_{package,scenarios}.py"
    proves "$1: the archive" \
        "$build/archive.sh $made/archives $triple
        $(runner "$1") bash release/check-archives.sh $made/archives"
}

for system in "${systems[@]}"; do
    [ "${PARTS:-}" = release ] || proves_programs "$system"
    ! wants release || proves_release "$system"
done
