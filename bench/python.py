#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Samples per second into NumPy: the binding over loopback, against reading local files.

    TWONMNIST_LIBRARY=build/.libs/libtwonmnist.so.0 PYTHONPATH=python bench/python.py BUILD DATA

DATA holds splits (twonmnist-generate splits). With a third argument, a file, the rates of all rounds are
written there as JSON. The yardsticks, measured in the same run:

* files, byte loop: one small file a sample, read as the dataset's authors read theirs: a list of
  bytes, columns, rounded bins, OR into a dense tensor (written anew after doc and paper).
* files, NumPy: the same files by np.fromfile and whole-array arithmetic; events alone.
* files, add.at: these cut into windows as Tonic cuts them, each counted by np.add.at.
* curl: the same batches over HTTP, thrown away; the better of one connection and of four.

Frames are made of events, as on one machine they are, or "of places" that are set, as over a
network; bytes are those that have arrived, a sample. Figures are medians of three rounds
in which all take turns.
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import twonmnist

BATCH, ROUNDS, SECONDS = 64, 3, 2.0
TIMESTEP, BINS, WINDOW_US = 1000, 300, 10_000


def byte_loop(path):
    """A file as the authors' loader reads it: uint8 [2, 34, 34, 300]."""
    octets = list(path.read_bytes())
    x, y, p, t = [], [], [], []
    for i in range(0, len(octets), 5):
        x.append(octets[i])
        y.append(octets[i + 1])
        p.append(octets[i + 2] >> 7)
        t.append((octets[i + 2] & 0x7F) << 16 | octets[i + 3] << 8 | octets[i + 4])
    tensor = np.zeros((2, 34, 34, BINS), np.uint8)
    for i, time_us in enumerate(t):
        at = round(time_us / TIMESTEP)
        if at < BINS:
            tensor[p[i], y[i], x[i], at] = 1
    return tensor


def whole_arrays(path):
    """A file by NumPy: structured events."""
    octets = np.fromfile(path, np.uint8).reshape(-1, 5).astype(np.int64)
    events = np.empty(len(octets), twonmnist.Split.dtype)
    events["x"], events["y"], events["p"] = octets[:, 0], octets[:, 1], octets[:, 2] >> 7
    events["t"] = (octets[:, 2] & 0x7F) << 16 | octets[:, 3] << 8 | octets[:, 4]
    return events


