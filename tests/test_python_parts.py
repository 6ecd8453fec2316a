# SPDX-License-Identifier: Apache-2.0
"""The Python binding: parts of a split, the stored order, and which samples a batch holds."""
import itertools
import pickle
import unittest
import warnings

import numpy as np

import daemon
import twonmnist

try:
    import torch
    import torch.utils.data as data
except ImportError:
    torch = None

SIZE = 16
needs_torch = unittest.skipUnless(torch, "PyTorch is not installed")


def setUpModule():
    global server, train, multihot
    unittest.enterModuleContext(warnings.catch_warnings())
    warnings.filterwarnings("ignore", message="nmnist-.* is not N-MNIST's")
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    train = twonmnist.Split(server.url, "train")
    multihot = train.targets > 0


def loader(dataset=None, size=SIZE, **more):
    return twonmnist.loader(dataset or train, size, **{"form": "packed", "tensors": False,
                                                       "with_indices": True, **more})


def indices(batches):
    return [list(np.asarray(batch.indices)) for batch in batches]


def folds(n_folds, seed):
    """The fold of each sample, by the documents' words alone."""
    fold, n_seen = {}, {}
    for i in np.random.RandomState([seed]).permutation(len(multihot)):
        shown = tuple(np.flatnonzero(multihot[i]))
        fold[i] = n_seen.get(shown, 0) % n_folds
        n_seen[shown] = n_seen.get(shown, 0) + 1
    return np.array([fold[i] for i in range(len(multihot))])


