#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares synthetic recordings with real ones: figures side by side, and pictures.

    twonmnist-generate splits --from N-MNIST --out real
    twonmnist-generate splits --from synthetic --count 700,100 --out synthetic
    bench/synthetic_statistics.py real/nmnist-train.safetensors \\
        synthetic/nmnist-train.safetensors --pictures DIR
"""

import argparse
import json
import pathlib
import struct
import zlib

import numpy as np

SIDE = 34
BIN_US = 5000
SACCADES_US = ((0, 105000), (105000, 210000), (210000, 400000))
DTYPES = {"I64": np.int64, "I32": np.int32, "U8": np.uint8}


class Recording:
    """One recording's events as arrays."""

    def __init__(self, digit, packed):
        events = packed.astype(np.int64)
        self.digit = digit
        self.x, self.y, self.p = events[:, 0], events[:, 1], events[:, 2] >> 7
        self.t = (events[:, 2] & 127) << 16 | events[:, 3] << 8 | events[:, 4]

    def counts(self):
        """How often each pixel fired."""
        return np.bincount(self.y * SIDE + self.x, minlength=SIDE * SIDE)


def read_split(path):
    """The recordings of a source split."""
    data = path.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])

    def tensor(name):
        begin, end = (8 + size + at for at in header[name]["data_offsets"])
        return np.frombuffer(data[begin:end], DTYPES[header[name]["dtype"]]).reshape(
            header[name]["shape"]
        )

    offsets, events = tensor("offsets").astype(np.int64), tensor("events")
    digits = tensor("labels").argmax(1)
    return [
        Recording(int(digit), events[begin:end])
        for digit, begin, end in zip(digits, offsets[:-1], offsets[1:])
    ]


def rows_of(recordings):
    """Name and value of each figure."""
    n = np.array([len(r.t) for r in recordings])
    digits = np.array([r.digit for r in recordings])
    on = np.array([r.p.mean() for r in recordings])
    last = np.array([r.t[-1] for r in recordings]) / 1000
    counts = np.array([r.counts() for r in recordings])
    gaps, same = [], []
    for r in recordings[::10]:
        pixel = r.y * SIDE + r.x
        order = np.argsort(pixel, kind="stable")
        neighbours = np.diff(pixel[order]) == 0
        gaps.append(np.diff(r.t[order])[neighbours])
        same.append((np.diff(r.p[order]) == 0)[neighbours])
    yield "recordings", "%d" % len(n)
    yield "events: mean, sd", "%.0f, %.0f" % (n.mean(), n.std())
    yield "events: least, most", "%d, %d" % (n.min(), n.max())
    for digit in range(10):
        of = n[digits == digit]
        if len(of):
            yield "events of %d: mean, sd" % digit, "%.0f, %.0f" % (of.mean(), of.std())
    yield "ON share: mean, sd", "%.4f, %.4f" % (on.mean(), on.std())
    yield "ON share: least, most", "%.3f, %.3f" % (on.min(), on.max())
    yield "first event: median, ms", "%.2f" % (np.median([r.t[0] for r in recordings]) / 1000)
    yield "last event: least, median, most, ms", "%.1f, %.1f, %.1f" % (
        last.min(),
        np.median(last),
        last.max(),
    )
    yield "equal times", "%.4f" % np.mean([(np.diff(r.t) == 0).mean() for r in recordings])
    yield "pixels with 4 events or more", "%.0f" % (counts >= 4).sum(1).mean()
    yield "most events of a pixel: mean", "%.1f" % counts.max(1).mean()
    yield "gap at a pixel: 1, 25, 50 %, µs", "%d, %d, %d" % tuple(
        np.percentile(np.concatenate(gaps), (1, 25, 50))
    )
    yield "same polarity as before at a pixel", "%.3f" % np.concatenate(same).mean()


def shapes_of(recordings):
    """Count images as unit vectors, and their digits."""
    images = np.array([r.counts() for r in recordings], float)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    return images, np.array([r.digit for r in recordings])


def share_right(known, asked):
    """How many of `asked` are nearest to their own digit's mean over `known`."""
    (known_x, known_y), (x, y) = known, asked
    digits = np.unique(known_y)
    means = np.array([known_x[known_y == digit].mean(0) for digit in digits])
    distances = (means**2).sum(1) - 2 * x @ means.T
    return (digits[distances.argmin(1)] == y).mean()


