# SPDX-License-Identifier: Apache-2.0
"""Splits and fresh pairs, sample by sample, as Tonic and PyTorch expect a dataset."""
from __future__ import annotations

import json
import operator
import os
from ctypes import c_uint64
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence, Union

import numpy as np

from . import _library, batches
from ._library import Handle
from .batches import EVENT_DTYPE, POLARITIES
from .checks import one_of, whole
from .frames import Rule, checked_rule, filters_of, handle_of
from .labels import checked_labels, labels_as, split_labels
from .views import (Folds, checked_part, checked_positions, merged_words, positions_of, view_words,
                    words_of)
from .workers import (IterableDataset, Shared, check_callers, checked_ranks, refused,
                      worker_and_workers, worker_info)

Urls = Union[str, Sequence[str]]
Sample = tuple[Any, Any]

_MOST_AT_ONCE = 256  # samples in a request: a server may refuse more than it is set to
_ORDERS = {"time": 1, "published": 2}


def _tuple_of_urls(urls: Urls) -> tuple[str, ...]:
    return (urls,) if isinstance(urls, str) else tuple(urls)


def splits(urls: Urls, **options: Any) -> list[dict[str, Any]]:
    """What the server has: name, revision, number of samples and so on of each split."""
    client = _library.open_client(_tuple_of_urls(urls), _texts(options))
    return json.loads(_library.catalog(client))["splits"]


def pull(urls: Urls, name: str, folder: Union[str, os.PathLike[str]], *, verify: bool = False,
         **options: Any) -> str:
    """Copy the file of a split ("train", or "train@" and 12 or more digits of its revision) into a
    folder, for a twonmnistd on this machine, and return its path. One that is there stays; `verify`
    looks at all its bytes. What an earlier call left when it was ended is not asked for again."""
    client = _library.open_client(_tuple_of_urls(urls), _texts(options))
    _library.call("tnm_pull", client.pointer, name.encode(), os.fsencode(folder), int(verify), None, 0)
    return os.path.join(os.fspath(folder), name.partition("@")[0] + ".safetensors")


def _texts(options: dict[str, Any]) -> dict[str, str]:
    return {name: os.fspath(value) if isinstance(value, os.PathLike) else str(value)
            for name, value in options.items() if value is not None}


