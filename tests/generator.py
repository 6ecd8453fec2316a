# SPDX-License-Identifier: Apache-2.0
"""Runs twonmnist-generate, and makes small sources for it without the real recordings."""
import os
import pathlib
import subprocess
import zipfile

import numpy as np

import oracle
import safetensors_reader
from daemon import GENERATE

PARTS = {"Train": "train", "Test": "test"}


def run(*words, expect=0, **options):
    """Run it and return (stdout, stderr); fails where the exit status is another."""
    done = subprocess.run([GENERATE, *map(str, words)], capture_output=True, text=True, **options)
    if done.returncode != expect:
        raise AssertionError(f"exit status {done.returncode}, not {expect}: {done.stderr}")
    return done.stdout, done.stderr


def fail(*words, expect=1, **options):
    """Run it, expecting a failure; returns the reason, which is one line."""
    out, err = run(*words, expect=expect, **options)
    reasons = [line for line in err.splitlines() if line.startswith("twonmnist-generate: ")]
    if len(reasons) != 1:
        raise AssertionError(f"not one reason: {err!r}")
    return reasons[0].removeprefix("twonmnist-generate: ")


def read(folder, name):
    """(tensors, metadata) of a split."""
    return safetensors_reader.read((pathlib.Path(folder) / f"{name}.safetensors").read_bytes())


def samples(tensors):
    """The packed events of each sample."""
    offsets = tensors["offsets"]
    return [tensors["events"][a:b] for a, b in zip(offsets, offsets[1:])]


def digest(folder):
    """The bytes of all files, by name."""
    return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}


def recording(seed, n_events=40):
    """The bytes of a small recording that obeys the rules."""
    rng = np.random.RandomState(seed)
    t = np.sort(rng.randint(0, 300_000, n_events))
    x, y, p = (rng.randint(0, bound, n_events) for bound in (34, 34, 2))
    return oracle.pack(t, x, y, p).tobytes()


def recordings(parts=("Train", "Test"), per_digit=6):
    """{name: bytes} of a small source."""
    found = {}
    for part in parts:
        for i in range(10 * per_digit):
            found[f"{part}/{i % 10}/{i + 1:05}.bin"] = recording(1000 * len(part) + i)
    return found


def write_folder(root, files):
    for name, content in files.items():
        path = pathlib.Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return pathlib.Path(root)


def write_zips(root, files, order=list):
    """Train.zip and Test.zip, with their files in the order that `order` brings them into."""
    root = pathlib.Path(root)
    root.mkdir(parents=True, exist_ok=True)
    for part in sorted({name.split("/")[0] for name in files}):
        with zipfile.ZipFile(root / f"{part}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name in order(name for name in files if name.startswith(part + "/")):
                archive.writestr(name, files[name])
    return root


def tree(root):
    """All paths below `root`, hidden ones too."""
    return sorted(os.path.relpath(os.path.join(folder, name), root)
                  for folder, folders, files in os.walk(root) for name in folders + files)
