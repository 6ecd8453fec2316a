#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone to batches over HTTP: install, build, make splits, serve them, fetch from them.
set -u -o pipefail
cd "$(dirname "$0")" || exit 1
. tools/packages.sh

port=${TWONMNIST_PORT:-8642}
build=${TWONMNIST_BUILD:-build}
nmnist='' partial='' once='' daemon=''

usage() {
    cat <<END
Usage: ./quickstart.sh [--nmnist PATH [--allow-partial]] [--once]
Build twonmnist, make 2NMNIST splits, serve them on 127.0.0.1:$port and fetch from them.

  --nmnist PATH  make the splits from real N-MNIST: a folder with Train.zip and Test.zip, or
                 with Train/ and Test/; without it a small synthetic data set is made
  --allow-partial
                 take recordings that are not all of N-MNIST
  --once         stop the daemon and end, instead of serving until Ctrl-C

TWONMNIST_PORT chooses another port.
END
}

die() {
    echo "quickstart: $*" >&2
    exit 1
}

# Run a step quietly; show its log where it fails.
quietly() {
    local log=$build/quickstart.log
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "failed: $*"
    }
}

stop_daemon() {
    [ -n "$daemon" ] && kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
    daemon=''
}

build_all() {
    mkdir -p "$build"
    [ -x configure ] || { echo "Preparing the build"; quietly autoreconf -fi; }
    [ -f "$build/Makefile" ] || { echo "Configuring"; (cd "$build" && quietly_configure); }
    echo "Building in $build/"
    quietly make -C "$build" -j"$(nproc)"
}

quietly_configure() {
    "$OLDPWD/configure" -q >quickstart.log 2>&1 || {
        tail -n 30 quickstart.log >&2
        die "configure failed"
    }
}

make_splits() {
    if [ -n "$nmnist" ]; then
        data=$build/data-nmnist
        source=(--from "$nmnist" ${partial:+"$partial"})
    else
        data=$build/data
        source=(--from synthetic --count 2000,400 --seed 1)
    fi
    [ -f "$data/train.safetensors" ] && [ -z "$nmnist" ] && return
    echo "Making the splits in $data/ (${source[*]})"
    "$build/twonmnist-generate" splits "${source[@]}" --out "$data" || die "no splits were made"
}

start_daemon() {
    "$build/twonmnistd" --data "$data" --listen "127.0.0.1:$port" 2>"$build/twonmnistd.log" &
    daemon=$!
    until grep -q 'listening on' "$build/twonmnistd.log"; do
        kill -0 "$daemon" 2>/dev/null || {
            cat "$build/twonmnistd.log" >&2
            die "the daemon did not start (TWONMNIST_PORT chooses another port)"
        }
        sleep 0.05
    done
    echo "Serving $data/ on http://127.0.0.1:$port"
}

fetch() {
    export TWONMNIST_SERVER=http://127.0.0.1:$port
    local client=$build/twonmnist
    echo
    "$client" info || die "no answer"
    echo
    "$client" batch train --seed 1 --epoch 0 --k 0 --size 32 \
        --output "$build/batch.safetensors" || die "no batch"
    echo "A training batch of 32 samples:     $build/batch.safetensors" \
        "($(stat -c %s "$build/batch.safetensors") bytes)"
    "$client" pair nmnist-train 42 0 --output "$build/pair.npy" || die "no pair"
    echo "A fresh pair, mixed for this call:  $build/pair.npy" \
        "($(stat -c %s "$build/pair.npy") bytes)"
    cat <<END

To look at in a browser, samples playing, mixing, and where all else is:
  http://127.0.0.1:$port/
What it is made of:
  http://127.0.0.1:$port/v1/splits
  http://127.0.0.1:$port/v1/splits/train/samples/0.json
  http://127.0.0.1:$port/v1/splits/train/epochs/1/0/batches/0.json?size=2
  http://127.0.0.1:$port/v1/pairs/nmnist-train/42/0.json
In another terminal:
  $client play train 1
To read it in Python (Debian: apt install python3-venv python3-numpy python3-torch):
  make -C $build wheel
  python3 -m venv --system-site-packages ~/twonmnist
  ~/twonmnist/bin/pip install --no-deps $build/dist/*.whl
To train a small spiking network on it:
  ~/twonmnist/bin/python python/examples/train.py http://127.0.0.1:$port --limit 60
END
}

while [ $# -gt 0 ]; do
    case $1 in
    --nmnist)
        [ $# -gt 1 ] || die "--nmnist takes a path"
        nmnist=$2
        shift
        ;;
    --allow-partial) partial=$1 ;;
    --once) once=yes ;;
    --help)
        usage
        exit 0
        ;;
    *) die "unknown word \"$1\" (see --help)" ;;
    esac
    shift
done
[ -z "$nmnist" ] || [ -e "$nmnist" ] || die "$nmnist: there is nothing"

# shellcheck disable=SC2086
packages_need $PACKAGES_BUILD || exit 1
build_all
trap stop_daemon EXIT
trap 'echo; echo "Stopping"; exit 0' INT TERM
make_splits
start_daemon
fetch
if [ -n "$once" ]; then
    stop_daemon
    exit 0
fi
echo
echo "Serving until Ctrl-C."
wait "$daemon"
