# SPDX-License-Identifier: Apache-2.0
"""How well digits were recognised: exact match, F1, which pair was taken for which.

    >>> from twonmnist import metrics
    >>> chosen = metrics.choose_thresholds(scores, targets)          # of the validation view
    >>> test = metrics.Metrics(thresholds=chosen)
    >>> for frames, labels in test_batches:
    ...     test.add(labels, network(frames))
    >>> print(test.result().table())

Targets are multi-hot, [n, labels] of 0 and 1. Scores are of the same shape: floats of any scale,
the larger the more likely (sigmoids, logits, firing rates), of which a threshold makes predictions;
or predictions themselves, bool or integers of 0 and 1. NumPy arrays, lists, and tensors of PyTorch
on any device are taken. What is 0/0 counts as 0, as with scikit-learn's `zero_division=0`.

Sources: 2NMNIST (10.5281/zenodo.7847750); macro F1 is the mean of the labels' own F1 (Opitz, Burst,
arXiv:1911.03347); thresholds for the largest F1: Lipton, Elkan, Naryanaswamy, ECML PKDD 2014
(10.1007/978-3-662-44851-9_15).
"""
from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any, Sequence, Union

import numpy as np

from .checks import whole

__all__ = ["Metrics", "Result", "Thresholds", "accuracy", "choose_thresholds", "evaluate",
           "predict"]


@dataclass(frozen=True)
class Thresholds:
    """What choose_thresholds() chose: a digit is there where its score is not below its threshold.

    values: one for each label (infinite: never there); f1: what they reach on the samples they were
    chosen on (micro F1, or the labels' mean where per_digit); n_samples: how many those were.
    """

    values: tuple[float, ...]
    f1: float
    n_samples: int
    per_digit: bool

    def __str__(self) -> str:
        values = self.values if self.per_digit else self.values[:1]
        return (f"{', '.join(f'{value:.4g}' for value in values)} "
                f"({'macro' if self.per_digit else 'micro'} F1 {self.f1:.4f} on "
                f"{self.n_samples} samples)")


Pair = tuple[int, int]
ThresholdsLike = Union[Thresholds, float, Sequence[float], np.ndarray]


