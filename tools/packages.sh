# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Which of Debian's packages the project needs, and how to get those that are missing.
# Source this file; then: packages_need PACKAGES...

PACKAGES_BUILD="autoconf automake libtool make gcc pkg-config
    libmicrohttpd-dev libgnutls28-dev libjansson-dev libuv1-dev libarchive-dev libcurl4-openssl-dev nettle-dev
    zlib1g-dev libpng-dev"
PACKAGES_CHECK="valgrind curl clang libclang-rt-dev libcmocka-dev python3 python3-numpy xz-utils
    openssl jq sqlite3 python3-pip python3-yaml python3-torch python3-tqdm python3-matplotlib python3-sklearn
    fish zsh debhelper dh-python lintian debootstrap systemd-container iproute2 libarchive-tools"
# shellcheck disable=SC2034
PACKAGES_COVERAGE="lcov"
# shellcheck disable=SC2034
PACKAGES_BENCH="wrk nginx-light curl python3 python3-numpy python3-matplotlib unzip"
# shellcheck disable=SC2034
PACKAGES_SOAK="python3 python3-numpy python3-matplotlib"

packages_missing() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
            echo "$package"
    done
}

# The program PATH (below /) of a package that is not to be installed, since it would start a service:
# fetched into FOLDER, once. packages_program PACKAGE PATH FOLDER; prints where it is, or nothing.
packages_program() {
    program=$3/${2##*/}
    if [ ! -x "$program" ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
        mkdir -p "$3" && (
            cd "$3" && apt-get download -qq "$1" >/dev/null 2>&1 &&
                dpkg-deb --fsys-tarfile ./"$1"_*.deb | tar -xO "./$2" >new &&
                [ -s new ] && chmod +x new && mv new "${2##*/}"
            rm -f new ./"$1"_*.deb
        )
    fi
    [ ! -x "$program" ] || echo "$program"
}

# The same of a package that cannot do without others: it and those of its needs that this system lacks are
# unpacked into FOLDER. packages_tree PACKAGE PATH FOLDER; prints where the program is, or nothing.
packages_tree() {
    if [ ! -x "$3/$2" ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
        mkdir -p "$3" && (
            cd "$3" || exit
            # shellcheck disable=SC2046
            apt-get download -qq $(apt-get install -s --no-install-recommends "$1" 2>/dev/null |
                sed -n 's/^Inst \([^ ]*\) .*/\1/p') >/dev/null 2>&1
            for file in ./*.deb; do
                [ ! -e "$file" ] || dpkg-deb -x "$file" .
            done
            rm -f ./*.deb
        )
    fi
    [ ! -x "$3/$2" ] || echo "$3/$2"
}

# Install what is missing, saying what and why; refuse where there is no apt.
packages_need() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        echo "This system has no apt. Install what these packages of Debian hold, then run" >&2
        echo "./configure and make as usual:" >&2
        # shellcheck disable=SC2086
        printf '  %s\n' $* >&2
        return 1
    fi
    # shellcheck disable=SC2046,SC2048,SC2086
    set -- $(packages_missing $*)
    [ $# -eq 0 ] && return 0
    echo "Installing what the build needs and this system lacks: $*"
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get update -qq &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
