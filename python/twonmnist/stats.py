# SPDX-License-Identifier: Apache-2.0
"""What a training loop and its data wait for."""
from __future__ import annotations

from typing import NamedTuple

from . import _library
from ._library import Handle


class Stats(NamedTuple):
    """What a loader has given since it was made, and who waited for whom; str() is one line that
    says which is the bottleneck. Counts, and times in seconds.

    bytes: that arrived; waiting_s: the loop waited for its next batch, of that network_s for the
    network and the server and the rest for decoding; working_s: the loop was busy with a batch;
    retries: requests made again after a failure.
    """

    batches: int = 0
    samples: int = 0
    bytes: int = 0
    waiting_s: float = 0.0
    network_s: float = 0.0
    working_s: float = 0.0
    retries: int = 0

    def __str__(self) -> str:
        return (f"{self.samples} samples in {self.batches} batches, {self.bytes / 1e6:.1f} MB: "
                f"waited {self.network_s:.2f} s for the network and {self.decoding_s:.2f} s for "
                f"decoding, worked {self.working_s:.2f} s; the bottleneck is {self.bottleneck}")

    @property
    def decoding_s(self) -> float:
        """How long the loop waited for decoding."""
        return self.waiting_s - self.network_s

    @property
    def bottleneck(self) -> str:
        """ "the network", "decoding", or "the loop" itself."""
        if self.working_s >= self.waiting_s:
            return "the loop"
        return "the network" if self.network_s >= self.decoding_s else "decoding"

    def plus(self, other: Stats) -> Stats:
        return Stats(*map(sum, zip(self, other)))

    def since(self, other: Stats) -> Stats:
        return Stats(*(now - before for now, before in zip(self, other)))


def stats_of(stream: Handle) -> Stats:
    """What the stream has done since it was opened."""
    read = _library.stats(stream)
    return Stats(read["batches"], read["samples"], read["bytes"], read["waited_us"] / 1e6,
                 read["waited_network_us"] / 1e6, read["consumer_us"] / 1e6, read["retries"])
