# SPDX-License-Identifier: Apache-2.0
"""Which samples a view keeps, in plain NumPy."""
import numpy as np


def ranks(labels, fold_seed):
    """The place of each sample among those that show the same, in the order of the folds."""
    order = np.random.RandomState([fold_seed]).permutation(len(labels))
    of_set = np.array(["".join(map(str, row)) for row in labels])
    rank = np.empty(len(labels), np.int64)
    for it in np.unique(of_set):
        members = order[of_set[order] == it]
        rank[members] = np.arange(len(members))
    return rank


def view(labels, kind=None, any=None, all=None, none=None, folds=None, fold=0, part=None,
         per_class=None, fold_seed=0):
    """The positions that pass all, ascending. labels: multi-hot, [n, labels]."""
    kept = np.ones(len(labels), bool)
    if kind is not None:
        kept &= labels.sum(1) == {"single": 1, "pair": 2}[kind]
    if any is not None:
        kept &= labels[:, any].max(1) == 1
    if all is not None:
        kept &= labels[:, all].min(1) == 1
    if none is not None:
        kept &= labels[:, none].max(1) == 0
    if folds is not None:
        kept &= (ranks(labels, fold_seed) % folds == fold) == (part == "held")
    if per_class is not None:
        kept &= ranks(labels, fold_seed) < per_class
    return np.flatnonzero(kept)


def words(**rule):
    """The same as the parameters of a URL."""
    return "&".join(f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
                    for name, value in rule.items())
