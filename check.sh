#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Build with gcc and clang, run all tests, and count them: the last line says how many.
set -u -o pipefail
cd "$(dirname "$0")" || exit 1
. tools/packages.sh

total_passed=0 total_failed=0 total_skipped=0

die() {
    echo "check.sh: $*" >&2
    exit 1
}

# Add up the results of one build's tests, and show the logs of what failed.
count_results() {
    local build=$1 name results passed failed skipped
    results=$(find "$build" -name '*.trs' -exec cat {} +)
    passed=$(grep -c '^:test-result: PASS' <<<"$results")
    skipped=$(grep -c '^:test-result: SKIP' <<<"$results")
    failed=$(grep -cE '^:test-result: (FAIL|ERROR|XPASS)' <<<"$results")
    echo "$build: $passed passed, $failed failed, $skipped skipped; $SECONDS s since the beginning"
    grep -hE '^:test-result: SKIP' <<<"$results" | sed 's/^:test-result: /  /' | sort -u
    [ "$passed" -gt 0 ] || die "$build ran no test"
    for name in $(grep -lE '^:test-result: (FAIL|ERROR|XPASS)' -r "$build" --include='*.trs'); do
        echo "--- ${name%.trs}.log"
        tail -n 80 "${name%.trs}.log"
    done
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    total_skipped=$((total_skipped + skipped))
}

# [only=TESTS programs=WHAT-THEY-RUN] check_with BUILD CONFIGURE-ARGUMENTS...
check_with() {
    local build=$1
    shift
    echo "== $build: configure $*"
    mkdir -p "$build" && find "$build" -name '*.trs' -delete
    (cd "$build" && ../configure -q "$@" >configure.log 2>&1) || {
        tail -n 30 "$build/configure.log"
        die "$build: configure failed"
    }
    make -C "$build" -j"$(nproc)" >"$build/make.log" 2>&1 || {
        grep -E -A5 'error|undefined reference' "$build/make.log" | head -n 60
        die "$build: make failed"
    }
    # One more than there are processors: many tests wait most of their time.
    make -C "$build" -j"$(($(nproc) + 1))" -k check ${only:+TESTS="$only" check_PROGRAMS="$programs"} >"$build/check.log" 2>&1 ||
        grep -E '^(FAIL|ERROR)|error:' "$build/check.log"
    count_results "$build"
}

# Debian's packages: built, looked into, booted, one after the other, beside what else is checked.
start_packages() {
    find build-check-gcc -name '*.trs' -delete
    make -C build-check-gcc -k check-packages >build-check-gcc/packages.log 2>&1 &
    packages=$!
    trap 'kill "$packages" 2>/dev/null' EXIT
}
check_packages() {
    echo "== packages"
    wait "$packages" || grep -E '^(FAIL|ERROR)|error:' build-check-gcc/packages.log
    trap - EXIT
    count_results build-check-gcc
}

# The first thing that a new user runs, from what the gcc build made.
check_quickstart() {
    local port
    port=$(/usr/bin/python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
    if TWONMNIST_BUILD=build-check-gcc TWONMNIST_PORT=$port ./quickstart.sh --once >quickstart.log 2>&1 &&
        grep -q 'A training batch of 32 samples' quickstart.log; then
        echo "quickstart.sh: 1 passed"
        total_passed=$((total_passed + 1))
    else
        cat quickstart.log
        total_failed=$((total_failed + 1))
    fi
    rm -f quickstart.log
}

# A release holds all that git does, builds and installs by itself from a read-only source, and its tests
# run from there: one of each kind, since all others have run here.
check_distribution() {
    echo "== distcheck"
    local tests="tests/event_unit tests/routes_unit tests/test_api.py tests/test_cli.py tests/test_python.py"
    if make -C build-check-gcc -j"$(nproc)" distcheck TESTS="$tests" \
        check_PROGRAMS="tests/event_unit tests/routes_unit tests/twonmnist" >build-check-gcc/distcheck.log 2>&1; then
        echo "distcheck: the release builds, installs and is removed without rest"
    else
        tail -n 40 build-check-gcc/distcheck.log
        die "distcheck failed"
    fi
    missing=$(git ls-files 2>/dev/null | grep -vx -e '.ci/run' -e .gitignore |
        grep -vxF -f <(tar -tf build-check-gcc/twonmnist-*.tar.xz | cut -d/ -f2-))
    [ -z "$missing" ] || die "a release has not: $missing"
}

# shellcheck disable=SC2086
packages_need $PACKAGES_BUILD $PACKAGES_CHECK || exit 1
# Tests of the metrics, and of what doc/deploy.md says, skip where they are not to be had.
TWONMNIST_PROMTOOL=$(packages_program prometheus usr/bin/promtool "$PWD/build-check-tools")
TWONMNIST_NGINX=$(packages_program nginx usr/sbin/nginx "$PWD/build-check-tools")
TWONMNIST_HAPROXY=$(packages_tree haproxy usr/sbin/haproxy "$PWD/build-check-tools/haproxy")
TWONMNIST_VARNISHD=$(packages_tree varnish usr/sbin/varnishd "$PWD/build-check-tools/varnish")
TWONMNIST_SLURMCTLD=$(packages_tree slurm-wlm usr/sbin/slurmctld-wlm "$PWD/build-check-tools/slurm")
export TWONMNIST_PROMTOOL TWONMNIST_NGINX TWONMNIST_HAPROXY TWONMNIST_VARNISHD TWONMNIST_SLURMCTLD
autoreconf -fi >/dev/null 2>autoreconf.log || {
    cat autoreconf.log
    die "autoreconf failed"
}
rm -f autoreconf.log
check_with build-check-gcc --enable-werror CC=gcc
start_packages
check_with build-check-clang --enable-werror --enable-sanitizers CC=clang CFLAGS="-g -O1"
check_packages
# The tests fork; ThreadSanitizer has to be told that it is meant.
TSAN_OPTIONS=die_after_fork=0 only="tests/test_client.py tests/test_client_edges.py tests/test_stream.py" \
    programs="tests/client_driver tests/twonmnist client/examples/epoch client/examples/pairs" \
    check_with build-check-tsan --enable-werror --enable-sanitizers=thread CC=clang CFLAGS="-g -O1"
check_quickstart
check_distribution

echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[ "$total_failed" -eq 0 ]
