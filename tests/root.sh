#!/usr/bin/env bash
# A root of Debian testing with what builds and runs programs of other systems: compilers, the
# standard libraries of Rust for them, qemu and wine. Only the superuser can make one and enter it.
#   tests/root.sh make [SYSTEM...]      makes it where it is not there, for some of arm64 s390x
#                                       armhf i386 musl windows; for all by default
#   tests/root.sh enter COMMAND         runs a command of a shell in it, in this directory
set -euo pipefail
cd "$(dirname "$0")/.."

place=${MODELKEEP_ROOT:-$PWD/target/platforms/root}
declare -A compiler=(
    [arm64]=gcc-aarch64-linux-gnu [s390x]=gcc-s390x-linux-gnu [armhf]=gcc-arm-linux-gnueabihf
    [i386]=gcc-i686-linux-gnu
)
# Of the files of some packages the rest is wanted by nobody here: what they depend on is for those
# systems themselves, or for pictures and sound.
architectures=(amd64) packages=(cargo rustc gcc cmake make pkgconf qemu-user python3-venv) files_of=()
wants() { # SYSTEM
    case $1 in
        # Debian has no standard library of Rust for these: it is built of its sources.
        musl) files_of+=(rust-src) packages+=(musl) ;;
        windows)
            packages+=(g{cc,++}-mingw-w64-x86-64-win32 libunwind8 libz-mingw-w64)
            files_of+=(rust-src libwine wine64 wine-common)
            ;;
        *)
            architectures+=("$1")
            packages+=("${compiler[$1]}" "libc6-dev-$1-cross")
            files_of+=("libstd-rust-dev:$1")
            ;;
    esac
}
unwanted=(
    ./usr/share/{doc,man,locale} './usr/src/*/compiler' './usr/src/*/src'
    './usr/lib/*/wine/i386-windows'
)
as=()
[ "$(id -u)" = 0 ] || as=(sudo -n)

joined() { local IFS=,; echo "$*"; }

# The mirror of Debian from which this machine has its own packages, and how it asks there.
mirror() {
    apt-get indextargets --format '$(ORIGIN) $(SITE)' 'Created-By: Packages' |
        awk '$1 == "Debian" && !/security/ { print $2; exit }'
}
settings() {
    apt-config dump | grep -E '^Acquire::(https?|Check-[A-Za-z-]*|Retries)\b' || true
}

make_root() { # SYSTEM...
    local site options=() line system
    [ $# != 0 ] || set -- arm64 s390x armhf i386 musl windows
    # One that was made for others is made anew.
    if [ -z "$(comm -23 <(printf '%s\n' "$@" | sort) <(sort "$place/made" 2>/dev/null))" ]; then
        return
    fi
    for system; do wants "$system"; done
    site=$(mirror)
    [ -n "$site" ] || { echo "apt has no mirror of Debian here" >&2; return 1; }
    while IFS= read -r line; do options+=(--aptopt="$line"); done < <(settings)
    # What is mounted in a root that was broken off stays as it is.
    "${as[@]}" rm -rf --one-file-system "$place"
    mkdir -p "$place"
    # wine is not always in testing, and nothing else is taken from sid.
    "${as[@]}" mmdebstrap --mode=root --variant=apt "${options[@]}" \
        --architectures="$(joined "${architectures[@]}")" \
        --include="$(joined "${packages[@]}")" \
        --aptopt='APT::Default-Release "testing"' --aptopt='APT::Install-Recommends "false"' \
        --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --customize-hook="chroot \"\$1\" sh -euc '
            cd /tmp
            apt-get download -q ${files_of[*]}
            for package in *.deb; do
                dpkg-deb --fsys-tarfile \$package |
                    tar -x -C / --keep-directory-symlink --no-wildcards-match-slash \
                    $(printf -- '--exclude=%s ' "${unwanted[@]}")
                rm \$package
            done
            [ ! -e /usr/bin/wine64-stable ] || ln -sf wine64-stable /usr/bin/wine64'" \
        testing "$place" "deb $site testing main" "deb [arch=amd64] $site sid main"
    printf '%s\n' "$@" | "${as[@]}" tee "$place/made" >/dev/null
}

# In a mount namespace of its own: what is mounted in the root goes with the command.
enter_root() { # COMMAND
    local shared=${MODELKEEP_SHARED:-../shared} cargo=${CARGO_HOME:-$HOME/.cargo}
    local places=("$PWD" "$cargo" /tmp /etc/ssl/certs)
    # Where it is itself: links on the way to it lead nowhere in the root.
    if [ -d "$shared" ]; then
        shared=$(cd "$shared" && pwd -P)
        places+=("$shared")
    fi
    mkdir -p "$cargo"
    export CARGO_HOME=$cargo CARGO_TARGET_DIR=$PWD/target/platforms HOME=/root
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    "${as[@]}" env --unset=TMPDIR PATH="$PATH" CARGO_HOME="$CARGO_HOME" HOME="$HOME" \
        CARGO_TARGET_DIR="$CARGO_TARGET_DIR" MODELKEEP_SHARED="$shared" \
        unshare --mount --propagation private bash -euc '
            root=$1 command=$2 here=$3
            shift 3
            mount --rbind /proc "$root/proc"
            mount --rbind /dev "$root/dev"
            for place; do mkdir -p "$root$place"; mount --bind "$place" "$root$place"; done
            # What is installed in the root must not make them anew for the whole machine.
            mount -o remount,bind,ro "$root/etc/ssl/certs"
            cp -L /etc/resolv.conf "$root/etc/resolv.conf"
            exec chroot "$root" bash -euc "cd \"\$0\"; $command" "$here"
        ' enter "$place" "$1" "$PWD" "${places[@]}"
}

case ${1:-} in
    make) shift; make_root "$@" ;;
    enter) enter_root "$2" ;;
    *) sed -n '2,6p' "$0" >&2; exit 2 ;;
esac
