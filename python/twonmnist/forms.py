# SPDX-License-Identifier: Apache-2.0
"""What a loader makes of batches: dense frames or sparse ones, columns, or events as they are
stored."""
from __future__ import annotations

from typing import Any

import numpy as np

from . import _library, batches
from ._library import Handle
from .checks import one_of
from .frames import Rule

# Of frames, and of voxel grids: name -> number in the library.
_DTYPES = {"float32": 1, "uint8": 0, "uint16": 2}
_VOXEL_DTYPES = {"float32": 1, "float64": 3}
# Name -> number in the library, and the order of frames T, samples B, and sensor S in the shape.
AXES = {"BTCHW": (0, "BTS"), "CHWT": (1, "BST"), "TBCHW": (2, "TBS")}


def shape_of(axes: str, n_samples: int, n_frames: int, sensor: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of dense frames."""
    sizes = {"T": (n_frames,), "B": (n_samples,), "S": sensor}
    return sum((sizes[letter] for letter in AXES[axes][1]), ())


def tells_frames(decoder: Handle) -> bool:
    """Whether each sample has its own number of frames, so that it has to be told."""
    return decoder.get("tnm_decoder_size", 1, 0) == _library.SIZE_MAX


class FramesForm:
    """Batches as dense frames."""

    def __init__(self, geometry: tuple[int, int, int], rule: Rule, dtype: str, axes: str) -> None:
        self._axes_number = one_of("axes", axes, AXES)[0]
        self._dtype_number = one_of("dtype", dtype, _VOXEL_DTYPES if rule.is_voxel else _DTYPES)
        self._geometry, self._rule, self._dtype, self._axes = geometry, rule, dtype, axes
        self._tells = tells_frames(self.decoder())

    def decoder(self) -> Handle:
        return self._rule.decoder(self._geometry, self._axes_number, self._dtype_number)

    def read(self, batch: Handle) -> np.ndarray | batches.Frames:
        width, height, _ = self._geometry
        n_frames, longest = batches.n_frames(batch)
        shape = shape_of(self._axes, len(n_frames), longest, (self._rule.n_channels, height, width))
        made = batches.frames(batch, self._dtype, shape)
        return batches.Frames(made, n_frames) if self._tells else made


class SparseForm:
    """Batches as the places that are set in their frames."""

    def __init__(self, geometry: tuple[int, int, int], rule: Rule) -> None:
        self._geometry, self._rule = geometry, rule
        self.decoder()  # so that what the library refuses is an error here and now

    def decoder(self) -> Handle:
        return self._rule.sparse_decoder(self._geometry)

    def read(self, batch: Handle) -> batches.SparseFrames:
        width, height, _ = self._geometry
        return batches.sparse(batch, (self._rule.n_channels, height, width))


class DeviceForm(SparseForm):
    """Batches as places, of which a device makes dense frames."""

    def __init__(self, geometry: tuple[int, int, int], rule: Rule) -> None:
        super().__init__(geometry, rule)
        self._tells = tells_frames(self._rule.decoder(geometry, 0, 0))

    def read(self, batch: Handle) -> Any:
        made = super().read(batch)
        return batches.Frames(made, made.n_frames) if self._tells else made


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
