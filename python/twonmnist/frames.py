# SPDX-License-Identifier: Apache-2.0
"""Rules by which events become frames, with the arguments of the libraries that make the same.

    >>> from twonmnist import frames
    >>> rule = frames.tonic(time_window=10_000, denoise=10_000)
    >>> train = twonmnist.Split(url, "train", frames=rule)      # train[0]: (frames, label)
    >>> for inputs, labels in twonmnist.loader(train, 64): ...  # or loader(split, 64, frames=rule)
    >>> rule(events)                                            # int16 [T, 2, 34, 34], as Tonic's

All make what the library of their name makes, value by value, and take these filters, which are
applied first and in this order:

stabilize: take the way of the sensor off the pixels, as tonic.datasets.NMNIST(stabilize=True) does.
t0, t1 (µs): keep t0 <= t < t1; Tonic's CropTime(min, max) is t0=min, t1=max + 1.
denoise (µs): Tonic's Denoise(filter_time).
polarity: "keep", or "merge": all events become OFF, once for each time and place, and frames have
one channel.

A rule is constant, can be compared, hashed and pickled, and says in repr() how it was made.
"""
from __future__ import annotations

import functools
from typing import Any, Mapping, Optional

import numpy as np

from . import _library, batches
from ._library import Handle
from .checks import one_of, whole

_T_MAX = 2**23 - 1  # µs that an event can have


def _text(value: Any) -> str:
    """A value as it stands in a URL."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return np.format_float_positional(value, trim="-")
    return str(value)


def filters_of(filters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The filters that are given, as names and texts of parameters.

    Errors: TypeError or ValueError what is none.
    """
    for name in filters:
        one_of("filter", name, ("stabilize", "t0", "t1", "denoise", "polarity"))
    given = {name: value for name, value in filters.items()
             if value is not None and not (name == "stabilize" and not value)}
    for name, low in (("t0", 0), ("t1", 1), ("denoise", 1)):
        if name in given:
            given[name] = whole(name, given[name], low, _T_MAX + (name == "t1"))
    if "stabilize" in given:
        given["stabilize"] = True
    return tuple((name, _text(value)) for name, value in given.items())


def handle_of(params: tuple[tuple[str, str], ...]) -> Handle:
    """The library's rule with these parameters. ValueError of the library's."""
    rule = _library.make("tnm_rule_new", "tnm_rule_free")
    for name, value in params:
        _library.call("tnm_rule_set", rule.pointer, name.encode(), value.encode())
    return rule


