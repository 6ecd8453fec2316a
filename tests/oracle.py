# SPDX-License-Identifier: Apache-2.0
"""The rules of mixing, frames, orders and pairs once more, in plain NumPy."""
import numpy as np

from safetensors_reader import unpack


def pack(t, x, y, p):
    """Packed events [N,5] of columns."""
    t, p = np.asarray(t, np.uint32), np.asarray(p, np.uint32)
    out = np.empty((len(t), 5), np.uint8)
    out[:, 0], out[:, 1] = x, y
    out[:, 2] = p << 7 | t >> 16
    out[:, 3], out[:, 4] = t >> 8 & 0xff, t & 0xff
    return out


def round_half_even(t, step):
    """round(t / step), exact for integers."""
    whole, rest = np.divmod(np.asarray(t, np.int64), step)
    return whole + ((2 * rest > step) | ((2 * rest == step) & (whole % 2 == 1)))


def reverse(columns):
    t, x, y, p = columns
    return t.max() - t[::-1], x[::-1], y[::-1], p[::-1]


def keep_first(columns):
    """Drop events equal to an earlier one."""
    t, x, y, p = (np.asarray(c, np.int64) for c in columns)
    key = ((t * 64 + x) * 64 + y) * 2 + p
    first = np.sort(np.unique(key, return_index=True)[1])
    return t[first], x[first], y[first], p[first]


def mix(recordings, order="time", timestep=0):
    """Packed mix of packed recordings."""
    parts = [unpack(r) for r in recordings]
    parts = [reverse(c) if i % 2 else c for i, c in enumerate(parts)]
    if order == "published":
        parts.reverse()
    columns = [np.concatenate(c) for c in zip(*parts)]
    if order == "time":
        by_time = np.argsort(columns[0], kind="stable")
        columns = [c[by_time] for c in columns]
    if timestep:
        columns[0] = round_half_even(columns[0], timestep) * timestep
    if timestep or (order == "time" and len(parts) > 1):
        columns = keep_first(columns)
    return pack(*columns)


def frames(events, timestep=1000, bins=300, binning="round", overlap="or", axes="TCHW"):
    t, x, y, p = (c.astype(np.int64) for c in unpack(events))
    at = round_half_even(t, timestep) if binning == "round" else t // timestep
    kept = at < bins
    out = np.zeros((bins, 2, 34, 34), np.int64)
    np.add.at(out, (at[kept], p[kept], y[kept], x[kept]), 1)
    out = np.minimum(out, 1 if overlap == "or" else 255).astype(np.uint8)
    return out if axes == "TCHW" else np.ascontiguousarray(out.transpose(1, 2, 3, 0))


def epoch_order(seed, epoch, n):
    return np.random.RandomState([seed, epoch]).permutation(n)


def fresh_pair(seed, index, digits):
    """(a, b) over recordings whose digits, in name order, are `digits`."""
    r0, r1 = (int(r) for r in np.random.Philox(key=seed, counter=index).random_raw(2))
    n = len(digits)
    a = r0 * n >> 64
    same = np.flatnonzero(digits == digits[a])
    m, f = len(same), int(same[0])
    j = r1 * (n - m) >> 64
    return a, j if j < f else j + m
