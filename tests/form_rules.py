# SPDX-License-Identifier: Apache-2.0
"""What becomes of a sample's events before they are sent, and the tensors made of them, in plain
NumPy: the rules of the forms once more, as Tonic 1.6, SpikingJelly 2.0.0.dev1 and lava-dl have them
(golden hashes of the first two hold this file: test_representations.py).

Events are arrays of the fields x, y, t (µs), p, all int64, in order of time; frames are int64
counts [T,2,34,34] ([T,1,34,34] of merged polarities), which only `as_values` clips.

Where a library stops with an error, since there is nothing to count, these rules go on: a sample
without events, or one that is too short, gives empty frames, at least one.
"""
import numpy as np

WIDTH = HEIGHT = 34
DTYPE = np.dtype([("x", "<i8"), ("y", "<i8"), ("t", "<i8"), ("p", "<i8")])


def events_of(packed):
    """Events of AER40: bytes, or U8 [N,5]."""
    if isinstance(packed, (bytes, bytearray, memoryview)):
        packed = np.frombuffer(packed, np.uint8).reshape(-1, 5)
    byte = np.asarray(packed).astype(np.int64).T
    out = np.empty(len(byte[0]), DTYPE)
    out["x"], out["y"], out["p"] = byte[0], byte[1], byte[2] >> 7
    out["t"] = (byte[2] & 0x7f) << 16 | byte[3] << 8 | byte[4]
    return out


def pack(events):
    """U8 [N,5]: AER40."""
    t = events["t"]
    columns = (events["x"], events["y"], events["p"] << 7 | t >> 16, t >> 8 & 0xff, t & 0xff)
    return np.stack(columns, axis=1).astype(np.uint8)


# Filters: events in, events out. `filtered` has their order.

def stabilize(events):
    """Tonic's NMNIST(stabilize=True): the sensor's path through its three saccades is taken off.

    All in binary64, term by term from the left. Where an event then lies decides, not where it is
    rounded to, whether it has left the sensor: 33.2 has, though it would be rounded to 33.
    """
    x, y, t = 4 + events["x"].astype(float), 2 + events["y"].astype(float), events["t"]
    second, third = t - 105e3, t - 210e3
    saccade = [t <= 105e3, t <= 210e3]
    x = np.select(saccade, [x - 3.5 * t / 105e3, x - 3.5 - 3.5 * second / 105e3],
                  x - 7 + 7 * third / 105e3)
    y = np.select(saccade, [y - 7 * t / 105e3, y - 7 + 7 * second / 105e3], y)
    out = events.copy()
    out["x"], out["y"] = np.rint(x), np.rint(y)
    return out[(x >= 0) & (x <= WIDTH - 1) & (y >= 0) & (y <= HEIGHT - 1)]


def crop(events, t0=0, t1=None):
    """t0 <= t < t1. Tonic's CropTime(min, max) is crop(min, max + 1)."""
    t = events["t"]
    return events[(t >= t0) & (t < (np.inf if t1 is None else t1))]


def denoise(events, us):
    """Tonic's Denoise(us): an event stays if one of its 4 neighbours had one less than `us` before.

    Dropped ones count as well. Each pixel begins as if it had had one at time 0, and beyond the
    largest x and y of these events there is none.
    """
    if not len(events):
        return events
    width, height = (1 + int(events[axis].max()) for axis in "xy")
    border = [-1] * (height + 2)  # of pixels that are never alive
    alive_until = [border] + [[-1, *[us] * height, -1] for _ in range(width)] + [border]
    kept = np.zeros(len(events), bool)
    for i, (x, y, t) in enumerate(zip(*(events[name].tolist() for name in "xyt"))):
        here = alive_until[x + 1]
        here[y + 1] = t + us
        kept[i] = max(alive_until[x][y + 1], alive_until[x + 2][y + 1], here[y], here[y + 2]) > t
    return events[kept]


def merge_polarity(events):
    """All events become OFF; of several at one (t, x, y) the first stays."""
    out = events.copy()
    out["p"] = 0
    key = (out["t"] * HEIGHT + out["y"]) * WIDTH + out["x"]
    return out[np.sort(np.unique(key, return_index=True)[1])]


def filtered(events, stabilized=False, t0=0, t1=None, denoise_us=None, merged=False):
    """All filters that are asked for, in their order."""
    if stabilized:
        events = stabilize(events)
    events = crop(events, t0, t1)
    if denoise_us is not None:
        events = denoise(events, denoise_us)
    return merge_polarity(events) if merged else events


# Slices: which events belong to which frame, as (first, behind the last) of each frame.

def _between(t, begins, ends):
    return list(zip(np.searchsorted(t, begins), np.searchsorted(t, ends)))


