#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Let a daemon serve honest, slow and hostile clients through reloads, and look at every byte and at its
# memory (bench/soak.py):
#
#   bench/soak.sh MINUTES
#
# Builds, makes a small synthetic set, and writes soak.csv and soak.svg. Ends with 1 where anything was
# wrong.
#   BENCH_BUILD   the build folder (default: build-bench, made here)
#   SOAK_DATA     splits to serve a copy of (default: made)
#   BENCH_OUT     where results go (default: bench/)
set -eu -o pipefail
minutes=${1:?"usage: bench/soak.sh MINUTES"}
source=$(realpath "$(dirname "$0")/..")
. "$source/tools/packages.sh"
# shellcheck disable=SC2086
packages_need $PACKAGES_BUILD $PACKAGES_SOAK
build=$(realpath -m "${BENCH_BUILD:-$source/build-bench}")
out=$(realpath "${BENCH_OUT:-$source/bench}")

[ -x "$source/configure" ] || (cd "$source" && autoreconf -fi)
mkdir -p "$build" && cd "$build"
[ -e Makefile ] || "$source/configure" -q
make -s -j"$(nproc)" twonmnistd twonmnist-generate
ulimit -n "$(ulimit -Hn)"
export PYTHONDONTWRITEBYTECODE=1 TWONMNIST_BUILD="$build"
exec /usr/bin/python3 "$source/bench/soak.py" "$build" "$out" "$minutes" ${SOAK_DATA:+"$SOAK_DATA"}
