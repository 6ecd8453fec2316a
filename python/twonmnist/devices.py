# SPDX-License-Identifier: Apache-2.0
"""Frames that are made on a device, out of the places that are set in them: these are a hundredth of
what dense frames would be to move there. With PyTorch alone: nothing is compiled."""
from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

from .batches import SparseFrames, torch
from .checks import one_of
from .forms import shape_of

DTYPES = ("float32", "float16", "bfloat16", "uint8")
_MOST = {"uint8": 255}  # where counts stop, if not at 65,535
_SUMS_MOST = 65_535


def _strides(axes: str, n_samples: int, n_frames: int, frame: int) -> tuple[int, int, int]:
    """How far values lie apart from one sample, frame and place to the next."""
    return {"TBCHW": (frame, n_samples * frame, 1), "BTCHW": (n_frames * frame, frame, 1),
            "CHWT": (n_frames * frame, 1, n_frames)}[axes]


def dense(places: Any, counts: Any, sensor: tuple[int, ...], axes: str, dtype: Any, most: int,
          sets: bool) -> Any:
    """Dense frames where the tensors are: places int16 [M], counts int32 [B, T]; see SparseFrames.
    A place is 1 (sets), or how often it stands there, up to `most`."""
    n_samples, n_frames = counts.shape
    frame = math.prod(sensor)
    of_sample, of_frame, of_place = _strides(axes, n_samples, n_frames, frame)
    starts = (torch.arange(n_samples, device=places.device)[:, None] * of_sample
              + torch.arange(n_frames, device=places.device) * of_frame)
    # The size is known here: without it the device would have to be waited for.
    index = torch.repeat_interleave(starts.reshape(-1), counts.reshape(-1),
                                    output_size=len(places))
    index += places.long() * of_place
    size = n_samples * n_frames * frame
    if sets:
        made = torch.zeros(size, dtype=dtype, device=places.device).index_fill_(0, index, 1)
    else:  # in a type in which each count is exact
        made = torch.zeros(size, device=places.device)
        made.index_add_(0, index, torch.ones(len(places), device=places.device))
        if len(places) > most:
            made.clamp_(max=most)
        made = made.to(dtype)
    return made.reshape(shape_of(axes, n_samples, n_frames, sensor))


class Device:
    """Where batches go: what is to be moved goes through pinned memory, on a stream beside the one
    that trains."""

    def __init__(self, device: Any, dtype: str, axes: str, sets: bool) -> None:
        if torch is None:
            raise ImportError("device= needs PyTorch")
        self.device = torch.device(device)
        self._dtype = getattr(torch, one_of("dtype", dtype, DTYPES))
        self._most = _MOST.get(dtype, _SUMS_MOST)
        self._axes, self._sets = axes, sets
        self._side: Any = None
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(f"device {str(self.device)!r}: PyTorch has no CUDA here")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_side": None}

    def _moved(self, value: np.ndarray) -> Any:
        tensor = torch.from_numpy(value)
        if self.device.type != "cuda":
            return tensor.to(self.device)
        return tensor.pin_memory().to(self.device, non_blocking=True)

    def _made(self, value: Any) -> Any:
        if isinstance(value, SparseFrames):
            return dense(self._moved(value.places), self._moved(value.counts), value.sensor,
                         self._axes, self._dtype, self._most, self._sets)
        if isinstance(value, tuple):
            made = map(self._made, value)
            return tuple(made) if type(value) is tuple else type(value)(*made)
        return self._moved(value)

    def begin(self, value: Any) -> tuple[Any, Optional[Any]]:
        """Start to make tensors there of arrays and sparse frames, and of tuples of them."""
        if self.device.type != "cuda":
            return self._made(value), None
        if self._side is None:
            self._side = torch.cuda.Stream(self.device)
        with torch.cuda.stream(self._side):
            made = self._made(value)
            done = torch.cuda.Event()
            done.record(self._side)
        return made, done

    def end(self, made: Any, done: Optional[Any]) -> Any:
        """The tensors, for the stream that is the present one."""
        if done is not None:
            present = torch.cuda.current_stream(self.device)
            present.wait_event(done)
            for tensor in _flat(made):
                tensor.record_stream(present)
        return made


def _flat(value: Any) -> list[Any]:
    if isinstance(value, tuple):
        return [tensor for part in value for tensor in _flat(part)]
    return [value]
