# SPDX-License-Identifier: Apache-2.0
"""Parts of a split: one held out for validation and the rest, the same ones for everybody."""
from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_int64
from typing import Any, NamedTuple, Optional

import numpy as np

from ._library import Handle
from .checks import one_of, whole

_PARTS = ("rest", "held")
_KINDS = ("single", "pair")
_MOST_LABEL = 255
_MOST_FOLDS = 1000


class Part(NamedTuple):
    """One fold of so many ("held"), or all others ("rest")."""

    part: str
    folds: int
    fold: int
    fold_seed: int

    @property
    def words(self) -> str:
        """The same as words of a view."""
        return "&".join(f"{name}={value}" for name, value in self._asdict().items())


def checked_part(part: Optional[str], folds: Optional[int], fold: Optional[int],
                 fold_seed: Optional[int]) -> Optional[Part]:
    """The part that is asked for; None for the whole split."""
    if part is None:
        if (folds, fold, fold_seed) != (None, None, None):
            raise ValueError("folds, fold and fold_seed are of a part: give part 'rest' or 'held'")
        return None
    one_of("part", part, _PARTS)
    n_folds = whole("folds", 10 if folds is None else folds, 2, _MOST_FOLDS)
    return Part(part, n_folds, whole("fold", fold or 0, 0, n_folds - 1),
                whole("fold_seed", fold_seed or 0, 0, 2**32 - 1))


def _labels(name: str, labels: Any) -> str:
    """One label or several, between commas."""
    several = [labels] if np.ndim(labels) == 0 else list(labels)
    if not several:
        raise ValueError(f"{name} without any label")
    return ",".join(str(whole(name, label, 0, _MOST_LABEL)) for label in several)


def view_words(kind: Optional[str], sets: dict[str, Any], part: Optional[str],
               folds: Optional[int], fold: Optional[int], per_class: Optional[int],
               fold_seed: Optional[int]) -> str:
    """What the library opens a view by: those that are given, checked. sets: any, all and none."""
    words = []
    if kind is not None:
        words.append(f"kind={one_of('kind', kind, _KINDS)}")
    words += [f"{name}={_labels(name, labels)}" for name, labels in sets.items()
              if labels is not None]
    if per_class is not None:
        words.append(f"per_class={whole('per_class', per_class, 1, 2**31 - 1)}")
        if part is None and fold_seed is not None:
            words.append(f"fold_seed={whole('fold_seed', fold_seed, 0, 2**32 - 1)}")
            fold_seed = None
    folded = checked_part(part, folds, fold, fold_seed)
    if folded is not None:
        words.append(folded.words)
    return "&".join(words)


def merged_words(a: str, b: str) -> Optional[str]:
    """The words of both, each in the library's own way; None where they say one word differently.
    """
    both = dict(word.split("=") for word in a.split("&"))
    for word in b.split("&"):
        name, value = word.split("=")
        if both.setdefault(name, value) != value:
            return None
    return "&".join(f"{name}={value}" for name, value in both.items())


def words_of(view: Handle) -> str:
    """All that an open view is of, in one way."""
    return view.get("tnm_view_words").decode()


def positions_of(view: Handle) -> np.ndarray:
    """int64, ascending: where its samples are in the split."""
    n = view.get("tnm_view_n_samples")
    return np.array((c_int64 * n).from_address(view.get("tnm_view_positions")), np.int64)


class Folds(Sequence):
    """`folds[i]` is (rest, held): the samples of all folds but i, to train with, and those of fold
    i, held out."""

    def __init__(self, split: Any, n_folds: int, seed: int) -> None:
        self._split = split
        self._n_folds = whole("folds", n_folds, 2, _MOST_FOLDS)
        self._seed = whole("seed", seed, 0, 2**32 - 1)

    def __len__(self) -> int:
        return self._n_folds

    def __getitem__(self, fold: Any) -> Any:
        if isinstance(fold, slice):
            return [self[i] for i in range(*fold.indices(len(self)))]
        try:
            at = whole("fold", fold, -len(self), len(self) - 1)
        except ValueError as error:  # by which iterating ends
            raise IndexError(str(error)) from None
        rest, held = (self._split.view(part=part, folds=len(self), fold=at % len(self),
                                       fold_seed=self._seed) for part in _PARTS)
        return rest, held


def checked_positions(indices: Any, n_samples: int) -> np.ndarray:
    """int64 [m]: positions in a split of n_samples, given as whole numbers (negative ones count
    from the end) or as a mask.

    Errors: TypeError neither of these; IndexError one that there is not.
    """
    positions = np.asarray(indices)
    if positions.dtype == bool and positions.shape == (n_samples,):
        return np.flatnonzero(positions)
    if positions.ndim != 1 or (positions.dtype.kind not in "iu" and positions.size):
        raise TypeError(f"indices of shape {positions.shape} and type {positions.dtype}; whole "
                        f"numbers in one row, or {n_samples} of bool, they have to be")
    is_wrong = (positions < -n_samples) | (positions >= n_samples)
    if is_wrong.any():
        raise IndexError(f"there is no sample {positions[is_wrong][0]}; there are {n_samples}")
    return positions.astype(np.int64) % n_samples
