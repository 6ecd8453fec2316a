# SPDX-License-Identifier: Apache-2.0
"""Ready batches in a reproducible order, fetched ahead, to be resumed anywhere."""
from __future__ import annotations

import contextlib
import operator
import os
from ctypes import c_uint32
from typing import Any, Iterator, Optional, Union

import numpy as np

try:
    from tqdm.auto import tqdm
except ImportError:
    tqdm = None

from . import _library, batches
from ._library import Handle
from .datasets import Pairs, Split
from .workers import IterableDataset, checked_rank_and_world, shared_number, worker_and_workers

_LAST = {"short": 0, "drop": 1, "pad": 2}
_BINNING = {"round": 0, "floor": 1}
_OVERLAP = {"or": 0, "sum": 1}
_DTYPES = {"uint8": 0, "float32": 1}
# Name -> number in the library, and the order of bins T, samples B, and sensor S in the shape.
_AXES = {"BTCHW": (0, "BTS"), "CHWT": (1, "BST"), "TBCHW": (2, "TBS")}


def _one_of(name: str, value: Any, table: dict[str, Any]) -> Any:
    if value not in table:
        raise ValueError(f"{name} {value!r}; it has to be one of {', '.join(table)}")
    return table[value]


class FramesForm:
    """Batches as dense frames."""

    def __init__(self, geometry: tuple[int, int, int], dtype: str, axes: str, timestep: int,
                 bins: int, binning: str, overlap: str) -> None:
        number, self._shape = _one_of("axes", axes, _AXES)
        self._geometry = geometry
        self._words = (timestep, bins, _one_of("binning", binning, _BINNING),
                       _one_of("overlap", overlap, _OVERLAP), number,
                       _one_of("dtype", dtype, _DTYPES))
        self._dtype, self._bins = dtype, bins
        self.decoder()  # so that a number out of range is an error here and now

    def decoder(self) -> Handle:
        return _library.make("tnm_decoder_frames", "tnm_decoder_free",
                             (c_uint32 * 3)(*self._geometry), *self._words)

    def read(self, batch: Handle) -> np.ndarray:
        width, height, _ = self._geometry
        sizes = {"T": (self._bins,), "B": (batch.get("tnm_batch_n_samples"),),
                 "S": (batches.POLARITIES, height, width)}
        shape = sum((sizes[letter] for letter in self._shape), ())
        return batches.frames(batch, self._dtype, shape)


class EventsForm:
    """Batches as columns of events."""

    def decoder(self) -> Handle:
        return _library.make("tnm_decoder_columns", "tnm_decoder_free")

    def read(self, batch: Handle) -> batches.Events:
        return batches.columns(batch)


class PackedForm:
    """Batches of events as they are stored."""

    def decoder(self) -> None:
        return None

    def read(self, batch: Handle) -> batches.PackedEvents:
        return batches.packed(batch)


