# SPDX-License-Identifier: Apache-2.0
"""Which share of the data this process has, among PyTorch's ranks and worker processes."""
from __future__ import annotations

import os
import sys
from typing import Any, Iterator, NamedTuple, Optional

import numpy as np

from .checks import whole

try:
    import torch.distributed
    from torch.utils.data import DataLoader, IterableDataset, Subset, get_worker_info
except ImportError:
    torch = None  # type: ignore[assignment]
    DataLoader = object  # type: ignore[assignment,misc]
    IterableDataset = object  # type: ignore[assignment,misc]

_MAX_WORKERS = 1024
_MAX_WORLD = 65_535  # of the library
_FRAMES_UP = 8  # from an iterable dataset's iter() to the DataLoader that asks for it


class Ranks(NamedTuple):
    """This process among those that share a training, and whether the caller said so."""

    rank: int
    world: int
    is_given: bool

    def check(self) -> None:
        """RuntimeError where torch.distributed, set up since, says something else: all ranks would
        train on the same data."""
        now = _distributed()
        if not self.is_given and now is not None and now != self[:2]:
            raise RuntimeError(
                f"made as rank {self.rank} of {self.world}, before init_process_group() made this "
                f"process rank {now[0]} of {now[1]}: make it afterwards, or give rank= and world=")


def _distributed() -> Optional[tuple[int, int]]:
    if (torch is None or not torch.distributed.is_available()
            or not torch.distributed.is_initialized()):
        return None
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def _of_launcher() -> Optional[tuple[int, int]]:
    """What torchrun and its like say in the environment."""
    rank, world = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if world in (None, "", "1"):
        return None
    try:
        return int(rank), int(world)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"RANK={rank} and WORLD_SIZE={world} in the environment are no rank of a "
                         "world; give rank= and world=") from None


def checked_ranks(rank: Optional[int], world: Optional[int]) -> Ranks:
    """Those given; or where neither is, those of torch.distributed where it is in use, of RANK and
    WORLD_SIZE in the environment, or rank 0 of 1."""
    is_given = rank is not None or world is not None
    if not is_given:
        rank, world = _distributed() or _of_launcher() or (0, 1)
    if rank is None or world is None:
        raise ValueError(f"rank {rank} of world {world}; both are needed")
    world = whole("world", world, 1, _MAX_WORLD)
    return Ranks(whole("rank", rank, 0, world - 1), world, is_given)


def worker_info() -> Any:
    """PyTorch's word on this worker process; None in the main process."""
    return get_worker_info() if torch is not None else None


def worker_and_workers() -> tuple[int, int]:
    """This process among the workers of its DataLoader; (0, 1) in the main process."""
    info = worker_info()
    return (info.id, info.num_workers) if info is not None else (0, 1)


def of_subset(dataset: Any) -> Any:
    """The Split under PyTorch's Subset, as random_split() makes it, with its samples alone."""
    if torch is not None and isinstance(dataset, Subset):
        return of_subset(dataset.dataset).subset(dataset.indices)
    return dataset


def refused(error: Exception) -> Iterator[Any]:
    """An iterator that begins with this error, which DataLoader hands on from a worker process: one
    raised by iter() would end a persistent worker instead."""
    raise error
    yield


def check_callers(world: int, is_batched: bool) -> None:
    """Refuse to be iterated over by what would make something else of it, as far as the callers'
    frames show: a DataLoader that batches the batches of a Loader (`is_batched`), or, with several
    ranks, Accelerate, which shares out what is a share already."""
    frame = sys._getframe(2)
    if (is_batched and frame.f_code.co_filename.endswith("fetch.py")
            and frame.f_locals.get("auto_collation")):
        raise ValueError("a DataLoader over a loader needs batch_size=None, since its items are "
                         "batches already; loader.dataloader(num_workers=…) makes one")
    for _ in range(_FRAMES_UP if world > 1 else 0):
        if type(frame.f_locals.get("self")).__module__.startswith("accelerate."):
            raise ValueError(f"this is the share of one rank of {world}, and Accelerate would "
                             "share it out again: prepare() no DataLoader over it, but the "
                             "loader itself or its .dataloader(); or make it with rank=0, world=1")
        if frame.f_back is None:
            break
        frame = frame.f_back


