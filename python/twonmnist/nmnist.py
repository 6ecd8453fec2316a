# SPDX-License-Identifier: Apache-2.0
"""N-MNIST as tonic.datasets.NMNIST gives it: the same arguments, events, targets and order."""
from __future__ import annotations

import warnings
from typing import Any, Callable, Optional

from .batches import POLARITIES
from .datasets import Split, Urls

_FIRST_SACCADE_US = 100_000  # as Tonic has it; the sensor turned around somewhat later


class NMNIST(Split):
    """The recordings of N-MNIST, as tonic.datasets.NMNIST gives them: `dataset[i]` is (events,
    target), in the order of the files' names.

    events: structured array of x, y (pixels), t (µs) and p (1 is ON), int64 each; target: int, the
    digit; targets: a list of them. train: the 60,000 of the training set, or the 10,000 others.
    first_saccade_only: only events before 100 ms. stabilize: take the way of the sensor off the
    pixels, so that the digit stays where it is. Both are done by the servers, for loaders, too.
    Transforms are as in Tonic. more: further arguments
    of Split by name, part="rest" (without what is held out for validation) for one, and options.

    Errors: as of the package; ValueError where the recordings are not of 34 x 34 pixels. A warning
    where they are not the whole N-MNIST, or simulated.

    Source: N-MNIST (10.3389/fnins.2015.00437).
    """

    sensor_size = (34, 34, POLARITIES)
    classes = [f"{digit} - {name}" for digit, name in enumerate(
        "zero one two three four five six seven eight nine".split())]

    def __init__(self, urls: Urls, train: bool = True, first_saccade_only: bool = False,
                 stabilize: bool = False, transform: Optional[Callable] = None,
                 target_transform: Optional[Callable] = None,
                 transforms: Optional[Callable] = None, **more: Any) -> None:
        filters = dict(more.pop("filters", None) or {})
        if first_saccade_only:
            filters["t1"] = min(_FIRST_SACCADE_US, filters.get("t1", _FIRST_SACCADE_US))
        if stabilize:
            filters["stabilize"] = True
        super().__init__(urls, "nmnist-train" if train else "nmnist-test", transform=transform,
                         target_transform=target_transform, transforms=transforms,
                         filters=filters, **more)
        width, height, n_classes = self.geometry
        if (width, height, n_classes) != (34, 34, 10):
            raise ValueError(f"{self.name} has {n_classes} classes and a sensor of {width} x "
                             f"{height} pixels, as N-MNIST has not: use Split")
        n_whole = 60_000 if train else 10_000
        n_samples, origin = self.info["samples"], self.info.get("origin")
        if (n_samples, origin) != (n_whole, "recorded"):
            warnings.warn(f"{self.name} is not N-MNIST's: {n_samples} recordings, {origin}, where "
                          f"that has {n_whole}, recorded", stacklevel=2)
        self.classes = NMNIST.classes
        self.train, self.first_saccade_only, self.stabilize = train, first_saccade_only, stabilize

    @property
    def targets(self) -> list[Any]:
        """All targets, as Tonic has them; fetched when first asked for."""
        if not isinstance(self._targets, list):
            self._targets = super().targets.tolist()
        return self._targets
