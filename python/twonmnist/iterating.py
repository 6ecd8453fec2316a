# SPDX-License-Identifier: Apache-2.0
"""Iterating over batches: where each iteration begins and goes on, in ranks and workers too."""
from __future__ import annotations

import os
import weakref
from typing import Any, Callable, Iterator, Optional, Union

try:
    from tqdm.auto import tqdm
except ImportError:
    tqdm = None

from . import _library, batches
from ._library import Handle
from .checks import whole
from .datasets import Pairs, Split
from .devices import Device
from .iteration import Iteration, Place
from .labels import labels_as
from .stats import Stats
from .workers import (BatchDataLoader, IterableDataset, Ranks, Shared, check_callers, refused,
                      torch, worker_and_workers, worker_info)

LAST = {"short": 0, "drop": 1, "pad": 2}
_FROM_BEGINNING, _FROM_START = 1, 2  # how worker processes began, in Shared's "workers"


class Loader(IterableDataset):
    """Batches of one epoch after another, or of fresh pairs; made by loader().

    Iterating gives (inputs, labels), prefetched by the C library's own thread, so that it needs no
    worker processes; in a DataLoader (see dataloader()) workers take turns, and the batches come in
    the same order. Each iteration begins with the epoch's first batch, unless a state was loaded or
    an error ended the one before: then it goes on there. Choose the epoch by set_epoch(), as with
    PyTorch's DistributedSampler. Pairs without an end go on where they were.
    """

    def __init__(self, dataset: Union[Split, Pairs], form: Any, batch_size: int, seed: int,
                 epoch: int, ranks: Ranks, last: str, depth: int, tensors: bool, progress: bool,
                 steps_per_epoch: Optional[int], batch_transform: Optional[Callable],
                 label_kind: str, with_indices: bool, shuffle: bool,
                 device: Optional[Device] = None) -> None:
        self.dataset, self.form = dataset, form
        self._device = device
        self.label_kind, self.shuffle = label_kind, shuffle
        self._with_indices = with_indices
        self.batch_size, self.last = batch_size, last
        self.rank, self.world, _ = self._ranks = ranks
        self.steps_per_epoch = steps_per_epoch
        self._depth, self._tensors, self._progress = depth, tensors, progress
        self._batch_transform = batch_transform
        self._shared = Shared(_library.CURSOR_SIZE, seed=seed, epoch=epoch, n_epochs_set=0,
                              workers=0)
        if self.is_endless:
            self._shared.set_start(None)  # workers would begin there with every iteration
        self._is_epoch_named = False  # by set_epoch(), and no iteration began since
        self._own_epoch: Optional[tuple[int, int]] = None  # a worker's; n_epochs_set at that time
        self._own_start: Optional[Place] = None  # a worker's
        self._began: Optional[Place] = None
        self._place: Optional[Place] = None
        self._is_finished, self._is_closed = False, False
        self._idle: tuple[int, Optional[Handle]] = (0, None)
        self._iteration: Any = None
        self._past_stats = Stats()  # of the iterations that have ended
        self._open()  # so that a number out of range is an error here and now

    def __repr__(self) -> str:
        return (f"Loader({self.dataset!r}, batch_size={self.batch_size}, "
                f"shuffle={self.shuffle}, seed={self.seed}, "
                f"epoch={self.epoch}, rank={self.rank}, world={self.world}, last={self.last!r})")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_idle": (0, None), "_iteration": None}

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()

    def close(self) -> None:
        """Stop what is under way, and give its memory back; batches that were given stay valid."""
        iteration = self._iteration and self._iteration()
        if iteration is not None:
            iteration.close()
        self._idle, self._is_closed = (0, None), True

    def _check_open(self) -> None:
        if self._is_closed:
            raise ValueError("this loader was closed")

    @property
    def seed(self) -> int:
        """The seed of the epochs' order, or of the pairs."""
        return self._shared["seed"]

    @property
    def epoch(self) -> int:
        """The epoch that is iterated over; 0 for pairs without an end."""
        if self._own_epoch is not None and self._own_epoch[1] == self._shared["n_epochs_set"]:
            return self._own_epoch[0]
        return self._shared["epoch"]

    @property
    def is_endless(self) -> bool:
        return isinstance(self.dataset, Pairs) and self.steps_per_epoch is None

    @property
    def sampler(self) -> Optional[Loader]:
        """What Lightning calls set_epoch() of; None for pairs without an end."""
        return None if self.is_endless else self

    def __len__(self) -> int:
        """Batches in an epoch, the same number for each rank. TypeError for pairs without an end.
        """
        if self.is_endless:
            raise TypeError("fresh pairs have no end, so there is no number of batches; "
                            "steps_per_epoch= gives them one")
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        n_full, n_left = divmod(len(self.dataset), self.batch_size)
        return n_full + (n_left > 0 and self.last != "drop")

    def dataloader(self, num_workers: int = 0, **options: Any) -> Any:
        """A torch.utils.data.DataLoader over this loader, with the options of that (but
        batch_size, which is None: the items are batches already). It has set_epoch(); Lightning
        finds it, and Accelerate's prepare() leaves it as it is, since each rank has its share."""
        if torch is None:
            raise ImportError("dataloader() needs PyTorch")
        if num_workers and self._device is not None:
            raise ValueError(f"num_workers {num_workers}; tensors on {str(self._device.device)!r} "
                             "are made in the main process")
        self._ranks.check()
        return BatchDataLoader(self, num_workers=num_workers, **options)

    def stats(self) -> Stats:
        """What was given by all iterations of this process, and who waited for whom; see Stats.
        RuntimeError where worker processes iterate: each counts for itself."""
        if worker_info() is None and self._shared["workers"]:
            raise RuntimeError("worker processes iterate over this loader, and count for "
                               "themselves")
        iteration = self._iteration and self._iteration()
        return self._past_stats if iteration is None else self._past_stats.plus(iteration.stats())

    # ---- Streams

    def _first(self) -> int:
        """Number of the epoch's first batch in the stream."""
        if not isinstance(self.dataset, Pairs):
            return 0
        return self.dataset.start // self.batch_size + self.epoch * (self.steps_per_epoch or 0)

    def _open(self) -> Handle:
        """A stream at the beginning of the epoch, or of the pairs."""
        handle = self.dataset.handle
        if isinstance(self.dataset, Pairs):
            aside = self.dataset.start % self.batch_size  # which the library refuses
            return _library.make("tnm_pairs_open", "tnm_stream_close", handle.pointer, self.seed,
                                 self._first() * self.batch_size + aside, self.batch_size,
                                 self.rank, self.world, self._depth)
        view = self.dataset.view_handle if self.shuffle else None
        if view is not None:
            return _library.make("tnm_view_epoch_open", "tnm_stream_close", view.pointer, self.seed,
                                 self.epoch, self.batch_size, self.rank, self.world,
                                 LAST[self.last], self._depth)
        return _library.open_part(handle, self.dataset.indices, self.shuffle, self.seed, self.epoch,
                                  self.batch_size, self.rank, self.world, LAST[self.last],
                                  self._depth)

    def _open_at(self, start: Optional[Place]) -> Handle:
        stream = self._open()
        if start is not None:
            _library.call("tnm_stream_seek", stream.pointer, start.cursor.encode())
        return stream

    def _reopen(self) -> Optional[Handle]:
        """The stream of an iteration that has ended, at the epoch's beginning: its memory can be
        used again. None where it is of no use."""
        pid, stream = self._idle
        self._idle = (0, None)
        if pid != os.getpid() or stream.get("tnm_stream_seed") != self.seed:
            return None
        if not isinstance(self.dataset, Pairs):
            _library.call("tnm_stream_set_epoch", stream.pointer, self.epoch)
            return stream
        return stream if stream.get("tnm_stream_position") == self._first() else None

    def _open_decoded(self, start: Optional[Place]) -> Handle:
        stream = self._reopen() if start is None else None
        if stream is not None:
            return stream
        stream = self._open_at(start)
        decoder = self.form.decoder()
        if decoder is not None:
            _library.call("tnm_stream_set_decoder", stream.pointer, decoder.pointer)
            stream.keep(decoder)
        return stream

    def _open_share(self, start: Optional[Place]) -> Handle:
        """A stream at `start`, of what this worker process takes of it."""
        worker, n_workers = worker_and_workers()
        stream = self._open_decoded(start)
        if n_workers > 1:
            skip = 0 if start is not None and start.workers else worker
            _library.call("tnm_stream_stride", stream.pointer, skip, n_workers)
        return stream

    # ---- Iterating

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        self._check_open()
        check_callers(self.world, is_batched=True)
        self._ranks.check()
        try:
            if self._device is not None and worker_info() is not None:
                raise RuntimeError(f"device {str(self._device.device)!r} is for the main process: "
                                   "a loader needs no worker processes")
            stream = self._open_share(self._take_start())
        except RuntimeError as error:
            if worker_info() is None:
                raise
            return refused(error)
        n_workers = worker_and_workers()[1]
        self._place = Place(_library.tell(stream), n_workers if n_workers > 1 else 0)
        self._began, self._is_finished = self._place, False
        end = None if self.steps_per_epoch is None else self._first() + self.steps_per_epoch
        iteration = Iteration(self, stream, end)
        self._iteration = weakref.ref(iteration)
        return iteration

    def _take_start(self) -> Optional[Place]:
        """Where this iteration begins; None for the beginning of the epoch, or of the pairs."""
        is_worker = worker_info() is not None
        own, self._own_start = self._own_start, None
        has_taken = own is None and self._shared.take_start()
        if not is_worker:
            self._is_epoch_named = False
        if own is not None:
            start = own
        elif has_taken:
            start = self._shared.start and Place(self._shared.start)
        else:
            start = None
            if self.is_endless:
                if is_worker or self._shared["workers"]:
                    raise RuntimeError(
                        "fresh pairs without an end, and worker processes that iterate over them "
                        "again, cannot know where they were: give loader() steps_per_epoch=, or "
                        "load a state_dict(batches=) first")
                start = self._place
        if not is_worker:
            self._shared["workers"] = 0
        else:
            self._shared["workers"] = _FROM_START if start is not None else _FROM_BEGINNING
        return start

    def _go_on_at(self, place: Optional[Place]) -> None:
        """Begin the next iteration there, where an error ended this one; None: it went on."""
        if worker_info() is not None:
            self._own_start = place
        elif place is not None:
            self._shared.set_start(place.cursor)
        else:
            self._shared.take_start()

    def _end(self, stream: Handle) -> None:
        self._is_finished = True
        self._idle = (os.getpid(), stream)

    @property
    def looks_ahead(self) -> bool:
        """Whether the next batch is begun with before it is asked for."""
        return self._device is not None

    def _begin(self, batch: Handle) -> tuple[Any, Any]:
        """Begin to make what is given of the batch."""
        labels = labels_as(self.label_kind, batches.labels(batch))
        made: Any = self.form.read(batch), labels
        if self._with_indices:
            made = batches.Batch(*made, batches.indices(batch), batches.sources(batch))
        if self._device is not None:
            return self._device.begin(made)
        return (batches.to_tensors(made) if self._tensors else made), None

    def _finish(self, begun: tuple[Any, Any]) -> Any:
        made = begun[0] if self._device is None else self._device.end(*begun)
        return made if self._batch_transform is None else self._batch_transform(*made)

    def _bar(self, stream: Handle) -> Any:
        if not self._progress:
            return None
        return tqdm(total=None if self.is_endless else len(self), unit="batch",
                    initial=stream.get("tnm_stream_position") - self._first(),
                    desc=f"{self.dataset.name}, epoch {self.epoch}")

    # ---- Epochs and states

    def set_epoch(self, epoch: int) -> None:
        """Iterate over this epoch from now on, from its beginning; where it is the present one, and
        a state of it was loaded, that stays."""
        if self.is_endless:
            raise TypeError("fresh pairs have no epochs but with steps_per_epoch=")
        epoch = whole("epoch", epoch, 0, 2**32 - 1)
        is_other = epoch != self.epoch
        self._name_epoch(epoch)
        self._is_epoch_named = True
        if is_other:
            self._place, self._began, self._own_start, self._is_finished = None, None, None, False
            if worker_info() is None:
                self._shared.forget_start()
                self._shared["workers"] = 0

    def _name_epoch(self, epoch: int) -> None:
        """In a worker process for that one alone: the others may be elsewhere."""
        if worker_info() is not None:
            self._own_epoch = epoch, self._shared["n_epochs_set"]
        else:
            self._shared["epoch"] = epoch
            self._shared["n_epochs_set"] += 1

    def state_dict(self, batches: Optional[int] = None) -> dict[str, Any]:
        """Where the iteration is: a loader that loads it goes on with exactly the next batch, in
        any process and with any rank and world of the same global batch size. After the end of an
        iteration that is the next one's first batch.

        batches: how many of this iteration's batches were used, where a DataLoader with workers
        iterates: this process cannot know then, and RuntimeError says so.
        """
        if batches is not None:
            n_used = whole("batches", batches, 0, 2**64 - 1)
            stream = self._open_at(self._present_start())
            _library.call("tnm_stream_stride", stream.pointer, n_used, 1)
            return self._state(Place(_library.tell(stream)), False)
        if worker_info() is None:
            if self._shared.is_waiting and self._shared.start:
                return self._state(Place(self._shared.start), False)
            if self._shared["workers"]:
                raise RuntimeError("worker processes iterate over this loader, and how many of "
                                   "their batches were used only the caller knows: pass batches=")
        place = self._own_start or self._place or Place(_library.tell(self._open()))
        return self._state(place, self._is_finished)

    def _present_start(self) -> Optional[Place]:
        """Where the present iteration of this process or its workers began, or the next will."""
        is_from_start = self._shared["workers"] == _FROM_START or self._shared.is_waiting
        if is_from_start and self._shared.start:
            return Place(self._shared.start)
        return None if self._shared["workers"] else self._began

    def _state(self, place: Place, is_finished: bool) -> dict[str, Any]:
        state = {"cursor": place.cursor, "workers": place.workers, "finished": is_finished}
        if self.steps_per_epoch is not None:
            state.update(epoch=self.epoch, steps=self.steps_per_epoch, batch_size=self.batch_size)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a state_dict() was taken: seed and epoch become the state's. But an epoch
        that set_epoch() named for the next iteration stays, where the state is the end of one.

        Errors: ValueError where batch size, last, order, timestep, filters or steps_per_epoch
        differ, or where it is a worker process's and this is none of as many; OSError (ESTALE) where it
        belongs to other data.
        """
        stream = self._open_at(Place(state["cursor"]))
        epoch = self._epoch_of(state, stream)
        seed, n_workers = stream.get("tnm_stream_seed"), worker_and_workers()[1]
        is_worker = worker_info() is not None
        if state["workers"] not in (0, n_workers):
            raise ValueError(f"the state is of one of {state['workers']} worker processes; here "
                             f"are {n_workers}")
        if is_worker and seed != self.seed:
            raise ValueError(f"the state has seed {seed}, the loader {self.seed}: worker processes "
                             "cannot tell the others; make the loader with the state's")
        if not (state["finished"] and self._is_epoch_named):
            self._name_epoch(epoch)
        if not state["finished"]:
            self._is_epoch_named = False
        start = None if state["finished"] else Place(state["cursor"], state["workers"])
        if is_worker:
            self._own_start = start
        else:
            self._shared["seed"], self._shared["workers"] = seed, 0
            self._shared.set_start(start.cursor) if start else self._shared.forget_start()
        self._place, self._began, self._is_finished = None, None, False
        self._idle = (0, None)

    def _epoch_of(self, state: dict[str, Any], stream: Handle) -> int:
        own = {} if self.steps_per_epoch is None else {"steps": self.steps_per_epoch,
                                                       "batch_size": self.batch_size}
        other = {name: state[name] for name in ("steps", "batch_size") if name in state}
        if own != other:
            raise ValueError(f"the state is of {other or 'pairs without an end'}, this loader of "
                             f"{own or 'pairs without an end'}")
        if not own:
            return stream.get("tnm_stream_epoch")
        first = self.dataset.start // self.batch_size + state["epoch"] * self.steps_per_epoch
        at = stream.get("tnm_stream_position") - first
        if not 0 <= at < self.steps_per_epoch + max(state["workers"], 1):
            raise ValueError(f"the state is at batch {at} of an epoch of {self.steps_per_epoch}; "
                             "start or steps_per_epoch were others")
        return state["epoch"]