@dataclass(frozen=True, eq=False)
class Result:
    """Of all samples. Arrays are [labels], but for:

    confusion: int64 [labels, 2, 2], of each label [[tn, fp], [fn, tp]];
    pair_counts: of the samples that show two digits, how many of the pair (a, b), a < b, were taken
    for which: {((0, 1), (0, 7)): 12, ...}, by the two largest scores (of equal ones the lower
    labels); None is no pair: predictions, given without scores, that are not two digits.

    exact_match is the share of samples all of whose labels are right (subset accuracy),
    pair_accuracy that of the n_pairs samples of two digits that were taken for what they are.
    """

    n_samples: int
    exact_match: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    confusion: np.ndarray
    pair_counts: dict[tuple[Pair, Union[Pair, None]], int]
    n_pairs: int
    pair_accuracy: float

    def table(self, places: int = 3) -> str:
        """Markdown: a row for each label, their sums and means, and what holds of whole samples."""
        rows = [("label", "precision", "recall", "F1", "support")]
        rows += [(str(i), *numbers) for i, numbers in
                 enumerate(zip(self.precision, self.recall, self.f1, self.support))]
        rows += [("micro", self.micro_precision, self.micro_recall, self.micro_f1,
                  self.support.sum()),
                 ("macro", self.macro_precision, self.macro_recall, self.macro_f1,
                  self.support.sum())]
        text = (f"{_markdown(rows, places)}\n\nexact match {self.exact_match:.{places}f} "
                f"of {self.n_samples} samples")
        if self.n_pairs:
            text += (f"; both digits of a pair {self.pair_accuracy:.{places}f} "
                     f"of {self.n_pairs} pairs")
        return text

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs of labels (a, b), a < b, ascending: labels·(labels - 1)/2 of them."""
        return tuple(itertools.combinations(range(len(self.support)), 2))

    @property
    def pair_confusion(self) -> np.ndarray:
        """pair_counts as int64 [P, P + 1]: a row for each of `pairs`, a column for each that it was
        taken for; last column: no pair."""
        number = {pair: i for i, pair in enumerate((*self.pairs, None))}
        matrix = np.zeros((len(number) - 1, len(number)), np.int64)
        for (pair, other), n in self.pair_counts.items():
            matrix[number[pair], number[other]] = n
        return matrix

    def confused_pairs(self) -> list[tuple[Pair, Union[Pair, None], int]]:
        """(pair, what it was taken for, how often), the most frequent first."""
        wrong = [(pair, other, n) for (pair, other), n in self.pair_counts.items() if pair != other]
        return sorted(wrong, key=lambda row: (-row[2], row[0], row[1] or ()))

    def pair_table(self, most: int = 10) -> str:
        """Markdown: the `most` frequent mistakes among pairs."""
        rows = [("pair", "taken for", "samples", "of")]
        n_of: Counter[Pair] = Counter()
        for (pair, _), n in self.pair_counts.items():
            n_of[pair] += n
        for pair, other, n in self.confused_pairs()[:most]:
            rows.append((_joined(pair), _joined(other) if other else "no pair", n, n_of[pair]))
        return _markdown(rows, 0)


class Metrics:
    """Counts over batches; result() at any time. Memory does not grow with the samples.

    thresholds: of choose_thresholds(), or numbers, one for all labels or one for each (0.5 is for
    probabilities; that of logits is 0). Errors: TypeError, ValueError.
    """

    def __init__(self, n_labels: int = 10, thresholds: ThresholdsLike = 0.5) -> None:
        self._n_labels = whole("n_labels", n_labels, 1, 256)
        self._thresholds = _threshold_values(thresholds, self._n_labels)
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self._n_samples = self._n_exact = 0
        self._confusion = np.zeros((self._n_labels, 2, 2), np.int64)
        self._pair_counts: Counter[tuple[Pair, Union[Pair, None]]] = Counter()

    def add(self, targets: Any, scores: Any) -> None:
        """Count a batch: both [n, labels]. Nothing of it is counted where either is wrong.

        Errors: ValueError a shape, a target that is not 0 or 1, a score that is no number; it says
        which.
        """
        targets = _binary("targets", _matrix("targets", targets, self._n_labels))
        scores = _scores(scores, targets.shape)
        there = _there(scores, self._thresholds)
        self._n_samples += len(targets)
        self._n_exact += int((there == targets).all(1).sum())
        for i, j in itertools.product((0, 1), repeat=2):
            self._confusion[:, i, j] += ((targets == bool(i)) & (there == bool(j))).sum(0)
        two = targets.sum(1) == 2
        self._pair_counts.update(zip(_pairs(targets[two]), _pairs(scores[two])))

    def result(self) -> Result:
        """Of all that was added so far. Errors: ValueError nothing was."""
        if not self._n_samples:
            raise ValueError("no samples were added")
        _, fp, fn, tp = self._confusion.reshape(-1, 4).T
        precision, recall, f1 = _rates(tp, fp, fn)
        micro = _rates(tp.sum(), fp.sum(), fn.sum())
        right = sum(n for (pair, other), n in self._pair_counts.items() if pair == other)
        n_pairs = sum(self._pair_counts.values())
        return Result(
            self._n_samples, self._n_exact / self._n_samples, *map(float, micro),
            float(precision.mean()), float(recall.mean()), float(f1.mean()),
            precision, recall, f1, tp + fn, self._confusion.copy(),
            dict(self._pair_counts), n_pairs, right / n_pairs if n_pairs else 0.0)


def evaluate(targets: Any, scores: Any, thresholds: ThresholdsLike = 0.5) -> Result:
    """The Result of samples that are all there: targets and scores [n, labels]."""
    targets = _matrix("targets", targets)
    metrics = Metrics(targets.shape[1], thresholds)
    metrics.add(targets, scores)
    return metrics.result()


def choose_thresholds(scores: Any, targets: Any, per_digit: bool = True) -> Thresholds:
    """The thresholds with the largest F1 on these samples, [n, labels]: those of a validation set,
    never of the test set, whose result would no longer be one of unseen data.

    per_digit: one for each label, by its own F1, so that macro F1 is largest; else one for all, by
    micro F1. Every score is tried; of equally good ones the highest is taken. A digit that none of
    these samples shows gets an infinite one. Errors: ValueError as of Metrics.add(), or no samples.
    """
    targets = _binary("targets", _matrix("targets", targets))
    scores = _scores(scores, targets.shape)
    if scores.dtype == bool:
        raise ValueError("scores are bool or integers; thresholds are chosen on floats")
    if not targets.size:
        raise ValueError(f"scores of shape {targets.shape}; there is nothing to choose on")
    n_labels = targets.shape[1]
    if per_digit:
        best = [_best(scores[:, i], targets[:, i]) for i in range(n_labels)]
        values, f1 = tuple(value for value, _ in best), float(np.mean([f1 for _, f1 in best]))
    else:
        value, f1 = _best(scores.ravel(), targets.ravel())
        values = (value,) * n_labels
    return Thresholds(values, f1, len(targets), bool(per_digit))


def predict(scores: Any, thresholds: ThresholdsLike) -> np.ndarray:
    """bool [n, labels]: scores that are not below their threshold. Predictions stay as they are."""
    scores = _scores(scores)
    return _there(scores, _threshold_values(thresholds, scores.shape[1]))


def accuracy(targets: Any, scores: Any) -> float:
    """The share of samples of one digit that were recognised: targets are ints [n]; scores floats
    [n, labels], of which the largest counts (of equal ones the lowest label), or ints [n].

    Errors: ValueError a shape, a target that is no label, a score that is no number; no samples.
    """
    targets, scores = _array(targets), _array(scores)
    if targets.ndim != 1 or targets.dtype.kind not in "iu":
        raise ValueError(f"targets are {targets.dtype} {list(targets.shape)}; "
                         "they have to be ints [n]")
    if scores.ndim == 2 and scores.dtype.kind == "f":
        scores = _scores(scores, (len(targets), scores.shape[1]))
        _refuse("targets", targets, (targets >= 0) & (targets < scores.shape[1]),
                f"a label below {scores.shape[1]}")
        scores = scores.argmax(1) if len(scores) else targets
    if scores.shape != targets.shape or scores.dtype.kind not in "iu":
        raise ValueError(f"scores are {scores.dtype} {list(scores.shape)}; they have to be floats "
                         f"[{len(targets)}, labels] or ints [{len(targets)}]")
    if not len(targets):
        raise ValueError("no samples were given")
    return float((scores == targets).mean())


# Arguments

def _array(value: Any) -> np.ndarray:
    """Of anything; of a tensor without its history, wherever it is."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if value.is_floating_point():
            value = value.double()  # NumPy has no bfloat16
        value = value.numpy()
    return np.asarray(value)