class Parts(unittest.TestCase):
    def part(self, part, **more):
        return twonmnist.Split(server.url, "train", part=part, **more)

    def test_parts_are_the_documented_ones_disjoint_and_together_everything(self):
        for words in ({}, {"folds": 2, "fold": 1}, {"folds": 7, "fold": 3, "fold_seed": 5}):
            with self.subTest(**words):
                held, rest = (self.part(part, **words) for part in ("held", "rest"))
                expected = folds(words.get("folds", 10), words.get("fold_seed", 0))
                is_held = expected == words.get("fold", 0)
                np.testing.assert_array_equal(held.indices, np.flatnonzero(is_held))
                np.testing.assert_array_equal(rest.indices, np.flatnonzero(~is_held))
                self.assertEqual(len(held) + len(rest), len(train))

    def test_the_folds_together_are_everything_once(self):
        together = np.concatenate([self.part("held", folds=4, fold=i).indices for i in range(4)])
        np.testing.assert_array_equal(np.sort(together), np.arange(len(train)))

    def test_each_set_of_labels_is_dealt_out_evenly(self):
        shown = multihot @ (1 << np.arange(10))
        held = np.isin(np.arange(len(train)), self.part("held", folds=4).indices)
        for one in np.unique(shown):
            n = int((shown == one).sum())
            self.assertEqual(int((held & (shown == one)).sum()), -(-n // 4))

    def test_a_part_is_a_dataset_of_its_own(self):
        held = self.part("held")
        self.assertEqual(len(held), len(held.indices))
        np.testing.assert_array_equal(held.targets, train.targets[held.indices])
        for i in (0, 3, -1):
            np.testing.assert_array_equal(held[i][0], train[held.indices[i]][0])
        with self.assertRaisesRegex(IndexError, f"no sample {len(held)}"):
            held[len(held)]
        copy = pickle.loads(pickle.dumps(held))
        np.testing.assert_array_equal(copy.indices, held.indices)
        np.testing.assert_array_equal(copy[5][0], held[5][0])
        nmnist = twonmnist.NMNIST(server.url, part="held", folds=5)
        whole = twonmnist.NMNIST(server.url)
        self.assertEqual(nmnist.targets, [whole.targets[i] for i in nmnist.indices])
        self.assertEqual(nmnist.subset([2, 0]).targets, [nmnist.targets[2], nmnist.targets[0]])
        self.assertIn(f"{len(held)} of {len(train)} samples", repr(held))

    def test_batches_of_a_part_are_its_samples_in_the_epochs_order(self):
        rest = self.part("rest")
        order = rest.indices[np.random.RandomState([3, 1]).permutation(len(rest))]
        batches = list(loader(rest, seed=3, epoch=1))
        self.assertEqual(len(batches), len(loader(rest)))
        for k, batch in enumerate(batches):
            np.testing.assert_array_equal(batch.indices, order[k * SIZE:(k + 1) * SIZE])
            np.testing.assert_array_equal(batch.labels, train.targets[batch.indices])
        for rank in range(2):
            share = indices(loader(rest, seed=3, epoch=1, rank=rank, world=2, last="short"))
            self.assertEqual(share, [list(batch.indices[rank::2]) for batch in batches])
        for last, n in (("drop", len(rest) // SIZE), ("pad", -(-len(rest) // SIZE))):
            batches = loader(rest, last=last)
            self.assertEqual((len(batches), len(list(batches))), (n, n))

    def test_a_state_goes_on_in_the_same_part_alone(self):
        for words in ({}, {"shuffle": False}):
            whole = indices(loader(self.part("rest"), epoch=2, **words))
            batches = loader(self.part("rest"), epoch=2, **words)
            iterating = iter(batches)
            indices(itertools.islice(iterating, 3))
            state = batches.state_dict()
            other = loader(self.part("rest"), **words)
            other.load_state_dict(state)
            self.assertEqual(indices(other), whole[3:])
            for strange in (self.part("rest", fold=1), train):
                with self.assertRaises(ValueError):
                    loader(strange, **words).load_state_dict(state)

    def test_what_is_no_part_is_refused_by_name(self):
        for words, error, options in (
                ("part 'all'; it has to be one of rest, held", ValueError, {"part": "all"}),
                ("give part 'rest' or 'held'", ValueError, {"fold": 1}),
                ("folds 1; it has to be 2 to 1000", ValueError, {"part": "held", "folds": 1}),
                ("fold 10; it has to be 0 to 9", ValueError, {"part": "held", "fold": 10}),
                ("fold_seed -1;", ValueError, {"part": "held", "fold_seed": -1}),
                ("folds 2.5; it has to be a whole", TypeError, {"part": "held", "folds": 2.5}),
                ("fold=999.* of train is empty: folds=1000 leaves", ValueError,
                 {"part": "held", "folds": 1000, "fold": 999})):
            with self.subTest(words), self.assertRaisesRegex(error, words):
                twonmnist.Split(server.url, "train", **options)


class Subsets(unittest.TestCase):
    def test_a_subset_has_the_samples_asked_for(self):
        for asked in ([5, 2, -1], np.array([5, 2, len(train) - 1], np.uint8 if len(train) < 256
                                           else np.uint16), range(2, 8, 3)):
            subset = train.subset(asked)
            expected = np.arange(len(train))[list(asked)]
            np.testing.assert_array_equal(subset.indices, expected)
            np.testing.assert_array_equal(subset.targets, train.targets[expected])
            self.assertEqual(indices(loader(subset, shuffle=False)), [list(expected)])
        pairs = train.subset(train.targets.sum(1) == 2)
        self.assertEqual(set(pairs.targets.sum(1)), {2})
        np.testing.assert_array_equal(pairs.subset([3]).indices, pairs.indices[3:4])
        self.assertEqual(len(train), len(multihot))

    def test_a_subset_goes_on_when_the_whole_is_closed(self):
        whole = twonmnist.Split(server.url, "train")
        subset = whole.subset([1, 2])
        whole.close()
        np.testing.assert_array_equal(subset[0][0], train[1][0])

    def test_what_are_no_indices_is_refused(self):
        n = len(train)
        for wrong, error, words in (([n], IndexError, f"no sample {n}"), ([-n - 1], IndexError, ""),
                                    ([1.5], TypeError, "whole numbers"),
                                    ([], ValueError, "without any samples"),
                                    ([[1]], TypeError, "in one row"), ("ab", TypeError, "indices"),
                                    (np.ones(n - 1, bool), TypeError, f"{n} of bool"),
                                    (np.zeros(n, bool), ValueError, "without any samples")):
            with self.subTest(words), self.assertRaisesRegex(error, words):
                train.subset(wrong)

    @needs_torch
    def test_pytorchs_random_split_can_be_loaded(self):
        n = len(train) // 10
        one, two = data.random_split(train, [n, len(train) - n])
        loaded = [sum(indices(loader(part, epoch=1)), []) for part in (one, two)]
        self.assertEqual([len(part) for part in loaded], [n, len(train) - n])
        self.assertEqual(sorted(sum(loaded, [])), list(range(len(train))))
        nested = data.Subset(one, [4, 0])
        self.assertEqual(indices(loader(nested, shuffle=False)),
                         [[one.indices[4], one.indices[0]]])


class Order(unittest.TestCase):
    def test_the_stored_order_is_the_same_in_every_epoch(self):
        expected = [list(range(k, min(k + SIZE, len(train)))) for k in range(0, len(train), SIZE)]
        batches = loader(shuffle=False)
        for epoch in range(2):
            batches.set_epoch(epoch)
            self.assertEqual(indices(batches), expected)
        for rank in range(2):
            share = loader(shuffle=False, rank=rank, world=2, last="short")
            self.assertEqual(indices(share), [batch[rank::2] for batch in expected])

    def test_an_order_of_what_has_none_is_refused(self):
        with self.assertRaisesRegex(ValueError, "seed 3; with shuffle=False"):
            loader(shuffle=False, seed=3)
        pairs = twonmnist.Pairs(server.url)
        for shuffle in (False, True):
            with self.assertRaisesRegex(ValueError, f"shuffle {shuffle}; fresh pairs"):
                loader(pairs, shuffle=shuffle)

    @needs_torch
    def test_workers_keep_the_order(self):
        held = twonmnist.Split(server.url, "train", part="held", folds=4)
        for words in ({"shuffle": False}, {"epoch": 1}):
            expected = indices(loader(held, **words))
            for n in (1, 2):
                batches = loader(held, tensors=True, **words).dataloader(num_workers=n)
                self.assertEqual(indices(batches), expected)


class Batches(unittest.TestCase):
    def test_a_batch_says_its_samples_and_their_recordings(self):
        digits = twonmnist.Split(server.url, "nmnist-train").targets
        for batch in loader(seed=2):
            self.assertEqual((batch.indices.dtype, batch.sources.dtype), (np.int64, np.int32))
            for index, label, (one, two) in zip(batch.indices, batch.labels, batch.sources):
                shown = {digits[one]} | ({digits[two]} if two >= 0 else set())
                self.assertEqual(set(np.flatnonzero(label)), shown)
                self.assertEqual(set(np.flatnonzero(multihot[index])), shown)

    def test_fresh_pairs_have_numbers(self):
        pairs = twonmnist.Pairs(server.url, seed=4, start=2 * SIZE)
        batch = next(iter(loader(pairs)))
        np.testing.assert_array_equal(batch.indices, np.arange(2 * SIZE, 3 * SIZE))
        self.assertGreaterEqual(batch.sources.min(), 0)

    def test_a_transform_of_batches_is_given_them(self):
        batches = loader(batch_transform=lambda packed, labels, indices, sources: list(indices))
        self.assertEqual(next(iter(batches)), indices(itertools.islice(loader(), 1))[0])

    @needs_torch
    def test_they_are_tensors_and_come_through_workers(self):
        for batches in (loader(tensors=True), loader(tensors=True).dataloader(num_workers=1)):
            batch = next(iter(batches))
            self.assertIsInstance(batch, twonmnist.Batch)
            self.assertEqual((batch.indices.dtype, batch.sources.dtype), (torch.int64, torch.int32))
            inputs, labels, where, sources = batch
            self.assertEqual((len(labels), len(where)), (SIZE, SIZE))
            self.assertEqual(tuple(sources.shape), (SIZE, 2))


class Indexing(unittest.TestCase):
    def test_any_whole_number_is_an_index(self):
        places = [3, np.int64(3), np.uint8(3), np.array(3), 3 - len(train)]
        if torch:
            places.append(torch.tensor(3))
        for place in places:
            np.testing.assert_array_equal(train[place][0], train[3][0])
        self.assertEqual(train.__getitems__([]), [])
        many = [i % len(train) for i in range(1100)]  # more than a server gives at once
        samples = train.__getitems__(many)
        self.assertEqual(len(samples), len(many))
        for i in (0, 255, 256, 1099):
            np.testing.assert_array_equal(samples[i][0], train[many[i]][0])
        for place in (1.0, np.float64(1), "1", slice(1, 3), None, np.array([1])):
            with self.subTest(place=place), \
                    self.assertRaisesRegex(TypeError, "index .* of train; "):
                train[place]

    def test_numbers_of_any_integer_type_are_taken(self):
        expected = indices(loader(seed=3, epoch=1, depth=2, rank=1, world=2, last="drop"))
        given = {"seed": 3, "epoch": 1, "depth": 2, "rank": 1, "world": 2}
        for kind in (np.int64, np.uint8, np.array):
            words = {name: kind(value) for name, value in given.items()}
            self.assertEqual(indices(loader(None, kind(SIZE), last="drop", **words)), expected)

    def test_what_is_no_whole_number_is_refused_by_name(self):
        for words in ({"seed": 1.0}, {"epoch": "1"}, {"depth": 2.5}, {"rank": 0.5, "world": 2},
                      {"world": 2.0, "rank": 0}, {"size": 4.0}):
            name = next(iter(words)).replace("size", "batch_size")
            with self.subTest(name), self.assertRaisesRegex(TypeError, f"^{name} .* a whole number"):
                loader(**words)
        for words in ({"bins": 3.5}, {"timestep": 10.0}):
            with self.assertRaisesRegex(TypeError, f"{next(iter(words))} .*whole number"):
                twonmnist.loader(train, **words)
        with self.assertRaisesRegex(TypeError, "timestep 1.5"):
            twonmnist.Split(server.url, timestep=1.5)
        with self.assertRaisesRegex(ValueError, "timestep 1000001; it has to be 0 to 1000000"):
            twonmnist.Split(server.url, timestep=1_000_001)


if __name__ == "__main__":
    unittest.main()
