# SPDX-License-Identifier: Apache-2.0
"""Parts of a split: one held out for validation and the rest, the same ones for everybody."""
from __future__ import annotations

from typing import Any, NamedTuple, Optional

import numpy as np

from .checks import one_of, whole

_PARTS = ("rest", "held")


class Part(NamedTuple):
    """One fold of so many ("held"), or all others ("rest")."""

    part: str
    folds: int
    fold: int
    fold_seed: int

    def positions(self, labels: np.ndarray) -> np.ndarray:
        """int64, ascending: what it keeps of the whole split, whose labels (multi-hot) are given.
        """
        is_held = folds_of(labels, self.folds, self.fold_seed) == self.fold
        return np.flatnonzero(is_held if self.part == "held" else ~is_held)


def checked_part(part: Optional[str], folds: Optional[int], fold: Optional[int],
                 fold_seed: Optional[int]) -> Optional[Part]:
    """The part that is asked for; None for the whole split."""
    if part is None:
        if (folds, fold, fold_seed) != (None, None, None):
            raise ValueError("folds, fold and fold_seed are of a part: give part 'rest' or 'held'")
        return None
    one_of("part", part, _PARTS)
    n_folds = whole("folds", 10 if folds is None else folds, 2, 1000)
    return Part(part, n_folds, whole("fold", fold or 0, 0, n_folds - 1),
                whole("fold_seed", fold_seed or 0, 0, 2**32 - 1))


def folds_of(labels: np.ndarray, folds: int, fold_seed: int) -> np.ndarray:
    """int64 [n]: the fold of each sample. Samples that show the same are dealt out in turn, in the
    order RandomState([fold_seed]).permutation(n)."""
    order = np.random.RandomState([fold_seed]).permutation(len(labels))
    sets, of_sample = np.unique(labels, axis=0, return_inverse=True)
    in_order = of_sample.reshape(-1)[order]
    fold = np.empty(len(labels), np.int64)
    for number in range(len(sets)):
        members = order[in_order == number]
        fold[members] = np.arange(len(members)) % folds
    return fold


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
