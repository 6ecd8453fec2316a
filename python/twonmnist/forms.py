# SPDX-License-Identifier: Apache-2.0
"""What a loader makes of batches: dense frames, columns, or events as they are stored."""
from __future__ import annotations

from ctypes import c_uint32

import numpy as np

from . import _library, batches
from ._library import Handle
from .checks import one_of, whole

_BINNING = {"round": 0, "floor": 1}
_OVERLAP = {"or": 0, "sum": 1}
_DTYPES = {"uint8": 0, "float32": 1}
# Name -> number in the library, and the order of bins T, samples B, and sensor S in the shape.
_AXES = {"BTCHW": (0, "BTS"), "CHWT": (1, "BST"), "TBCHW": (2, "TBS")}


class FramesForm:
    """Batches as dense frames."""

    def __init__(self, geometry: tuple[int, int, int], dtype: str, axes: str, timestep: int,
                 bins: int, binning: str, overlap: str) -> None:
        number, self._shape = one_of("axes", axes, _AXES)
        self._geometry = geometry
        timestep, bins = whole("timestep", timestep, 1, 1_000_000), whole("bins", bins, 1, 4096)
        self._words = (timestep, bins, one_of("binning", binning, _BINNING),
                       one_of("overlap", overlap, _OVERLAP), number,
                       one_of("dtype", dtype, _DTYPES))
        self._dtype, self._bins = dtype, bins
        self.decoder()  # so that what the library refuses is an error here and now

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
