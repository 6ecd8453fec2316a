# SPDX-License-Identifier: Apache-2.0
"""Batches made of single samples, for PyTorch's DataLoader(..., collate_fn=...)."""
from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from .batches import POLARITIES, Events, to_tensors, torch


def collate(samples: Sequence[tuple[np.ndarray, Any]], dtype: Any = None,
            sensor_size: tuple[int, int, int] = (34, 34, POLARITIES)) -> tuple[Any, Any]:
    """Make a batch of (events, label) samples, as Split and Pairs give them: Events and labels, as
    tensors where PyTorch is installed.

    Events may be of any structured dtype with x, y, t, p. Labels are int64 [B] where each is a
    whole number, or else float32 [B, labels]; or of `dtype`. ValueError for what is no pixel of the
    sensor (sensor_size: width, height, polarities), no whole number, or a time before 0;
    OverflowError for times past 2^31 - 1 µs.
    """
    parts = [events for events, _ in samples]
    column = {name: np.concatenate([part[name] for part in parts]) for name in "txyp"}
    if len(column["t"]) and column["t"].max() > np.iinfo(np.int32).max:
        raise OverflowError(f"t = {column['t'].max()} µs does not fit into int32")
    n_values = dict(zip("xyp", sensor_size), t=1 << 31)
    column = {name: _whole(name, values, n_values[name]) for name, values in column.items()}
    ends = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    batch = Events(*(column[name] for name in "txyp"), ends)
    labels = _stacked([label for _, label in samples], dtype)
    return (batch, labels) if torch is None else (to_tensors(batch), to_tensors(labels))


def _whole(name: str, values: np.ndarray, n_values: int) -> np.ndarray:
    is_fine = (values >= 0) & (values < n_values) & (values == np.floor(values))
    if not is_fine.all():
        raise ValueError(f"{name} = {values[~is_fine][0]}; it has to be a whole number from 0 to "
                         f"{n_values - 1}: round, clip or drop the events that a transform moved")
    return values.astype(np.int32 if name == "t" else np.uint8)


def _stacked(labels: list[Any], dtype: Any) -> np.ndarray:
    stacked = np.stack([np.asarray(label) for label in labels])
    if dtype is None:
        is_index = stacked.ndim == 1 and stacked.dtype.kind in "iu"
        dtype = np.int64 if is_index else np.float32
    return stacked.astype(dtype)


def pad(samples: Sequence[tuple[Any, Any]], batch_first: bool = True,
        dtype: Any = np.float32) -> tuple[Any, Any]:
    """Make a batch of (frames, label) samples with different numbers of frames, as Tonic's ToFrame
    makes them: all are filled up with frames of zeros to the longest. Unlike Tonic's PadTensors it
    takes labels that are multi-hot as well.

    frames: arrays or tensors (sparse ones too) [T, ...], which become `dtype` [B, T, ...], or
    [T, B, ...] without batch_first. Labels: as of collate(). Tensors where PyTorch is installed.
    """
    parts = [_dense(frames) for frames, _ in samples]
    shape = max(map(len, parts)), *parts[0].shape[1:]
    batch = np.zeros((len(parts), *shape) if batch_first else (shape[0], len(parts), *shape[1:]),
                     dtype)
    for i, part in enumerate(parts):
        (batch[i] if batch_first else batch[:, i])[:len(part)] = part
    labels = _stacked([label for _, label in samples], None)
    return (batch, labels) if torch is None else (to_tensors(batch), to_tensors(labels))


def _dense(frames: Any) -> np.ndarray:
    is_sparse = torch is not None and isinstance(frames, torch.Tensor) and frames.is_sparse
    return np.asarray(frames.to_dense() if is_sparse else frames)
