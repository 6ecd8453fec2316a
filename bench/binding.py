# SPDX-License-Identifier: Apache-2.0
"""The Python binding, against curl; see bench/python.py for how it is measured."""
import json
import os
import pathlib
import subprocess
import sys

import rounds
from results import Line

FIRST = """
import sys, time, twonmnist
began = time.perf_counter()
next(iter(twonmnist.loader(twonmnist.Split(sys.argv[1], "train"), 64, dtype="uint8", tensors=False)))
print(time.perf_counter() - began)
"""


def environment(bench):
    source = pathlib.Path(__file__).resolve().parent.parent
    return dict(os.environ, TWONMNIST_LIBRARY=str(bench.build / ".libs/libtwonmnist.so.0"),
                PYTHONPATH=str(source / "python"), PYTHONDONTWRITEBYTECODE="1")


def rates(bench):
    """Samples/s of each way, a list of rounds."""
    path = bench.folder("binding") / "rates.json"
    script = pathlib.Path(__file__).with_name("python.py")
    subprocess.run([sys.executable, script, bench.build, bench.data, path], check=True,
                   env=environment(bench), stdout=subprocess.DEVNULL)
    return json.loads(path.read_text())


def first_batch(bench, url):
    out = subprocess.run([sys.executable, "-c", FIRST, url], check=True, env=environment(bench),
                         capture_output=True, text=True).stdout
    return float(out)


def binding(bench):
    """Samples a second into NumPy."""
    found = rates(bench)
    curl = [max(one, four) for one, four in zip(found["curl, 1 connection"], found["curl, 4 connections"])]
    for way, aim in (("packed events", "≥ 1.0"), ("columns", "≥ 0.95"), ("frames uint8", ""),
                     ("frames float32", "")):
        yield Line(f"batches of 64, {way}: samples/s, ours / curl's", "curl to /dev/null",
                   rounds.ratio(found[f"loader, {way}"], curl), aim)
    loop = found["files, byte loop, frames"]
    yield Line("frames uint8: samples/s, ours / byte loop's", "the authors' way of reading files",
               rounds.ratio(found["loader, frames uint8"], loop))
    single = sorted(found["Split[i], events"])
    yield Line("Split[i], one after the other: samples/s", "–", single[len(single) // 2], "≥ 10000")
    with bench.daemon() as daemon:
        seconds = sorted(first_batch(bench, daemon.url) for _ in range(rounds.ROUNDS))
    yield Line("from open to the first batch of frames, after import: seconds", "–", seconds[len(seconds) // 2], "≤ 0.15")


ROWS = {"binding": binding}