class Dataset:
    """A split that is open: what Split and Pairs have in common.

    It can be pickled and inherited by a fork: each process opens it anew, at the same revision.
    """

    dtype = EVENT_DTYPE
    ordering = EVENT_DTYPE.names
    label_kind = "multihot"

    def __init__(self, urls: Urls, name: str, order: Optional[str], timestep: int,
                 filters: Optional[Mapping[str, Any]], frames: Optional[Rule], transform: Optional[Callable], target_transform: Optional[Callable],
                 transforms: Optional[Callable], options: dict[str, Any]) -> None:
        if order is not None:
            one_of("order", order, _ORDERS)
        self.urls = _tuple_of_urls(urls)
        self.order, self.timestep = order, whole("timestep", timestep, 0, 1_000_000)
        self.filters = dict(filters or {})
        self._filters = filters_of(self.filters)
        self.frames = None if frames is None else checked_rule(frames)
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = transforms
        self._options = _texts(options)
        self._pid, self._is_closed = 0, False
        self._pinned = name
        handle = self.handle
        self.name: str = handle.get("tnm_split_name").decode()
        self.revision: str = handle.get("tnm_split_revision").decode()
        self.info: dict[str, Any] = json.loads(handle.get("tnm_split_json"))
        self.n_samples: int = handle.get("tnm_split_n_samples")
        self.is_source = bool(handle.get("tnm_split_is_source"))
        self.geometry = _library.geometry(handle)  # width, height, labels
        width, height, n_labels = self.geometry
        self.sensor_size = (width, height, POLARITIES)
        self.classes = [str(digit) for digit in range(n_labels)]
        self._pinned = f"{self.name}@{self.revision}"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pid": 0, "_handle": None, "_decoder": None, "_view": None}

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections; what iterates already goes on, nothing new can be asked for.
        """
        self._pid, self._handle, self._is_closed = 0, None, True

    @property
    def handle(self) -> Handle:
        """The split as this process has it open."""
        if self._is_closed:
            raise ValueError(f"{self.name} was closed")
        if self._pid != os.getpid():
            client = _library.open_client(self.urls, self._options)
            handle = _library.make("tnm_split_open", "tnm_split_close", client.pointer,
                                   self._pinned.encode(), parents=(client,))
            order = 0 if self.order is None else _ORDERS[self.order]
            _library.call("tnm_split_set_form", handle.pointer, order, self.timestep)
            if self._filters:
                filters = handle_of(self._filters)
                _library.call("tnm_split_set_filters", handle.pointer, filters.pointer)
            self._handle = handle
            self._decoder = batches.structured_decoder()
            self._pid = os.getpid()
        return self._handle

    def _samples(self, batch: Handle) -> list[Sample]:
        labels = split_labels(labels_as(self.label_kind, batches.labels(batch)))
        inputs = (batches.structured(batch, self._decoder) if self.frames is None
                  else self.frames.samples(batch, self.geometry))
        return [self._transformed(made, label) for made, label in zip(inputs, labels)]

    def _transformed(self, events: Any, label: Any) -> Sample:
        if self.transform is not None:
            events = self.transform(events)
        if self.target_transform is not None:
            label = self.target_transform(label)
        if self.transforms is not None:
            events, label = self.transforms(events, label)
        return events, label


class Split(Dataset):
    """A split or source split, sample by sample: `split[i]` is (events, label).

    events: structured array of x, y (pixels), t (µs) and p (1 is ON), int64 each, writable
    and the caller's own. label, by `labels`: "multihot", float32 [labels], the caller's own; or
    "index", an int, the class, which is the default for source splits and for them alone. The
    transforms are as in Tonic.

    urls: one server or several with the same data, "http://host:port", "https://…" or
    "unix:/path"; "http+srv://name" is those that the SRV records _http._tcp.name name. name:
    "train", "test", a source split, or one of these with "@revision".
    order: None (as stored), "time" or "published"; timestep: µs that times are rounded to, 0 to
    1,000,000; 0: they are not. filters: what servers keep of each sample, {"t1": 100_000,
    "denoise": 10_000, …}: stabilize, t0, t1, denoise, polarity, as of twonmnist.frames. frames: a
    rule of twonmnist.frames, by which samples are frames instead of events, int16 [T, C, H, W]
    (float64 of a voxel grid), and batches of a loader, too.

    part: "held", fold number `fold` (0) of `folds` (10; 2 to 1,000), held out for validation; or
    "rest", all other samples; both are in the order of the whole split, disjoint, and together all
    of it. Each fold has its share of every set of labels: samples of one set are dealt to folds 0,
    1, … in turn, in the order numpy.random.RandomState([fold_seed]).permutation(n); fold_seed (0)
    is up to 2^32 - 1. `indices` are the positions of this part's samples in the whole split, int64;
    None where it is the whole split.

    options: those of the C library, by name: token, token_file, ca_file, certificate_file,
    key_file, timeout_ms, retries, …; None is as good as left out. A pickled dataset carries its
    token: token_file does not tell.
    """

    def __init__(self, urls: Urls, name: str = "train", *, labels: Optional[str] = None,
                 part: Optional[str] = None, folds: Optional[int] = None,
                 fold: Optional[int] = None, fold_seed: Optional[int] = None,
                 order: Optional[str] = None, timestep: int = 0,
                 filters: Optional[Mapping[str, Any]] = None, frames: Optional[Rule] = None,
                 transform: Optional[Callable] = None,
                 target_transform: Optional[Callable] = None,
                 transforms: Optional[Callable] = None, **options: Any) -> None:
        self.part = checked_part(part, folds, fold, fold_seed)
        super().__init__(urls, name, order, timestep, filters, frames, transform, target_transform,
                         transforms, options)
        self.label_kind = self.checked_labels(labels)
        self.indices: Optional[np.ndarray] = None
        self._targets: Any = None
        self.view_words: Optional[str] = None
        self._view: Optional[tuple[Handle, Handle]] = None  # and the handle that it is of
        if self.part is not None:
            self._narrow_to(self._open_view(self.part.words))

    def __repr__(self) -> str:
        n_whole = "" if self.indices is None else f" of {self.info['samples']}"
        return (f"{type(self).__name__}({self.name}@{self.revision[:12]}, "
                f"{self.n_samples}{n_whole} samples)")

    def __len__(self) -> int:
        return self.n_samples

    def __getitem__(self, index: int) -> Sample:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Sample]:
        """Several samples, up to 256 with one request; PyTorch's DataLoader asks so."""
        positions = [self._position(index) for index in indices]
        samples: list[Sample] = []
        for begin in range(0, len(positions), _MOST_AT_ONCE):
            wanted = positions[begin:begin + _MOST_AT_ONCE]
            batch = _library.make("tnm_samples", "tnm_batch_free", self.handle.pointer,
                                  (c_uint64 * len(wanted))(*wanted), len(wanted))
            samples += self._samples(batch)
        return samples

    def _position(self, index: int) -> int:
        try:
            position = operator.index(index)
        except TypeError:
            raise TypeError(f"index {index!r} of {self.name}; it has to be a whole number, and "
                            "subset() takes several") from None
        if not -self.n_samples <= position < self.n_samples:
            raise IndexError(f"there is no sample {position}; {self.name} has {self.n_samples}")
        position %= self.n_samples
        return position if self.indices is None else int(self.indices[position])

    def subset(self, indices: Any) -> Any:
        """The same split with these samples alone, in this order: whole numbers (negative ones
        count from the end) or a mask, as in `test.subset(test.targets.sum(1) == 2)`. It uses the
        same connections, and goes on when this one is closed.

        Errors: TypeError neither of these; IndexError past the end; ValueError none at all.
        """
        positions = checked_positions(indices, self.n_samples)
        if not len(positions):
            raise ValueError(f"a subset of {self.name} without any samples")
        other = self._copy()
        other._narrow(positions)
        return other

    def close(self) -> None:
        self._view = None
        super().close()

    def view(self, *, kind: Optional[str] = None, any: Any = None, all: Any = None,
             none: Any = None, part: Optional[str] = None, folds: Optional[int] = None,
             fold: Optional[int] = None, per_class: Optional[int] = None,
             fold_seed: Optional[int] = None) -> Any:
        """The same split with the samples alone that pass all that is given, in the split's order.
        kind: "single" or "pair", which show one digit or two; any, all, none: a label or several,
        of which one, all or none is shown; part, folds, fold, fold_seed: as of Split; per_class: at
        most so many samples of each set of labels, the first in the order of the folds, which
        fold_seed (0) says. Folds and `per_class` count over the whole split, whatever else is
        given, also where this is a view already: they never move.

        `view_words` are the words by which servers know the view; batches of an epoch are asked for
        by them. None where this is not one view of the whole split, but a part of it by a list.

        Errors: ValueError where a word is none, or no sample is left.
        """
        words = view_words(kind, {"any": any, "all": all, "none": none}, part, folds, fold,
                           per_class, fold_seed)
        view = self._open_view(words)
        other = self._copy()
        if self.indices is None:
            other._narrow_to(view)
            return other
        own_words = words_of(view)
        words_of_both = own_words and self.view_words and merged_words(self.view_words, own_words)
        if words_of_both:
            other._reset()
            other._narrow_to(self._open_view(words_of_both))
        elif own_words:
            kept = np.isin(self.indices, positions_of(view))
            if not kept.any():
                raise ValueError(f"{own_words} leaves no sample of this part of {self.name}")
            other._narrow(np.flatnonzero(kept))
        return other

    def folds(self, n_folds: int, seed: int = 0) -> Folds:
        """For cross-validation: `split.folds(10)[0]` is (rest, held), two parts of this split that
        have no sample in common, and all of it together; held is the fold. See part= of Split."""
        return Folds(self, n_folds, seed)

    def _copy(self) -> Any:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def _open_view(self, words: str) -> Handle:
        return _library.make("tnm_view_open", "tnm_view_close", self.handle.pointer,
                             words.encode())

    @property
    def view_handle(self) -> Optional[Handle]:
        """The view as this process has it open; None where it is none."""
        if self.view_words is None:
            return None
        handle = self.handle
        if self._view is None or self._view[1] is not handle:
            self._view = self._open_view(self.view_words), handle
        return self._view[0]

    def _narrow_to(self, view: Handle) -> None:
        """Keep what the view has of the whole split, which this is."""
        words = words_of(view)
        if not words:
            return
        self._narrow(positions_of(view))
        self.view_words, self._view = words, (view, self.handle)

    def _reset(self) -> None:
        """Be the whole split."""
        self.indices, self.n_samples = None, self.info["samples"]

    def _narrow(self, positions: np.ndarray) -> None:
        """Keep these alone of what is here."""
        self.view_words, self._view = None, None
        self.indices = positions if self.indices is None else self.indices[positions]
        self.indices.flags.writeable = False
        self.n_samples = len(self.indices)
        self._targets = None

    def checked_labels(self, kind: Optional[str]) -> str:
        """The kind of labels that this is, or that of this split for None; ValueError where it has
        no such labels."""
        return checked_labels(kind, self.name, self.is_source)

    def _all_labels(self) -> np.ndarray:
        """Those of the whole split, uint8 [n, labels], multi-hot."""
        labels = np.empty((self.info["samples"], len(self.classes)), np.uint8)
        _library.call("tnm_split_labels", self.handle.pointer, labels.ctypes.data, labels.nbytes)
        return labels

    @property
    def targets(self) -> Any:
        """All labels, float32 [n, labels], multi-hot, or int64 [n]; fetched when first asked for.
        """
        if self._targets is None:
            labels = self._all_labels()
            kept = labels if self.indices is None else labels[self.indices]
            self._targets = labels_as(self.label_kind, kept)
        return self._targets


