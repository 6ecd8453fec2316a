#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compare the daemon and its tools with nginx, with a bare epoll server, and with what only moves the
# bytes, in one run:
#
#   bench/run.sh [NAME...]        (all names: bench/run.sh help)
#
# Installs the peers, builds, makes the full-size synthetic set once, and writes bench/RESULTS.md with its
# plots. Takes about half an hour; nothing else should run on the machine meanwhile.
#   BENCH_BUILD   the build folder (default: build-bench, made here)
#   BENCH_DATA    where the splits are, or are made (default: BENCH_BUILD/full)
#   BENCH_OUT     where results go (default: bench/)
#   BENCH_ROUNDS, BENCH_SECONDS   rounds (5) and their length (2)
set -eu -o pipefail
source=$(realpath "$(dirname "$0")/..")
. "$source/tools/packages.sh"
# shellcheck disable=SC2086
packages_need $PACKAGES_BUILD $PACKAGES_BENCH
build=$(realpath -m "${BENCH_BUILD:-$source/build-bench}")
data=$(realpath -m "${BENCH_DATA:-$build/full}")

[ -x "$source/configure" ] || (cd "$source" && autoreconf -fi)
mkdir -p "$build" && cd "$build"
[ -e Makefile ] || "$source/configure" -q
make -s -j"$(nproc)" twonmnistd twonmnist-generate libtwonmnist.la bench/bare bench/core
[ -e "$data/train.safetensors" ] || ./twonmnist-generate splits --from synthetic --out "$data"
ulimit -n "$(ulimit -Hn)"
exec /usr/bin/python3 "$source/bench/run.py" "$build" "$data" "${BENCH_OUT:-$source/bench}" "$@"
