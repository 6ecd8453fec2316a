# SPDX-License-Identifier: Apache-2.0
"""Batches as arrays or tensors: frames, or the events of all samples one behind the other."""
from __future__ import annotations

from ctypes import c_uint32
from typing import Any, NamedTuple

import numpy as np

from . import _library
from ._library import Handle

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

POLARITIES = 2

# As Tonic's N-MNIST has them: t in µs, p 1 where the pixel became brighter.
EVENT_DTYPE = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])


class Events(NamedTuple):
    """Events of a batch, ragged: those of sample i are offsets[i]:offsets[i + 1]. Arrays, or
    tensors.

    t: int32 [N], µs; x, y: uint8 [N], pixels of the sensor; p: uint8 [N], 1 is ON; offsets:
    int64 [B + 1].
    """

    t: Any
    x: Any
    y: Any
    p: Any
    offsets: Any


class PackedEvents(NamedTuple):
    """Events of a batch as they are stored: uint8 [N, 5] (x, y, then 24 bits big-endian: polarity
    in the top bit, time in µs below); offsets: int64 [B + 1]. Arrays, or tensors."""

    events: Any
    offsets: Any


class Frames(NamedTuple):
    """Frames of a batch whose samples have different numbers of them. Arrays, or tensors.

    frames: as of the loader's axes, filled up with zeros to the longest sample; n_frames: int32
    [B], how many are each sample's own.
    """

    frames: Any
    n_frames: Any


class SparseFrames(NamedTuple):
    """Frames of a batch without their zeros. Arrays, or tensors.

    places: int16 [M], of each frame in order those that are set, (channel * H + y) * W + x,
    ascending, as often as there are events where those are counted; counts: int32 [B, T], how many
    each frame has; n_frames: int32 [B], frames of each sample; sensor: (channels, H, W).
    """

    places: Any
    counts: Any
    n_frames: Any
    sensor: tuple[int, int, int]

    def csr(self) -> tuple[Any, Any]:
        """int64 [B * T + 1] and [M]: where each frame begins among the columns, and these, as
        torch.sparse_csr_tensor() takes them for a matrix of B * T rows and C * H * W columns."""
        counts = np.asarray(self.counts).reshape(-1)
        crow = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        col = np.asarray(self.places).astype(np.int64)
        if torch is not None and isinstance(self.places, torch.Tensor):
            return torch.from_numpy(crow), torch.from_numpy(col)
        return crow, col


class Batch(NamedTuple):
    """A batch and which samples are in it, from a loader made with with_indices=True. Arrays, or
    tensors.

    inputs, labels: as without; indices: int64 [B], positions in the whole split, or numbers of
    fresh pairs (less 2^64 from 2^63 on); sources: int32 [B, 2], positions in the source split of
    the recordings that a sample was made of, -1 for none.
    """

    inputs: Any
    labels: Any
    indices: Any
    sources: Any


class _Memory:
    """Memory of a batch, kept until no array shows it any more."""

    def __init__(self, address: int | None, size: int, owner: Handle) -> None:
        self.__array_interface__ = {"version": 3, "typestr": "|u1", "shape": (size,),
                                    "data": (address or 1, False)}
        self.owner = owner


def _view(address: int | None, size: int, owner: Handle) -> np.ndarray:
    return np.asarray(_Memory(address, size, owner))


def offsets(batch: Handle) -> np.ndarray:
    """int64 [B + 1], in events; borrowed from the batch."""
    n = batch.get("tnm_batch_n_samples")
    return _view(batch.get("tnm_batch_offsets"), 8 * (n + 1), batch).view(np.int64)


def labels(batch: Handle) -> np.ndarray:
    """uint8 [B, labels], multi-hot; borrowed from the batch."""
    shape = batch.get("tnm_batch_n_samples"), batch.get("tnm_batch_n_labels")
    return _view(batch.get("tnm_batch_labels"), shape[0] * shape[1], batch).reshape(shape)


def indices(batch: Handle) -> np.ndarray:
    """int64 [B]; borrowed from the batch."""
    n = batch.get("tnm_batch_n_samples")
    return _view(batch.get("tnm_batch_indices"), 8 * n, batch).view(np.int64)


def sources(batch: Handle) -> np.ndarray:
    """int32 [B, 2]; borrowed from the batch."""
    n = batch.get("tnm_batch_n_samples")
    return _view(batch.get("tnm_batch_sources"), 8 * n, batch).view(np.int32).reshape(n, 2)


def packed(batch: Handle) -> PackedEvents:
    """The batch's events as they came, borrowed from it."""
    n = batch.get("tnm_batch_n_events")
    events = _view(batch.get("tnm_batch_events"), 5 * n, batch).reshape(n, 5)
    return PackedEvents(events, offsets(batch))


def columns(batch: Handle) -> Events:
    """What the decoder of columns made of the batch."""
    n = batch.get("tnm_batch_n_events")
    memory = _view(*_library.decoded(batch), batch)
    x, y, p = (memory[i * n:(i + 1) * n] for i in (4, 5, 6))
    return Events(memory[:4 * n].view(np.int32), x, y, p, offsets(batch))


def frames(batch: Handle, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """What the decoder of frames made of the batch."""
    return _view(*_library.decoded(batch), batch).view(dtype).reshape(shape)


def n_frames(batch: Handle) -> tuple[np.ndarray, int]:
    """int32 [B], the frames of each sample, and of the longest; of a batch decoded to frames."""
    address, longest = _library.n_frames(batch)
    size = 4 * batch.get("tnm_batch_n_samples")
    return _view(address, size, batch).view(np.int32), longest


def sparse(batch: Handle, sensor: tuple[int, int, int]) -> SparseFrames:
    """What the sparse decoder made of the batch."""
    own, longest = n_frames(batch)
    counts = _view(batch.get("tnm_batch_counts"), 4 * len(own) * longest, batch).view(np.int32)
    address, n_places = _library.places(batch)
    places = _view(address, 2 * n_places, batch).view(np.int16)
    return SparseFrames(places, counts.reshape(len(own), longest), own, sensor)


def structured_decoder(dtype: np.dtype = EVENT_DTYPE) -> Handle:
    """A decoder to structured arrays of `dtype`."""
    fields = [dtype.fields[name] for name in "xytp"]  # type: ignore[index]
    at = (c_uint32 * 4)(*(field[1] for field in fields))
    width = (c_uint32 * 4)(*(field[0].itemsize for field in fields))
    return _library.make("tnm_decoder_structured", "tnm_decoder_free", dtype.itemsize, at, width)


def structured(batch: Handle, decoder: Handle, dtype: np.dtype = EVENT_DTYPE) -> list[np.ndarray]:
    """The samples of a batch as writable structured arrays, which need the batch no longer."""
    events = np.empty(batch.get("tnm_batch_n_events"), dtype)
    _library.call("tnm_decode", decoder.pointer, batch.pointer, events.ctypes.data, events.nbytes)
    ends = offsets(batch)
    return [events[start:end] for start, end in zip(ends[:-1], ends[1:])]


def to_tensors(value: Any) -> Any:
    """Arrays, and tuples of them, named or not, as tensors of the same memory; numbers as they
    are."""
    if isinstance(value, tuple):
        made = map(to_tensors, value)
        return tuple(made) if type(value) is tuple else type(value)(*made)
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value
