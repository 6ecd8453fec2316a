# SPDX-License-Identifier: Apache-2.0
"""The Python binding: views of a split and folds of it, against the rule in NumPy."""
import itertools
import multiprocessing
import pickle
import re
import unittest
import warnings

import numpy as np

import daemon
import twonmnist
import view_rules
from fake_server import FakeServer

try:
    import torch
    import torch.utils.data as data
except ImportError:
    torch = None

SIZE = 16
needs_torch = unittest.skipUnless(torch, "PyTorch is not installed")

RULES = [
    {"kind": "single"},
    {"kind": "pair", "any": [3, 8]},
    {"all": [3, 8]},
    {"none": [0, 1, 2]},
    {"per_class": 2, "fold_seed": 7},
    {"folds": 4, "fold": 3, "part": "held", "fold_seed": 2**32 - 1},
    {"folds": 4, "fold": 3, "part": "rest", "per_class": 1, "fold_seed": 5},
]


def setUpModule():
    global folder, server, train, multihot
    unittest.enterModuleContext(warnings.catch_warnings())
    warnings.filterwarnings("ignore", message="nmnist-.* is not N-MNIST's")
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()), "--count",
                             "400,60", "--seed", "5", source="synthetic")
    server = unittest.enterModuleContext(daemon.Daemon(folder, "--access-log", "stderr"))
    train = twonmnist.Split(server.url, "train")
    multihot = (train.targets > 0).astype(int)


def loader(dataset, **more):
    return twonmnist.loader(dataset, SIZE, **{"form": "packed", "tensors": False,
                                              "with_indices": True, **more})


def indices(batches):
    return [np.asarray(batch.indices).tolist() for batch in batches]


def batches_of(positions, seed, epoch):
    order = positions[np.random.RandomState([seed, epoch]).permutation(len(positions))].tolist()
    return [order[begin:begin + SIZE] for begin in range(0, len(order), SIZE)]


