# SPDX-License-Identifier: Apache-2.0
"""What a sample shows, as losses want it: the index of its class, or a place for each digit."""
from __future__ import annotations

from typing import Any, Optional

import numpy as np

from .checks import one_of

_DTYPES = {"index": np.int64, "multihot": np.float32}


def checked_labels(kind: Optional[str], name: str, is_source: bool) -> str:
    """The kind of labels asked for, or that of the split: recordings are of one class each, all
    other samples may show two digits."""
    if kind is None:
        return "index" if is_source else "multihot"
    one_of("labels", kind, _DTYPES)
    if kind == "index" and not is_source:
        raise ValueError(f"labels 'index'; samples of {name} may show two digits, and those of a "
                         "source split alone are of one class: 'multihot' it has to be")
    return kind


def labels_as(kind: str, multihot: np.ndarray) -> np.ndarray:
    """Labels, multi-hot [n, digits], as float32 of that shape ("multihot") or int64 [n] ("index").
    """
    labels = multihot.argmax(1) if kind == "index" else multihot
    return labels.astype(_DTYPES[kind])


def split_labels(labels: np.ndarray) -> list[Any]:
    """One by one: ints, or arrays."""
    return labels.tolist() if labels.ndim == 1 else list(labels)