class Rule:
    """How events become frames; made by the functions of this module.

    `rule(events)` is an array of a sample's events, structured with x, y, t, p: int16 counts
    [T, C, H, W], as Tonic gives them, or float64 [bins, 1, H, W] of a voxel grid. So it can be a
    transform, too. query: the parameters as they stand in a URL of the daemon's.
    """

    __slots__ = ("_said", "_params", "query")

    _said: str
    _params: tuple[tuple[str, str], ...]
    query: str

    def __init__(self, said: str, params: tuple[tuple[str, str], ...]) -> None:
        object.__setattr__(self, "_said", said)
        object.__setattr__(self, "_params", params)
        object.__setattr__(self, "query", _library.rule_query(handle_of(params)))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name}: a rule is constant")

    def __repr__(self) -> str:
        return self._said

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Rule) and self.query == other.query

    def __hash__(self) -> int:
        return hash(self.query)

    def __reduce__(self) -> Any:
        return Rule, (self._said, self._params)

    @property
    def is_voxel(self) -> bool:
        """Whether it makes a voxel grid rather than counts."""
        return ("slice", "voxel") in self._params

    @property
    def n_channels(self) -> int:
        """1 of a voxel grid, or where polarities are merged; else 2."""
        return 1 if self.is_voxel or ("polarity", "merge") in self._params else batches.POLARITIES

    @property
    def sets(self) -> bool:
        """Whether a place is 1 however many events it has."""
        return "overlap=or" in self.query.split("&")

    def decoder(self, geometry: tuple[int, int, int], axes: int, dtype: int) -> Handle:
        """A decoder of the library's to dense frames."""
        rule = handle_of(self._params)
        return _library.make("tnm_decoder_rule", "tnm_decoder_free", _library.u32s(geometry),
                             rule.pointer, axes, dtype)

    def sparse_decoder(self, geometry: tuple[int, int, int]) -> Handle:
        """A decoder of the library's to places that are set."""
        rule = handle_of(self._params)
        return _library.make("tnm_decoder_sparse", "tnm_decoder_free", _library.u32s(geometry),
                             rule.pointer)

    def __call__(self, events: np.ndarray,
                 sensor_size: tuple[int, int, int] = (34, 34, batches.POLARITIES)) -> np.ndarray:
        geometry = (*sensor_size[:2], 1)
        batch = _library.batch_of_events(geometry, packed(events, *sensor_size[:2]))
        return self.samples(batch, geometry)[0]

    def samples(self, batch: Handle, geometry: tuple[int, int, int]) -> list[np.ndarray]:
        """What single samples become, writable and the caller's own."""
        dtype = _DTYPES["float64" if self.is_voxel else "uint16"]
        made = self._decoder_for(geometry, dtype)
        size, longest, n_frames = _library.measure(made, batch)
        out = np.empty(size, np.uint8)
        _library.call("tnm_decode", made.pointer, batch.pointer, out.ctypes.data, out.nbytes)
        width, height, _ = geometry
        shape = (len(n_frames), longest, self.n_channels, height, width)
        # Counts of a sample fit: it would need 32,768 events at one place in one frame.
        whole_batch = out.view(np.float64 if self.is_voxel else np.int16).reshape(shape)
        return [sample[:n] for sample, n in zip(whole_batch, n_frames)]

    def _decoder_for(self, geometry: tuple[int, int, int], dtype: int) -> Handle:
        return _cached_decoder(self, geometry, dtype)


@functools.lru_cache(maxsize=32)
def _cached_decoder(rule: Rule, geometry: tuple[int, int, int], dtype: int) -> Handle:
    return rule.decoder(geometry, 0, dtype)


_DTYPES = {"uint8": 0, "float32": 1, "uint16": 2, "float64": 3}  # the library's numbers