def windows_of(path):
    """Windows of a file, from its first event on, those that are full: int16 [n, 2, 34, 34]."""
    events = whole_arrays(path)
    t = events["t"].astype(np.int64)
    n = max(int((t[-1] - t[0]) // WINDOW_US), 1)
    frames = np.zeros((n, 2, 34, 34), np.int16)
    for i in range(n):
        begin, end = np.searchsorted(t, [t[0] + i * WINDOW_US, t[0] + (i + 1) * WINDOW_US])
        at = events[begin:end]
        np.add.at(frames, (i, at["p"].astype(int), at["y"].astype(int), at["x"].astype(int)), 1)
    return frames


def rate(one_round):
    """Samples a second of a function that does some and says how many."""
    n, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < SECONDS:
        n += one_round()
    return n / spent


def from_files(read, paths):
    def one_round():
        for path in paths:
            read(path)
        return len(paths)
    return one_round


def from_loader(split, **form):
    loader = twonmnist.loader(split, BATCH, last="drop", **{"tensors": False, **form})

    def one_round():
        loader.set_epoch(loader.epoch + 1)
        return sum(len(labels) for _, labels in loader)
    one_round.bytes = lambda: loader.stats().bytes / max(loader.stats().samples, 1)
    return one_round


def from_curl(url, split, *options):
    n_batches = len(split) // BATCH
    epoch = iter(range(1, 1 << 32))

    def one_round():
        urls = (f"{url}/v1/splits/train/epochs/0/{next(epoch)}/batches/[0-{n_batches - 1}]"
                f".safetensors?size={BATCH}")
        subprocess.run(["curl", "-sSf", "--no-progress-meter", *options, urls, "-o", "/dev/null"], check=True,
                       stderr=subprocess.DEVNULL)
        return n_batches * BATCH
    return one_round


def singly(split):
    index = iter(range(1 << 62))

    def one_round():
        for _ in range(100):
            split[next(index) % len(split)]
        return 100
    return one_round


def check_windows(split, paths, rule):
    """Both ways give the same tensors."""
    (frames, n_frames), _ = next(iter(twonmnist.loader(
        split, len(paths), frames=rule, axes="BTCHW", dtype="uint8", tensors=False)))
    for tensor, n, path in zip(frames, n_frames, paths):
        np.testing.assert_array_equal(tensor[:n], windows_of(path))


def check_byte_loop(split, paths):
    """Both ways give the same tensors."""
    frames, _ = next(iter(twonmnist.loader(split, len(paths), dtype="uint8", axes="CHWT",
                                           tensors=False)))
    for tensor, path in zip(frames, paths):
        np.testing.assert_array_equal(tensor, byte_loop(path))


def measure(url):
    split = twonmnist.Split(url, "train")
    of_places = twonmnist.Split(url, "train", wire="sparse")
    windows = twonmnist.frames.tonic(time_window=WINDOW_US)
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / f"{i}.bin" for i in range(50)]
        raw = twonmnist.loader(split, len(paths), form="packed", tensors=False)
        (events, offsets), _ = next(iter(raw))
        for i, path in enumerate(paths):
            path.write_bytes(events[offsets[i]:offsets[i + 1]].tobytes())
        check_byte_loop(split, paths)
        check_windows(split, paths, windows)
        ways = {
            "files, byte loop, frames": from_files(byte_loop, paths),
            "files, NumPy, events": from_files(whole_arrays, paths),
            "files, add.at, 10 ms windows": from_files(windows_of, paths),
            "curl, 1 connection": from_curl(url, split),
            "curl, 4 connections": from_curl(url, split, "--parallel", "--parallel-max", "4"),
            "Split[i], events": singly(split),
            "loader, packed events": from_loader(split, form="packed"),
            "loader, columns": from_loader(split, form="events"),
            "loader, frames uint8": from_loader(split, dtype="uint8"),
            "loader, frames uint8 of places": from_loader(of_places, dtype="uint8"),
            "loader, frames uint8 BTCHW": from_loader(split, dtype="uint8", axes="BTCHW"),
            "loader, frames float32": from_loader(split),
            "loader, frames float32 of places": from_loader(of_places),
            "loader, 10 ms windows": from_loader(split, frames=windows),
            "loader, 10 ms windows of places": from_loader(of_places, frames=windows),
            "loader, sparse frames": from_loader(of_places, form="sparse"),
        }
        rates = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                rates[name].append(rate(way))
    return rates, {name: way.bytes() for name, way in ways.items() if hasattr(way, "bytes")}


def report(rates, moved):
    rates = {name: statistics.median(values) for name, values in rates.items()}
    loop = rates["files, byte loop, frames"]
    curl = max(rates["curl, 1 connection"], rates["curl, 4 connections"])
    print(f"{'':32} {'samples/s':>10} {'x byte loop':>12} {'x curl':>8} {'bytes':>8}")
    for name, value in rates.items():
        size = f"{moved[name]:8,.0f}" if name in moved else ""
        print(f"{name:32} {value:10,.0f} {value / loop:12.1f} {value / curl:8.2f} {size}")


def main():
    build, data = map(pathlib.Path, sys.argv[1:3])
    daemon = subprocess.Popen([build / "twonmnistd", "--data", data, "--listen", "127.0.0.1:0"],
                              stderr=subprocess.PIPE, text=True)
    try:
        line = next(line for line in daemon.stderr if "listening on" in line)
        rates, moved = measure(f"http://127.0.0.1:{line.rsplit(':', 1)[1].strip()}")
        report(rates, moved)
        if len(sys.argv) > 3:
            pathlib.Path(sys.argv[3]).write_text(json.dumps(rates))
    finally:
        daemon.terminate()
        daemon.wait()


if __name__ == "__main__":
    main()