class Shared:
    """Numbers by name, and where the next iteration begins, in memory that worker processes share:
    DataLoader's persistent_workers keep their copy of the dataset, the others forget theirs.

    A start is taken once: by an iteration in the main process, or by each of the workers of one
    DataLoader's iteration. Those are told apart by their base seed.
    """

    _IN_MAIN, _IN_WORKERS = 1, 2
    _NAMES = ("has_start", "taken", "family")

    def __init__(self, text_size: int, **values: int) -> None:
        self._places = {name: i for i, name in enumerate((*values, *self._NAMES))}
        self._numbers = _shared(np.zeros(len(self._places), np.int64))
        self._text = _shared(np.zeros(text_size, np.uint8))
        self._has_taken = _shared(np.zeros(_MAX_WORKERS, np.uint8))
        for name, value in values.items():
            self[name] = value

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = {name: _shared(value) if name != "_places" else value
                         for name, value in state.items()}

    def __getitem__(self, name: str) -> int:
        return int(np.asarray(self._numbers).view(np.uint64)[self._places[name]])

    def __setitem__(self, name: str, value: int) -> None:
        np.asarray(self._numbers).view(np.uint64)[self._places[name]] = value

    @property
    def start(self) -> Optional[str]:
        """The start that was set last, taken or not; None where there is none."""
        return np.asarray(self._text).tobytes().rstrip(b"\0").decode() or None

    @property
    def is_waiting(self) -> bool:
        """Whether a start was set that no iteration has taken."""
        return self["has_start"] > 0 and not self["taken"]

    def set_start(self, text: Optional[str]) -> None:
        """Let one iteration begin there."""
        data = (text or "").encode()
        np.asarray(self._text)[:] = np.frombuffer(data.ljust(len(self._text), b"\0"), np.uint8)
        np.asarray(self._has_taken)[:] = 0
        self["has_start"], self["taken"] = 1, 0

    def forget_start(self) -> None:
        """Let iterations begin where they do without one."""
        self["has_start"] = 0

    def take_start(self) -> bool:
        """Whether this iteration is the one that begins at the start that was set."""
        info = worker_info()
        if info is None:
            if not self.is_waiting:
                return False
            self["taken"] = self._IN_MAIN
            return True
        if info.id >= _MAX_WORKERS:
            raise ValueError(f"worker {info.id}; there may be {_MAX_WORKERS} of them")
        family = (info.seed - info.id) % 2**64
        has_taken = np.asarray(self._has_taken)
        if not self.is_waiting and (self["taken"] != self._IN_WORKERS or self["family"] != family
                                    or has_taken[info.id] or not self["has_start"]):
            return False
        self["family"], self["taken"] = family, self._IN_WORKERS
        has_taken[info.id] = 1
        return True


def _shared(value: Any) -> Any:
    if torch is None:
        return value
    return torch.as_tensor(value).share_memory_()


class EpochSampler:
    """What stands in a DataLoader over a Loader for its sampler: it passes set_epoch() on."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __iter__(self) -> Any:
        while True:
            yield None

    def set_epoch(self, epoch: int) -> None:
        self._loader.set_epoch(epoch)


class BatchDataLoader(DataLoader):
    """A DataLoader over a Loader, whose items are batches already; see Loader.dataloader()."""

    # Accelerate leaves what has this mark as it is: each rank has its share already.
    _is_accelerate_prepared = True

    def __init__(self, loader: Any, **options: Any) -> None:
        super().__init__(loader, batch_size=None, **options)
        if not loader.is_endless:  # DataLoader takes no sampler for an iterable dataset
            self.__dict__["sampler"] = EpochSampler(loader)

    def set_epoch(self, epoch: int) -> None:
        """Iterate over this epoch from now on; see Loader.set_epoch()."""
        self.dataset.set_epoch(epoch)