def packed(events: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8 [N, 5] of structured events. ValueError for what no packed event can be."""
    column = {name: np.asarray(events[name]) for name in "xytp"}
    for name, n_values in (("x", width), ("y", height), ("t", _T_MAX + 1), ("p", 2)):
        values = column[name]
        is_fine = (values >= 0) & (values < n_values) & (values == np.floor(values))
        if not is_fine.all():
            raise ValueError(f"{name} = {values[~is_fine][0]}; it has to be a whole number from 0 "
                             f"to {n_values - 1}")
    t = column["t"].astype(np.uint32) | column["p"].astype(np.uint32) << 23
    out = np.empty((len(t), 5), np.uint8)
    out[:, 0], out[:, 1] = column["x"], column["y"]
    out[:, 2], out[:, 3], out[:, 4] = t >> 16, t >> 8 & 255, t & 255
    return out


# ---- As the libraries have them

def _made(name: str, given: Mapping[str, Any], filters: Mapping[str, Any],
          params: Mapping[str, Any]) -> Rule:
    said = {**{key: value for key, value in given.items() if value is not None}, **filters}
    texts = tuple((key, _text(value)) for key, value in params.items() if value is not None)
    arguments = ", ".join(f"{key}={value!r}" for key, value in said.items())
    return Rule(f"frames.{name}({arguments})", filters_of(filters) + texts)


def _one_given(**choices: Any) -> str:
    given = [name for name, value in choices.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"{', '.join(given) or 'none'} given; one of {', '.join(choices)} it has "
                         "to be")
    return given[0]


def _refuse(by: str, **others: Any) -> None:
    for name, value in others.items():
        if value:
            raise ValueError(f"{name} does not go with {by}")


def _stride(length: int, name: str, overlap: Any) -> int:
    return length - whole("overlap", overlap, 0, length - 1) if overlap else length


def tonic(time_window: Optional[int] = None, event_count: Optional[int] = None,
          n_time_bins: Optional[int] = None, n_event_bins: Optional[int] = None,
          overlap: float = 0, include_incomplete: bool = False,
          start_time: Optional[int] = None, end_time: Optional[int] = None,
          **filters: Any) -> Rule:
    """As tonic.transforms.ToFrame: one of time_window (µs), event_count, n_time_bins, n_event_bins.

    overlap: µs of a time_window, events of an event_count, a part (0 to below 1) of n_time_bins.
    include_incomplete: of time_window and event_count, a last frame that is not full. start_time,
    end_time (µs): of time_window, both or none. Filters: see the module.
    """
    given = dict(time_window=time_window, event_count=event_count, n_time_bins=n_time_bins,
                 n_event_bins=n_event_bins, overlap=overlap or None,
                 include_incomplete=include_incomplete or None, start_time=start_time,
                 end_time=end_time)
    kind = _one_given(time_window=time_window, event_count=event_count, n_time_bins=n_time_bins,
                      n_event_bins=n_event_bins)
    if kind != "time_window":
        _refuse(kind, start_time=start_time is not None, end_time=end_time is not None)
    if kind == "time_window":
        length = whole(kind, time_window, 1, 1_000_000)
        params = dict(slice="window", timestep=length, stride=_stride(length, kind, overlap),
                      incomplete=bool(include_incomplete), start=start_time, end=end_time)
    elif kind == "event_count":
        length = whole(kind, event_count, 1, _T_MAX)
        params = dict(slice="event-count", events=length, stride=_stride(length, kind, overlap),
                      incomplete=bool(include_incomplete))
    elif kind == "n_time_bins":
        _refuse(kind, include_incomplete=include_incomplete)
        params = dict(slice="time-bins", bins=whole(kind, n_time_bins, 1, 4096),
                      bin_overlap=float(overlap))
    else:
        _refuse(kind, include_incomplete=include_incomplete, overlap=overlap)
        params = dict(slice="event-bins", bins=whole(kind, n_event_bins, 1, 4096))
    return _made("tonic", given, filters, params)


def spikingjelly(split_by: Optional[str] = None, frames_number: Optional[int] = None,
                 duration: Optional[int] = None, **filters: Any) -> Rule:
    """As SpikingJelly's event datasets: frames_number frames, split_by "number" of events or
    "time"; or frames of a duration (µs). Filters: see the module."""
    given = dict(split_by=split_by, frames_number=frames_number, duration=duration)
    if _one_given(frames_number=frames_number, duration=duration) == "duration":
        _refuse("duration", split_by=split_by)
        params = dict(slice="duration", timestep=whole("duration", duration, 1, 1_000_000))
    else:
        params = dict(slice=one_of("split_by", split_by, ("number", "time")),
                      bins=whole("frames_number", frames_number, 1, 4096))
    return _made("spikingjelly", given, filters, params)


def lava(timestep: int = 1000, bins: int = 300, binning: str = "round", overlap: str = "or",
         **filters: Any) -> Rule:
    """As lava-dl, and the dataset's authors: `bins` frames of timestep µs from time 0 on; a time
    finds its frame by rounding (half to even), or by binning "floor"; a place is 1 where there is an
    event (overlap "or"), or counts them ("sum"). Filters: see the module."""
    params = dict(timestep=whole("timestep", timestep, 1, 1_000_000),
                  bins=whole("bins", bins, 1, 4096),
                  binning=one_of("binning", binning, ("round", "floor")),
                  overlap=one_of("overlap", overlap, ("or", "sum")))
    return _made("lava", params, filters, params)


def voxel(n_time_bins: int, **filters: Any) -> Rule:
    """As tonic.transforms.ToVoxelGrid: float32 (of single samples float64) [n_time_bins, 1, H, W].
    Filters: see the module."""
    n_bins = whole("n_time_bins", n_time_bins, 1, 4096)
    return _made("voxel", dict(n_time_bins=n_bins), filters, dict(slice="voxel", bins=n_bins))


def checked_rule(rule: Any) -> Rule:
    """TypeError for what is no rule."""
    if not isinstance(rule, Rule):
        raise TypeError(f"frames {rule!r}; it has to be a rule, as twonmnist.frames.tonic(…) is")
    return rule