class Pairs(Dataset, IterableDataset):
    """The endless set `seed` of fresh pairs over a source split: two recordings of different digits
    mixed at the server when asked for. `pairs[i]` is pair i, and iterating begins at pair `start`.

    Which recordings pair i has is a function of seed and i alone: NumPy's
    Philox(key=seed, counter=i). Worker processes and distributed ranks share the iteration: no pair
    comes twice, and a further iteration goes on where this one was (of new worker processes none
    can know: they are refused). rank, world: see loader(). Samples and the other parameters: see
    Split.
    """

    _AHEAD = 64  # pairs in a request while iterating

    def __init__(self, urls: Urls, source: str = "nmnist-train", seed: int = 0, *, start: int = 0,
                 rank: Optional[int] = None, world: Optional[int] = None,
                 order: Optional[str] = None, timestep: int = 0,
                 filters: Optional[Mapping[str, Any]] = None, frames: Optional[Rule] = None,
                 transform: Optional[Callable] = None,
                 target_transform: Optional[Callable] = None,
                 transforms: Optional[Callable] = None, **options: Any) -> None:
        super().__init__(urls, source, order, timestep, filters, frames, transform,
                         target_transform, transforms, options)
        if not self.is_source:
            raise ValueError(f"{self.name} is no source split: pairs are mixed from recordings")
        self.seed, self.start = _u64("seed", seed), _u64("start", start)
        self.ranks = checked_ranks(rank, world)
        self.rank, self.world, _ = self.ranks
        self._next, self._workers = self.start, 0  # whose share it is, where of a worker's
        self._shared = Shared(1, workers=0)  # for who takes the start
        self._shared.set_start(None)

    def __repr__(self) -> str:
        return f"Pairs({self.name}@{self.revision[:12]}, seed={self.seed}, start={self.start})"

    def checked_labels(self, kind: Optional[str]) -> str:
        """As Split's: "multihot" alone."""
        return checked_labels(kind, f"fresh pairs of {self.name}", is_source=False)

    def __getitem__(self, index: int) -> Sample:
        batch = _library.make("tnm_pair", "tnm_batch_free", self.handle.pointer, self.seed,
                              _u64("index", index))
        return self._samples(batch)[0]

    def __iter__(self) -> Iterator[Sample]:
        check_callers(self.world, is_batched=False)
        self.ranks.check()
        worker, n_workers = worker_and_workers()
        try:
            self._take_start(n_workers)
        except RuntimeError as error:
            if worker_info() is None:
                raise
            return refused(error)
        share, n_shares = self.rank + self.world * worker, self.world * n_workers
        size = self._AHEAD * n_shares
        first = self._next // size * size
        stream = _library.make("tnm_pairs_open", "tnm_stream_close", self.handle.pointer, self.seed,
                               first, size, share, n_shares, 2)
        return self._iterate(stream, first + share, n_shares)

    def _take_start(self, n_workers: int) -> None:
        is_worker = worker_info() is not None
        has_taken = self._shared.take_start()
        is_own = is_worker and self._workers == n_workers  # a state that this worker loaded
        if (is_worker or self._shared["workers"]) and not has_taken and not is_own:
            raise RuntimeError("worker processes that iterate over fresh pairs again cannot know "
                               "where they were: use loader(pairs, steps_per_epoch=…), or "
                               "set the place by load_state_dict()")
        self._shared["workers"] = n_workers if is_worker else 0
        self._workers = n_workers if is_worker else 0

    def _iterate(self, stream: Handle, index: int, n_shares: int) -> Iterator[Sample]:
        begin, n_given = self._next, 0
        while (batch := _library.next_batch(stream)) is not None:
            for sample in self._samples(batch):
                if index >= begin:
                    n_given += 1
                    self._next = begin + n_given * n_shares
                    yield sample
                index += n_shares

    def state_dict(self) -> dict[str, Any]:
        """Where the iteration is: Pairs that load it go on with exactly the next pair, with any
        rank and world. RuntimeError where worker processes iterate: they alone know, as with
        torchdata's StatefulDataLoader."""
        if worker_info() is None and self._shared["workers"]:
            raise RuntimeError("worker processes iterate over these pairs, and this process cannot "
                               "know where they are: use loader(pairs), whose state_dict(batches=) "
                               "can be told")
        return {"pairs": f"{self.name}@{self.revision}", "seed": self.seed, "next": self._next,
                "workers": self._workers}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a state_dict() was taken: the seed becomes the state's.

        Errors: ValueError where it is of other data, or of one of more or fewer worker processes.
        """
        own, n_workers = f"{self.name}@{self.revision}", worker_and_workers()[1]
        is_worker = worker_info() is not None
        if state["pairs"] != own:
            raise ValueError(f"the state belongs to {state['pairs']}, these are pairs of {own}")
        if state["workers"] and not (is_worker and state["workers"] == n_workers):
            raise ValueError(f"the state is of one of {state['workers']} worker processes; here "
                             f"are {n_workers if is_worker else 'none'}")
        self.seed, self._next = _u64("seed", state["seed"]), _u64("next", state["next"])
        self._workers = n_workers if is_worker else 0
        if not is_worker:
            self._shared["workers"] = 0
            self._shared.set_start(None)


def _u64(name: str, value: int) -> int:
    return whole(name, value, 0, 2**64 - 1)