def _n_steps(rest, stride, incomplete):
    """How many windows fit, if `rest` is what the first leaves; at least one."""
    return max(1 + (-(-rest // stride) if incomplete else rest // stride), 1)


def slice_window(t, timestep, stride=None, incomplete=False, start=None, end=None):
    """Tonic's time_window; overlap is timestep - stride. Windows begin with the first event, or
    `start`; only how many there are depends on the last event, or `end`."""
    stride = timestep if stride is None else stride
    start = int(t[0]) if start is None and len(t) else start or 0
    end = int(t[-1]) if end is None and len(t) else end or 0
    begins = start + stride * np.arange(_n_steps(end - start - timestep, stride, incomplete))
    return _between(t, begins, begins + timestep)


def slice_time_bins(t, bins, bin_overlap=0.0):
    """Tonic's n_time_bins, in binary64: window = (whole µs of a bin) * (1 + overlap); what the
    division leaves belongs to no frame."""
    if not len(t):
        return [(0, 0)] * bins
    window = float((t[-1] - t[0]) // bins) * (1 + bin_overlap)
    begins = np.arange(bins) * (window * (1 - bin_overlap)) + t[0]
    return _between(t, begins, begins + window)


def slice_event_count(t, events, stride=None, incomplete=False):
    """Tonic's event_count; overlap is events - stride."""
    n = min(events, len(t))
    stride = events if stride is None else stride
    return [(i * stride, i * stride + n) for i in range(_n_steps(len(t) - n, stride, incomplete))]


def slice_event_bins(t, bins):
    """Tonic's n_event_bins: what the division leaves belongs to no frame."""
    n = len(t) // bins
    return [(i * n, i * n + n) for i in range(bins)]


def slice_number(t, bins):
    """SpikingJelly's split_by="number": as slice_event_bins, but the last frame takes the rest."""
    *most, (begin, _) = slice_event_bins(t, bins)
    return [*most, (begin, len(t))]


def slice_time(t, bins):
    """SpikingJelly's split_by="time": bins of whole µs; the last frame takes the rest."""
    if not len(t):
        return [(0, 0)] * bins
    begins = np.searchsorted(t, t[0] + (t[-1] - t[0]) // bins * np.arange(bins))
    return list(zip(begins, [*begins[1:], len(t)]))


def slice_duration(t, timestep):
    """SpikingJelly's fixed duration, from the first event; the last frame takes what follows it too
    (an event at the very end of a last whole duration)."""
    if not len(t):
        return [(0, 0)]
    n = max(-(-int(t[-1] - t[0]) // timestep), 1)
    begins = np.searchsorted(t, t[0] + timestep * np.arange(n))
    return list(zip(begins, [*begins[1:], len(t)]))


SLICES = {"window": slice_window, "time-bins": slice_time_bins, "event-count": slice_event_count,
          "event-bins": slice_event_bins, "number": slice_number, "time": slice_time,
          "duration": slice_duration}


# Forms: tensors of events.

def _places(events, channels):
    """Of each event in a frame; of merged polarities all are 0."""
    if channels == 1 and events["p"].any():
        raise ValueError("one channel, but events of both polarities")
    return (events["p"] * HEIGHT + events["y"]) * WIDTH + events["x"]


def _frames_timestep(events, channels, timestep=1000, bins=300, binning="round", overlap="or"):
    """From time 0. lava-dl's: the nearest step, half to even, ones; what is behind the last bin is
    dropped."""
    at, rest = np.divmod(events["t"], timestep)
    if binning == "round":
        at += (2 * rest > timestep) | ((2 * rest == timestep) & (at % 2 == 1))
    size, kept = channels * HEIGHT * WIDTH, at < bins
    counts = np.bincount(at[kept] * size + _places(events[kept], channels), minlength=bins * size)
    return counts if overlap == "sum" else np.minimum(counts, 1)


def frames(events, /, slice="timestep", channels=2, **parameters):
    """int64 [T,channels,34,34]: the events of each frame, counted; `parameters` are those of the
    rule of that name."""
    if slice == "timestep":
        counts = _frames_timestep(events, channels, **parameters)
    else:
        if np.any(np.diff(events["t"]) < 0):
            raise ValueError("events are not in order of time")
        places, size = _places(events, channels), channels * HEIGHT * WIDTH
        counts = np.stack([np.bincount(places[begin:end], minlength=size)
                           for begin, end in SLICES[slice](events["t"], **parameters)])
    return counts.reshape(-1, channels, HEIGHT, WIDTH).astype(np.int64)


def as_values(counts, dtype=np.uint8):
    """Counts as they travel: the largest that fits stands for all above it."""
    return np.minimum(counts, np.iinfo(dtype).max).astype(dtype)


def sparse(counts):
    """(places I16 [M], counts I32 [T]): the places (p * 34 + y) * 34 + x of each frame, ascending,
    each as often as it counts; how many each frame has."""
    flat = counts.reshape(len(counts), -1)
    bins, places = np.nonzero(flat)
    return np.repeat(places, flat[bins, places]).astype(np.int16), flat.sum(1).astype(np.int32)


def bits(counts):
    """U8 [ceil(T / 8),channels,34,34]: is there something, first frame in the highest bit."""
    return np.packbits(counts != 0, axis=0, bitorder="big")


def voxel(events, bins):
    """float64 [bins,1,34,34], Tonic's ToVoxelGrid: each event's polarity (OFF: -1) shared between
    two bins, by how near it is. Sums begin with what all events give to their own bin, in order;
    then comes what they give to the next. Where there is no time between first and last, all is
    in bin 0."""
    grid = np.zeros(bins * HEIGHT * WIDTH)
    if len(events):
        t, polarity = events["t"].astype(float), np.where(events["p"], 1, -1)
        duration = events["t"][-1] - events["t"][0]
        at = bins * (t - t[0]) / duration if duration else 0 * t
        bin_ = at.astype(int)
        part = at - bin_
        for into, value in ((bin_, polarity * (1.0 - part)), (bin_ + 1, polarity * part)):
            kept = into < bins
            cells = (into * HEIGHT + events["y"]) * WIDTH + events["x"]
            np.add.at(grid, cells[kept], value[kept])
    return grid.reshape(bins, 1, HEIGHT, WIDTH)