class Loader(IterableDataset):
    """Batches of one epoch after another, or of fresh pairs without end; made by loader().

    Iterating gives (inputs, labels), prefetched by the C library's own thread, so that it needs no
    worker processes; in a DataLoader (with batch_size=None) workers take turns, and the batches
    come in the same order. Each iteration begins with the epoch's first batch, unless a state was
    loaded; choose the epoch by set_epoch(), as with PyTorch's DistributedSampler.
    """

    def __init__(self, dataset: Union[Split, Pairs], form: Any, batch_size: int, seed: int,
                 epoch: int, rank: int, world: int, last: str, depth: int, tensors: bool,
                 progress: bool) -> None:
        self.dataset, self.form = dataset, form
        self.batch_size, self.last = operator.index(batch_size), last
        self.seed, self._epoch = seed, shared_number(epoch)
        self.rank, self.world = rank, world
        self._depth, self._tensors, self._progress = depth, tensors, progress
        self._is_resumed = False
        self._is_workers = False  # the cursor is that of one worker's own share
        self._cursor: Optional[str] = None
        self._idle: tuple[int, Optional[Handle]] = (0, None)
        self._open()  # so that a number out of range is an error here and now

    def __repr__(self) -> str:
        return (f"Loader({self.dataset!r}, batch_size={self.batch_size}, seed={self.seed}, "
                f"epoch={self.epoch}, rank={self.rank}, world={self.world}, last={self.last!r})")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_idle": (0, None)}

    @property
    def epoch(self) -> int:
        """The epoch that is iterated over; 0 for pairs."""
        return int(self._epoch[0])

    @property
    def is_endless(self) -> bool:
        return isinstance(self.dataset, Pairs)

    def __len__(self) -> int:
        """Batches in an epoch, the same number for each rank. TypeError for pairs: they never end.
        """
        if self.is_endless:
            raise TypeError("fresh pairs have no end, so there is no number of batches")
        return self.dataset.handle.get("tnm_epoch_n_batches", self.batch_size, _LAST[self.last])

    def _open(self) -> Handle:
        """A stream at the beginning of the epoch, or of the pairs."""
        handle = self.dataset.handle
        if self.is_endless:
            return _library.make("tnm_pairs_open", "tnm_stream_close", handle.pointer, self.seed,
                                 self.dataset.start, self.batch_size, self.rank, self.world,
                                 self._depth)
        return _library.make("tnm_epoch_open", "tnm_stream_close", handle.pointer, self.seed,
                             self.epoch, self.batch_size, self.rank, self.world, _LAST[self.last],
                             self._depth)

    def _open_at_start(self) -> Handle:
        """A stream where the next iteration begins."""
        stream = self._open()
        if self._is_resumed:
            _library.call("tnm_stream_seek", stream.pointer, self._cursor.encode())
        return stream

    def _open_decoded(self) -> Handle:
        """The stream of an iteration that has ended, whose memory can be used again; or another."""
        pid, stream = self._idle
        self._idle = (0, None)
        if pid == os.getpid() and not self._is_resumed:
            _library.call("tnm_stream_set_epoch", stream.pointer, self.epoch)
            return stream
        stream = self._open_at_start()
        decoder = self.form.decoder()
        if decoder is not None:
            _library.call("tnm_stream_set_decoder", stream.pointer, decoder.pointer)
            stream.keep(decoder)
        return stream

    def _open_share(self) -> Handle:
        """A stream where the next iteration begins, of what this worker process takes of it."""
        worker, n_workers = worker_and_workers()
        stream = self._open_decoded()
        if n_workers > 1:
            skip = 0 if self._is_resumed and self._is_workers else worker
            _library.call("tnm_stream_stride", stream.pointer, skip, n_workers)
        return stream

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        stream = self._open_share()
        self._is_resumed, self._is_workers = False, worker_and_workers()[1] > 1
        self._cursor = _library.tell(stream)
        with self._bar() as bar:
            while (batch := _library.next_batch(stream)) is not None:
                self._cursor = _library.tell(stream)
                if bar is not None:
                    bar.update()
                yield self._read(batch)
                del batch  # its memory is used again
        self._idle = (os.getpid(), stream)

    def _read(self, batch: Handle) -> tuple[Any, Any]:
        inputs, labels = self.form.read(batch), batches.labels(batch).astype(np.float32)
        if self._tensors:
            return batches.to_tensors(inputs), batches.to_tensors(labels)
        return inputs, labels

    def _bar(self) -> Any:
        if not self._progress:
            return contextlib.nullcontext()
        return tqdm(total=None if self.is_endless else len(self), unit="batch",
                    desc=f"{self.dataset.name}, epoch {self.epoch}")

    def set_epoch(self, epoch: int) -> None:
        """Iterate over this epoch from now on, from its beginning; where it is the present one, and
        a state of it was loaded, that stays."""
        if self.is_endless:
            raise TypeError("fresh pairs have no epochs")
        if epoch == self.epoch:
            return
        if not 0 <= epoch < 1 << 32:
            raise ValueError(f"epoch {epoch}; it has to be 0 to 2^32 - 1")
        self._epoch[0] = epoch
        self._is_resumed, self._cursor = False, None

    def state_dict(self, batches: Optional[int] = None) -> dict[str, Any]:
        """Where the iteration is: a loader that loads it goes on with exactly the next batch, in
        any process and with any rank and world of the same global batch size.

        batches: how many of this iteration's batches were used, where a DataLoader with workers
        iterates (this process cannot know then); without it, as many as were iterated over here.
        """
        if batches is not None:
            stream = self._open_at_start()
            _library.call("tnm_stream_stride", stream.pointer, operator.index(batches), 1)
            return {"cursor": _library.tell(stream), "worker": False}
        cursor = _library.tell(self._open_at_start()) if self._cursor is None else self._cursor
        return {"cursor": cursor, "worker": self._is_workers}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a state_dict() was taken: seed and epoch become the state's.

        Errors: ValueError where batch size, last, order or timestep differ; OSError (ESTALE) where
        it belongs to other data.
        """
        stream = self._open()
        _library.call("tnm_stream_seek", stream.pointer, state["cursor"].encode())
        self.seed = stream.get("tnm_stream_seed")
        self._epoch[0] = stream.get("tnm_stream_epoch")
        self._cursor, self._is_workers = state["cursor"], bool(state["worker"])
        self._is_resumed, self._idle = True, (0, None)


def loader(dataset: Union[Split, Pairs], batch_size: int = 32, *, form: str = "frames",
           dtype: str = "float32", axes: str = "TBCHW", timestep: int = 1000, bins: int = 300,
           binning: str = "round", overlap: str = "or", seed: Optional[int] = None, epoch: int = 0,
           rank: Optional[int] = None, world: Optional[int] = None, last: str = "short",
           depth: int = 4, tensors: Optional[bool] = None, progress: bool = False) -> Loader:
    """Iterate over a Split in the order that (seed, epoch) gives, or over fresh Pairs, in batches.

    Batch k of an epoch holds numpy.random.RandomState([seed, epoch]).permutation(n)[k * batch_size:
    (k + 1) * batch_size]; rank r of `world` takes every world-th of them, beginning with r.

    form: "frames", dense; "events", an Events of columns; "packed", a PackedEvents.
    Labels are float32 [B, labels], multi-hot.

    For frames: dtype "float32" or "uint8" (a quarter of the memory); axes "TBCHW"
    [bins, B, 2, H, W], "BTCHW" [B, bins, 2, H, W] or "CHWT" [B, 2, H, W, bins]; channel 1 is
    ON. timestep: µs of a bin, 1 to 1,000,000; bins: 1 to 4,096, later events are dropped; binning:
    "round" (half to even, as the dataset's authors) or "floor" (as Tonic); overlap: "or" (0 or 1)
    or "sum" (counts, up to 255).

    batch_size: of all ranks together; each gets its share of it. seed: 0 to 2^32 - 1, of the
    epochs' order; Pairs have their own. rank, world: by default those of torch.distributed where it
    is in use. last: the last batch of an epoch is "short" (with several ranks possibly empty), or
    is dropped ("drop"), or filled up from the epoch's beginning ("pad"). depth: batches that are
    fetched ahead. tensors: whether to give tensors rather than arrays; by default where PyTorch is
    installed. progress: show a bar; needs tqdm.

    Arrays and tensors share the library's memory, which is used again when the last of them is
    gone; they may be written to.
    """
    if tensors and batches.torch is None:
        raise ImportError("tensors=True needs PyTorch")
    if progress and tqdm is None:
        raise ImportError("progress=True needs tqdm")
    made = _one_of("form", form, {
        "frames": lambda: FramesForm(dataset.geometry, dtype, axes, timestep, bins, binning,
                                     overlap),
        "events": EventsForm,
        "packed": PackedForm,
    })()
    _one_of("last", last, _LAST)
    if isinstance(dataset, Pairs):
        if seed is not None or epoch:
            raise ValueError("Pairs have a seed of their own, and no epochs")
        seed = dataset.seed
    return Loader(dataset, made, batch_size, seed or 0, epoch,
                  *checked_rank_and_world(rank, world), last, depth,
                  batches.torch is not None if tensors is None else tensors, progress)
