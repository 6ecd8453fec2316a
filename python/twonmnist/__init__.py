# SPDX-License-Identifier: Apache-2.0
"""2NMNIST event-camera samples, batches and fresh pairs, from twonmnist daemons.

    >>> import twonmnist
    >>> train = twonmnist.Split("http://localhost:8642", "train")
    >>> events, label = train[0]              # events: x, y, t, p; label: float32 [10], multi-hot
    >>> for frames, labels in twonmnist.loader(train, batch_size=64, seed=1):
    ...     ...                               # frames: float32 [300, 64, 2, 34, 34]
    >>> rule = twonmnist.frames.tonic(time_window=10_000)   # or .spikingjelly(…), .lava(…), .voxel(…)
    >>> for frames, labels in twonmnist.loader(train, batch_size=64, frames=rule):
    ...     ...

A thin binding over the C library libtwonmnist, which fetches ahead in a thread of its own, checks
every sample against its CRC-32C, and goes on with another server when one goes away. NumPy is
needed; with PyTorch, batches are tensors.

A call that waits for servers says so through the logger "twonmnist" of Python's logging, as
warnings: after 2 s, and every 10 s from then on. Where nothing is configured they go to stderr.

Errors: ValueError for what the caller or the server finds wrong in the request, IndexError past the
end, MemoryError, and else OSError with the errno of twonmnist.h: TimeoutError, PermissionError
(token), FileNotFoundError (no such split), ESTALE (other data than the revision opened), EBADMSG
(damaged), EHOSTUNREACH (no server).

Sources: N-MNIST (10.3389/fnins.2015.00437), 2NMNIST (10.5281/zenodo.7847750).
"""
from . import frames, metrics
from ._library import library_version
from .batches import Batch, Events, Frames, PackedEvents, SparseFrames
from .collating import collate, pad
from .datasets import Pairs, Split, pull, splits
from .iterating import Loader
from .loading import loader
from .nmnist import NMNIST
from .stats import Stats

__version__ = "0.1.0"

__all__ = ["Batch", "Events", "Frames", "Loader", "NMNIST", "PackedEvents", "Pairs",
           "SparseFrames", "Split", "Stats", "collate", "frames", "library_version", "loader",
           "metrics", "pad", "pull", "splits"]