def way_of(recordings, begin_us, end_us):
    """Where the middle of all events is in a stretch of time."""
    x, y = [], []
    for r in recordings:
        at = (r.t >= begin_us) & (r.t < end_us)
        at &= (r.x > 3) & (r.x < 31) & (r.y > 3) & (r.y < 31)
        if at.sum() > 30:
            x.append(r.x[at].mean())
            y.append(r.y[at].mean())
    return "%.1f, %.1f" % (np.mean(x), np.mean(y)) if len(x) > 10 else "-"


def print_figures(real, synthetic):
    print("%-38s %22s %22s" % ("", "real", "synthetic"))
    for (name, a), (_, b) in zip(rows_of(real), rows_of(synthetic)):
        print("%-38s %22s %22s" % (name, a, b))
    for begin in range(10000, 300000, 24000):
        name = "middle of events at %d ms: x, y" % (begin // 1000 + 6)
        at = (begin, begin + 12000)
        print("%-38s %22s %22s" % (name, way_of(real, *at), way_of(synthetic, *at)))
    a, b = shapes_of(real), shapes_of(synthetic)
    print("\nnearest digit mean, share right:")
    halves = [[tuple(v[i::2] for v in shapes) for i in (0, 1)] for shapes in (a, b)]
    print("  real from real           %.3f" % share_right(*halves[0]))
    print("  synthetic from synthetic %.3f" % share_right(*halves[1]))
    print("  real from synthetic      %.3f" % share_right(b, a))
    print("  synthetic from real      %.3f" % share_right(a, b))
    print("\nevents in %d ms:%9s %10s" % (BIN_US // 1000, "real", "synthetic"))
    bins = [
        np.bincount(np.concatenate([r.t for r in of]) // BIN_US, minlength=70) / len(of)
        for of in (real, synthetic)
    ]
    for i in range(64):
        bars = "#" * int(bins[0][i] / 4), "*" * int(bins[1][i] / 4)
        print("%3d ms %15.1f %10.1f  %-40s|%s" % (i * 5, bins[0][i], bins[1][i], *bars))


def picture_of(recording, begin_us, end_us, bright):
    """ON red, OFF blue, twice the size, framed."""
    at = (recording.t >= begin_us) & (recording.t < end_us)
    picture = np.zeros((SIDE, SIDE, 3))
    channel = np.where(recording.p[at] == 1, 0, 2)
    np.add.at(picture, (recording.y[at], recording.x[at], channel), 255 / bright)
    picture = np.minimum(255, picture).astype(np.uint8)
    picture[..., 1] = picture[..., 0] // 4 + picture[..., 2] // 4
    picture = picture.repeat(2, 0).repeat(2, 1)
    return np.pad(picture, ((1, 1), (1, 1), (0, 0)), constant_values=80)


def write_png(path, picture):
    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    height, width, _ = picture.shape
    lines = b"".join(b"\0" + line.tobytes() for line in picture)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def draw(sets, n, stretches, bright):
    """A line for each digit: n recordings of each set, each in all stretches of time."""
    blank = np.zeros((2 * SIDE + 2, 2 * SIDE + 2, 3), np.uint8)
    lines = []
    for digit in range(10):
        line = []
        for recordings in sets:
            some = [r for r in recordings if r.digit == digit][:n]
            for r in some:
                line += [picture_of(r, begin, end, bright) for begin, end in stretches]
            line += [blank] * ((n - len(some)) * len(stretches))
            line.append(np.full((2 * SIDE + 2, 8, 3), 255, np.uint8))
        lines.append(np.concatenate(line[:-1], 1))
    return np.concatenate(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("real", type=pathlib.Path, help="source split of real recordings")
    parser.add_argument("synthetic", type=pathlib.Path, help="source split of synthetic ones")
    parser.add_argument("--pictures", type=pathlib.Path, help="folder for PNG files")
    arguments = parser.parse_args()
    real, synthetic = read_split(arguments.real), read_split(arguments.synthetic)
    print_figures(real, synthetic)
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
        sets = real, synthetic
        write_png(arguments.pictures / "digits.png", draw(sets, 8, ((0, 400000),), 10))
        write_png(arguments.pictures / "saccades.png", draw(sets, 2, SACCADES_US, 5))
        print("\nleft real, right synthetic: %s/{digits,saccades}.png" % arguments.pictures)


if __name__ == "__main__":
    main()