def _matrix(name: str, value: Any, n_labels: Union[int, None] = None) -> np.ndarray:
    value = _array(value)
    if value.ndim != 2 or (value.shape[1] != n_labels if n_labels else not value.shape[1]):
        raise ValueError(f"{name} of shape {list(value.shape)}; it has to be "
                         f"[n, {n_labels or 'labels'}]")
    if value.dtype.kind not in "biuf":
        raise ValueError(f"{name} of type {value.dtype}; it has to be numbers")
    return value


def _refuse(name: str, value: np.ndarray, right: np.ndarray, wanted: str) -> None:
    """Name the first value that is not right."""
    if not right.all():
        at = np.unravel_index(np.argmin(right), right.shape)
        raise ValueError(f"{name}[{', '.join(map(str, at))}] is {value[at]}; it has to be {wanted}")


def _binary(name: str, value: np.ndarray) -> np.ndarray:
    _refuse(name, value, (value == 0) | (value == 1), "0 or 1")
    return value.astype(bool)


def _scores(value: Any, shape: Union[tuple[int, ...], None] = None) -> np.ndarray:
    """float64, or bool where they are predictions."""
    value = _matrix("scores", value)
    if shape is not None and value.shape != shape:
        raise ValueError(f"scores of shape {list(value.shape)}; targets are {list(shape)}")
    if value.dtype.kind != "f":
        return _binary("scores", value)
    _refuse("scores", value, value < np.inf, "a number below infinity")
    return value.astype(np.float64)


def _threshold_values(thresholds: ThresholdsLike, n_labels: int) -> np.ndarray:
    """float64 [labels]."""
    values = thresholds.values if isinstance(thresholds, Thresholds) else thresholds
    values = np.asarray(_array(values), np.float64)
    if values.shape not in ((), (n_labels,)):
        raise ValueError(f"thresholds of shape {list(values.shape)}; it has to be one number, or "
                         f"[{n_labels}]")
    values = np.broadcast_to(values, n_labels)
    _refuse("thresholds", values, ~np.isnan(values), "a number")
    return values


# Numbers

def _there(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    return scores if scores.dtype == bool else scores >= thresholds


def _ratio(part: Any, whole_: Any) -> np.ndarray:
    """part / whole, 0 where that is 0/0."""
    return np.where(whole_ == 0, 0.0, part / np.maximum(whole_, 1))


def _rates(tp: Any, fp: Any, fn: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall, F1."""
    return _ratio(tp, tp + fp), _ratio(tp, tp + fn), _ratio(2 * tp, 2 * tp + fp + fn)


def _pairs(scores: np.ndarray) -> list[Union[Pair, None]]:
    """The two labels of the largest scores [n, labels], or those that bool predictions name."""
    order = np.argsort(-scores.astype(float), axis=1, kind="stable")[:, :2]
    is_pair = scores.sum(1) == 2 if scores.dtype == bool else np.full(len(scores), True)
    return [tuple(pair) if is_one else None
            for pair, is_one in zip(np.sort(order).tolist(), is_pair)]


def _best(scores: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """The threshold of the largest F1, and that F1, of [n].

    F1 is 2·tp / (predicted + wanted) in whole numbers, so that quotients are equal where the
    fractions are.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, tp = scores[order], np.cumsum(targets[order])
    last_of_equals = np.append(ranked[1:] != ranked[:-1], True)
    f1 = 2 * tp / (np.arange(1, len(tp) + 1) + tp[-1])
    f1[~last_of_equals] = -1
    at = int(np.argmax(f1))
    return (float(ranked[at]), float(f1[at])) if f1[at] > 0 else (float("inf"), 0.0)


# Text

def _joined(pair: tuple[int, int]) -> str:
    return f"{pair[0]} + {pair[1]}"


def _markdown(rows: list[tuple], places: int) -> str:
    """A table; numbers to the right, those with a fraction to so many places."""
    text = [[f"{cell:.{places}f}" if isinstance(cell, float) else str(cell) for cell in row]
            for row in rows]
    widths = [max(map(len, column)) for column in zip(*text)]
    rule = ["-" * (width - 1) + ":" for width in widths]
    return "\n".join(f"| {' | '.join(cell.rjust(width) for cell, width in zip(row, widths))} |"
                     for row in (text[0], rule, *text[1:]))