class Views(unittest.TestCase):
    def test_a_view_is_a_dataset_of_its_samples(self):
        for rule in RULES:
            with self.subTest(rule):
                view, want = train.view(**rule), view_rules.view(multihot, **rule)
                np.testing.assert_array_equal(view.indices, want)
                self.assertEqual(len(view), len(want))
                np.testing.assert_array_equal(view.targets, train.targets[want])
                for i in (0, -1):
                    np.testing.assert_array_equal(view[i][0], train[want[i]][0])
                with self.assertRaises(IndexError):
                    view[len(want)]

    def test_one_label_needs_no_list(self):
        np.testing.assert_array_equal(train.view(any=3).indices, train.view(any=[3]).indices)
        np.testing.assert_array_equal(train.view(none=np.int64(3)).indices,
                                      train.view(none=np.array([3])).indices)

    def test_a_view_of_nothing_in_particular_is_the_whole_split(self):
        whole = train.view()
        self.assertIsNone(whole.indices)
        self.assertEqual(len(whole), len(train))

    def test_batches_of_an_epoch_are_those_of_the_view(self):
        for rule in RULES:
            view = train.view(**rule)
            for seed, epoch in ((0, 0), (3, 4)):
                with self.subTest(rule=rule, seed=seed):
                    batches = loader(view, seed=seed, epoch=epoch)
                    got = list(batches)
                    self.assertEqual(indices(got), batches_of(view.indices, seed, epoch))
                    self.assertEqual(len(batches), len(got))
                    np.testing.assert_array_equal(np.concatenate([b.labels for b in got]) > 0,
                                                  multihot[np.concatenate(indices(got))] > 0)

    def test_batches_of_an_epoch_are_asked_for_by_the_views_words(self):
        with daemon.Daemon(folder, "--access-log", "stderr") as own:
            view = twonmnist.Split(own.url, "train").view(kind="pair", any=[3, 8])
            indices(loader(view, seed=9))
            own.stop()
            asked = [line for line in own.log if "/batches/" in line or "/batch." in line]
        self.assertEqual(len(asked), -(-len(view) // SIZE))
        for line in asked:
            self.assertRegex(line, r"/epochs/9/0/batches/\d+\.safetensors\?")
            self.assertIn("&kind=pair&any=3,8", line)

    def test_a_batch_of_another_view_is_told_by_its_words(self):
        """Though its samples are the same, and in the same order."""
        def behave(fake, path, n):
            return fake.real(path.replace("&none=9", "&none=8"))

        fake = self.enterContext(FakeServer(behave, server))
        view = twonmnist.Split(fake.url, "train", retries=0, call_patience_s=0).view(
            kind="single", any=3, none=9)
        with self.assertRaisesRegex(OSError, "none is 8 instead of 9"):
            next(iter(loader(view)))

    def test_in_stored_order_they_come_ascending(self):
        view = train.view(kind="pair")
        self.assertEqual(sum(indices(loader(view, shuffle=False)), []), view.indices.tolist())

    def test_ranks_share_a_view(self):
        view = train.view(**RULES[3])
        whole = batches_of(view.indices, 1, 0)
        for rank in range(2):
            share = indices(loader(view, seed=1, rank=rank, world=2, last="short"))
            self.assertEqual(share, [batch[rank::2] for batch in whole])

    def test_views_of_views_are_what_both_keep(self):
        for rules in itertools.permutations(RULES[:5], 2):
            wants = [set(view_rules.view(multihot, **rule)) for rule in rules]
            want = sorted(wants[0] & wants[1])
            with self.subTest(rules):
                if not want:
                    with self.assertRaisesRegex(ValueError, "leaves no sample"):
                        train.view(**rules[0]).view(**rules[1])
                    continue
                both = train.view(**rules[0]).view(**rules[1])
                np.testing.assert_array_equal(both.indices, want)
                self.assertIsNotNone(both.view_words if rules[0].get("kind") is None else "")
                self.assertEqual(indices(loader(both, seed=2)), batches_of(both.indices, 2, 0))

    def test_a_view_of_a_list_is_a_list(self):
        part = train.subset([9, 4, 7, 1, 2, 3])
        view = part.view(kind="single")
        self.assertEqual(view.indices.tolist(),
                         [i for i in (9, 4, 7, 1, 2, 3) if multihot[i].sum() == 1])
        self.assertIsNone(view.view_words)
        self.assertEqual(indices(loader(view, seed=2)), batches_of(view.indices, 2, 0))
        again = train.view(kind="single").subset([2, 0])
        self.assertIsNone(again.view_words)
        self.assertEqual(again.indices.tolist(), np.flatnonzero(multihot.sum(1) == 1)[[2, 0]].tolist())
        with self.assertRaisesRegex(ValueError, "all=1,2 leaves no sample of this part of train"):
            part.view(all=[1, 2])

    def test_words_that_differ_are_both_kept(self):
        view = train.view(any=3).view(any=8)
        self.assertIsNone(view.view_words)
        np.testing.assert_array_equal(view.indices, view_rules.view(multihot, all=[3, 8]))

    def test_a_state_goes_on_in_the_same_view_alone(self):
        view = train.view(kind="pair", any=[3, 8])
        whole = indices(loader(view, epoch=2))
        batches = loader(view, epoch=2)
        iterating = iter(batches)
        indices(itertools.islice(iterating, 2))
        state = batches.state_dict()
        other = loader(twonmnist.Split(server.url, "train").view(any=[8, 3], kind="pair"))
        other.load_state_dict(state)
        self.assertEqual(indices(other), whole[2:])
        for strange, words in (
                (train.view(kind="pair"), "the cursor is of view kind=pair&any=3,8 of train, the "
                                          "stream of view kind=pair of train"),
                (train, "the cursor is of view kind=pair&any=3,8 of train, the stream of no view")):
            with self.assertRaisesRegex(ValueError, re.escape(words)):
                loader(strange).load_state_dict(state)
        with self.assertRaises(OSError):
            loader(twonmnist.Split(server.url, "test").view(any=[3, 8], kind="pair")) \
                .load_state_dict(state)

    def test_a_state_of_the_same_samples_as_a_list_goes_on(self):
        view = train.view(kind="pair")
        batches = loader(train.subset(view.indices), epoch=1)
        indices(itertools.islice(iter(batches), 1))
        other = loader(view)
        other.load_state_dict(batches.state_dict())
        self.assertEqual(indices(other), batches_of(view.indices, 0, 1)[1:])

    def test_a_view_can_be_pickled(self):
        view = pickle.loads(pickle.dumps(train.view(kind="pair")))
        self.assertEqual(view.view_words, "kind=pair")
        self.assertEqual(indices(loader(view, seed=4)), batches_of(view.indices, 4, 0))

    def test_a_forked_process_opens_it_anew(self):
        view = train.view(kind="pair")
        want = batches_of(view.indices, 4, 0)
        self.assertEqual(indices(loader(view, seed=4)), want)
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=lambda: theirs.send(indices(loader(view, seed=4))))
        process.start()
        self.assertEqual(ours.recv() if ours.poll(60) else None, want)
        process.join()

    def test_a_closed_view_asks_for_nothing_more(self):
        with twonmnist.Split(server.url, "train").view(kind="pair") as view:
            indices(loader(view))
        with self.assertRaisesRegex(ValueError, "train was closed"):
            iter(loader(view))

    def test_recordings_have_views(self):
        nmnist = twonmnist.NMNIST(server.url).view(any=[4], per_class=3)
        self.assertEqual(nmnist.targets, [4, 4, 4])
        self.assertEqual(nmnist[1][1], 4)

    def test_what_is_no_view_is_refused_by_name(self):
        for words, error, rule in (
                ("kind 'both'; it has to be one of single, pair", ValueError, {"kind": "both"}),
                ("any -1; it has to be 0 to 255", ValueError, {"any": [3, -1]}),
                ("none without any label", ValueError, {"none": []}),
                ("all 2.5; it has to be a whole number", TypeError, {"all": 2.5}),
                ("all names label 10; there are 0 to 9", ValueError, {"all": [3, 10]}),
                ("per_class 0; it has to be 1", ValueError, {"per_class": 0}),
                ("give part 'rest' or 'held'", ValueError, {"folds": 10}),
                ("folds 1; it has to be 2", ValueError, {"folds": 1, "part": "held"}),
                ("all=1,2,3 leaves no sample", ValueError, {"all": [1, 2, 3]}),
        ):
            with self.subTest(rule), self.assertRaisesRegex(error, words):
                train.view(**rule)

    @needs_torch
    def test_workers_of_a_dataloader_share_the_epoch_of_a_view(self):
        view = train.view(kind="pair")
        want = batches_of(view.indices, 6, 0)
        batches = data.DataLoader(loader(view, seed=6, tensors=True), batch_size=None,
                                  num_workers=2)
        self.assertEqual(sorted(indices(batches)), sorted(want))

    @needs_torch
    def test_a_dataloader_takes_a_view_sample_by_sample(self):
        view = train.view(kind="pair")
        batches = data.DataLoader(view, batch_size=5, collate_fn=lambda rows: rows)
        labels = [label for rows in batches for _, label in rows]
        np.testing.assert_array_equal(labels, view.targets)


class Folds(unittest.TestCase):
    def test_folds_are_disjoint_and_together_everything(self):
        folds = train.folds(7, seed=3)
        self.assertEqual(len(folds), 7)
        held_ones = []
        for fold, (rest, held) in enumerate(folds):
            rule = {"folds": 7, "fold": fold, "fold_seed": 3}
            for part, view in (("rest", rest), ("held", held)):
                np.testing.assert_array_equal(view.indices,
                                              view_rules.view(multihot, part=part, **rule))
            held_ones += held.indices.tolist()
        self.assertEqual(sorted(held_ones), list(range(len(train))))

    def test_a_fold_is_the_part_that_split_takes(self):
        rest, held = train.folds(10)[2]
        for part, view in (("rest", rest), ("held", held)):
            same = twonmnist.Split(server.url, "train", part=part, folds=10, fold=2)
            np.testing.assert_array_equal(view.indices, same.indices)
            self.assertEqual(view.view_words, same.view_words)
        last = train.folds(10)[-1][1]
        np.testing.assert_array_equal(last.indices, train.folds(10)[9][1].indices)
        self.assertEqual([len(held) for _, held in train.folds(10)[:2]],
                         [len(train.folds(10)[i][1]) for i in range(2)])

    def test_folds_of_a_view_do_not_move(self):
        rest, held = train.view(kind="pair").folds(4, seed=1)[3]
        whole = view_rules.view(multihot, folds=4, fold=3, part="held", fold_seed=1)
        self.assertEqual(held.indices.tolist(), [i for i in whole if multihot[i].sum() == 2])
        self.assertEqual(len(rest) + len(held), int((multihot.sum(1) == 2).sum()))
        self.assertEqual(held.view_words, "kind=pair&folds=4&fold=3&part=held&fold_seed=1")
        self.assertEqual(indices(loader(held)), batches_of(held.indices, 0, 0))

    def test_what_are_no_folds_is_refused(self):
        for n_folds, seed, words in ((1, 0, "folds 1; it has to be 2 to 1000"),
                                     (10, -1, "seed -1; it has to be 0")):
            with self.assertRaisesRegex(ValueError, words):
                train.folds(n_folds, seed)
        with self.assertRaises(IndexError):
            train.folds(10)[10]
        with self.assertRaisesRegex(TypeError, "fold 'a'"):
            train.folds(10)["a"]


if __name__ == "__main__":
    unittest.main()
