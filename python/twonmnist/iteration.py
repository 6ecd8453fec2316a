# SPDX-License-Identifier: Apache-2.0
"""One pass over a loader's batches, which an error does not end."""
from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple, Optional

from . import _library
from ._library import Handle
from .stats import Stats, stats_of


class Place(NamedTuple):
    """Where an iteration is: of the whole, or (workers > 0) of the share of one of so many worker
    processes."""

    cursor: str
    workers: int = 0


class Iteration:
    """One pass over a loader: what it makes of each batch. After an error the next next() asks
    for the same batch again."""

    _stream: Optional[Handle] = None
    _bar: Any = None

    def __init__(self, loader: Any, stream: Handle, end: Optional[int]) -> None:
        self._pid, self._before = os.getpid(), stats_of(stream)
        self._loader, self._stream, self._end = loader, stream, end
        self._place = loader._place
        self._has_failed = False
        self._ahead: Optional[tuple[Any, Place]] = None  # a batch that was begun
        self._bar = loader._bar(stream)

    def __iter__(self) -> Iteration:
        return self

    def __next__(self) -> Any:
        self._loader._check_open()
        if self._stream is None:
            raise StopIteration
        if self._ahead is None:
            self._ahead = self._begun(self._next_batch(), self._place)
        if self._ahead is None:
            stream = self._stream
            self.close()
            self._loader._end(stream)
            raise StopIteration
        begun, place = self._ahead
        following = self._look_ahead(place) if self._loader.looks_ahead else None
        self._place, self._ahead = place, following
        self._loader._place, self._loader._is_finished = self._place, False
        if self._bar is not None:
            self._bar.update()
        return self._loader._finish(begun)

    def _begun(self, batch: Optional[Handle], before: Place) -> Optional[tuple[Any, Place]]:
        """What is made of the batch behind that place, and the place behind the batch; None at the
        end. Where nothing can be made of it (a device may be full), it is the next one again."""
        if batch is None:
            return None
        try:
            return (self._loader._begin(batch),
                    before._replace(cursor=_library.tell(self._stream)))
        except BaseException:
            _library.call("tnm_stream_seek", self._stream.pointer, before.cursor.encode())
            raise

    def _look_ahead(self, place: Place) -> Optional[tuple[Any, Place]]:
        """The batch behind the present one, if it is to be had; what is wrong with it is told when
        it is its turn."""
        if self._is_over():
            return None
        try:
            return self._begun(_library.next_batch(self._stream), place)
        except Exception:
            return None

    def _is_over(self) -> bool:
        return self._end is not None and self._stream.get("tnm_stream_position") >= self._end

    def _next_batch(self) -> Optional[Handle]:
        if self._is_over():
            return None
        try:
            if self._has_failed:
                _library.call("tnm_stream_seek", self._stream.pointer, self._place.cursor.encode())
            batch = _library.next_batch(self._stream)
        except (OSError, MemoryError):
            self._has_failed = True
            self._loader._go_on_at(self._place)
            raise
        if self._has_failed:
            self._has_failed = False
            self._loader._go_on_at(None)
        return batch

    def stats(self) -> Stats:
        """What it has given; of a stream that was used before, since then."""
        if self._stream is None or self._pid != os.getpid():
            return Stats()
        return stats_of(self._stream).since(self._before)

    def close(self) -> None:
        """End the pass here."""
        self._loader._past_stats = self._loader._past_stats.plus(self.stats())
        self._stream = self._ahead = None
        if self._bar is not None:
            self._bar.close()

    def __del__(self) -> None:
        if self._stream is not None and not sys.is_finalizing():
            self.close()
