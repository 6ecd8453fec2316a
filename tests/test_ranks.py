# SPDX-License-Identifier: Apache-2.0
"""The Python binding: shares of ranks, and what a loader refuses rather than train on wrong data."""
import contextlib
import itertools
import os
import subprocess
import sys
import unittest
import unittest.mock
import warnings

import numpy as np

import daemon
import twonmnist

try:
    import torch
    from torch.utils.data import DataLoader
except ImportError:
    torch = None

SIZE = 12  # of which 1 to 4 ranks have equal shares


def setUpModule():
    global server, train, index_of
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    train = twonmnist.Split(server.url, "train")
    # What tells the samples apart: their first events and their number.
    packed, _ = next(iter(twonmnist.loader(train, len(train), form="packed", tensors=False)))
    order = np.random.RandomState([0, 0]).permutation(len(train))
    index_of = {key: int(index) for key, index in zip(keys(packed), order)}
    assert len(index_of) == len(train)


def keys(packed):
    events, offsets = np.asarray(packed.events), np.asarray(packed.offsets)
    return [events[a:b].tobytes() for a, b in zip(offsets, offsets[1:])]


def indices(batches):
    """The samples of each batch, by index."""
    return [[index_of[key] for key in keys(packed)] for packed, _ in batches]


def loader(dataset=None, size=SIZE, **more):
    return twonmnist.loader(dataset or train, size, **{"form": "packed", "seed": 5, "epoch": 2,
                                                       "tensors": torch is not None, **more})


def pairs(**more):
    return twonmnist.Pairs(server.url, "nmnist-train", seed=3, **more)


class Shares(unittest.TestCase):
    def expected(self, last, rank, world):
        """What the documents promise, by NumPy alone."""
        order = np.random.RandomState([5, 2]).permutation(len(train))
        rest = len(order) % SIZE
        if last == "drop":
            order = order[:len(order) - rest]
        elif last == "pad" and rest:
            order = np.append(order, order[:SIZE - rest])
        return [list(order[k:k + SIZE][rank::world]) for k in range(0, len(order), SIZE)]

    def shares(self, world, last, n_workers):
        for rank in range(world):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                share = loader(last=last, rank=rank, world=world)
            batches = share.dataloader(num_workers=n_workers) if n_workers else share
            self.assertEqual(len(batches), len(self.expected(last, rank, world)))
            yield indices(batches), self.expected(last, rank, world)

    def test_every_sample_comes_as_promised(self):
        n_workers = (0, 1, 2) if torch else (0,)
        for world, last, n in itertools.product((1, 2, 3, 4), ("short", "drop", "pad"), n_workers):
            with self.subTest(world=world, last=last, workers=n):
                for share, expected in self.shares(world, last, n):
                    self.assertEqual(share, expected)

    def test_several_ranks_leave_out_what_fills_no_batch(self):
        self.assertEqual((loader().last, loader(rank=0, world=2).last), ("short", "drop"))

    def test_a_batch_for_more_ranks_than_samples_is_refused(self):
        for dataset in (train, pairs()):
            with self.assertRaisesRegex(ValueError, "batch_size 4 for 8 ranks"):
                twonmnist.loader(dataset, 4, rank=5, world=8)

    def test_unequal_shares_are_refused_or_said_once(self):
        for last in (None, "drop", "pad"):
            with self.assertRaisesRegex(ValueError, "10 for 4 ranks: .*; 8 or 12 is the same"):
                loader(size=10, rank=0, world=4, last=last)
        with self.assertRaisesRegex(ValueError, "10 for 4 ranks"):
            twonmnist.loader(pairs(), 10, rank=0, world=4)
        with self.assertWarnsRegex(UserWarning, "10 for 4 ranks: .*; 8 or 12 is the same") as seen:
            loader(size=10, rank=0, world=4, last="short")
        self.assertEqual((len(seen.warnings), seen.filename), (1, __file__))

    def test_an_epoch_of_no_batch_is_refused(self):
        with self.assertRaisesRegex(ValueError, f"of {len(train)} samples: .* no batch is left"):
            loader(size=2 * len(train), rank=0, world=2)

    def test_pairs_have_ranks_of_their_own(self):
        own = loader(pairs(rank=1, world=4), seed=None, epoch=0)
        self.assertEqual((own.rank, own.world), (1, 4))
        whole, _ = next(iter(loader(pairs(), seed=None, epoch=0)))
        share, _ = next(iter(own))
        self.assertEqual(keys(share), keys(whole)[1::4])
        with self.assertRaisesRegex(ValueError, "rank 0 of world 2; the Pairs are rank 1 of 4"):
            twonmnist.loader(pairs(rank=1, world=4), SIZE, rank=0, world=2)
        self.assertEqual(twonmnist.loader(pairs(), SIZE, rank=1, world=2).rank, 1)


class Launchers(unittest.TestCase):
    def test_rank_and_world_of_the_launcher_are_taken(self):
        with unittest.mock.patch.dict(os.environ, RANK="1", WORLD_SIZE="2"):
            for made in (loader(), pairs()):
                self.assertEqual((made.rank, made.world), (1, 2))
            self.assertEqual(loader(rank=0, world=1).world, 1)
        for wrong in ({"WORLD_SIZE": "2"}, {"RANK": "x", "WORLD_SIZE": "2"},
                      {"RANK": "2", "WORLD_SIZE": "2"}):
            with unittest.mock.patch.dict(os.environ, wrong), \
                    self.assertRaisesRegex(ValueError, "[Rr](ANK|ank).*2"):
                loader()

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_what_was_made_before_the_group_is_refused(self):
        code = ("import torch.distributed as d, twonmnist\n"
                f"l = twonmnist.loader(twonmnist.Split({server.url!r}), 8, form='packed')\n"
                f"p = twonmnist.Pairs({server.url!r})\n"
                "from unittest import mock\n"
                "with mock.patch.object(d, 'is_initialized', lambda: True), \\\n"
                "        mock.patch.object(d, 'get_rank', lambda: 1), \\\n"
                "        mock.patch.object(d, 'get_world_size', lambda: 2):\n"
                "    for use in (lambda: iter(l), lambda: iter(p), l.dataloader):\n"
                "        try:\n"
                "            use()\n"
                "        except RuntimeError as error:\n"
                "            print(error)\n")
        shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                               text=True).stdout
        self.assertEqual(shown.count("rank 0 of 1, before init_process_group() made this process "
                                     "rank 1 of 2"), 3, shown)


class Refusals(unittest.TestCase):
    def test_a_transform_of_samples_is_refused(self):
        for name in ("transform", "target_transform", "transforms"):
            split = twonmnist.Split(server.url, "train", **{name: len})
            with self.subTest(name), self.assertRaisesRegex(ValueError, f"{name}.*batch_transform"):
                loader(split)

    def test_a_transform_of_batches_is_applied(self):
        plain = [labels.sum() for _, labels in loader()]
        changed = list(loader(batch_transform=lambda inputs, labels: labels.sum() + 1))
        self.assertEqual(changed, [number + 1 for number in plain])

    def test_options_without_a_meaning_are_refused(self):
        for words, options in (
                ("form 'packed' has no axes, bins", {"form": "packed", "axes": "CHWT", "bins": 3}),
                ("form 'events' has no dtype", {"form": "events", "dtype": "uint8"}),
                ("steps_per_epoch is of Pairs", {"steps_per_epoch": 3})):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                twonmnist.loader(train, SIZE, **options)
        for words, options in (("pairs have no last batch", {"last": "drop"}),
                               ("epochs with steps_per_epoch", {"epoch": 2}),
                               ("seed of their own", {"seed": 2})):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                twonmnist.loader(pairs(), SIZE, **options)
        with self.assertRaises(TypeError):
            loader().set_epoch(2.5)

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_batches_of_batches_are_refused(self):
        for n_workers in (0, 1):
            with self.assertRaisesRegex(ValueError, "batch_size=None"):
                next(iter(DataLoader(loader(), num_workers=n_workers)))

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_frameworks_find_what_they_look_for(self):
        own, prepared = loader(), loader().dataloader()
        own.sampler.set_epoch(3)       # Lightning, of a loader
        prepared.sampler.set_epoch(3)  # and of a DataLoader
        self.assertEqual(indices(prepared), indices(loader(epoch=3)))
        self.assertEqual(indices(own), indices(loader(epoch=3)))
        self.assertTrue(prepared._is_accelerate_prepared)  # prepare() returns it as it is
        self.assertIsNone(loader(pairs(), seed=None, epoch=0).sampler)

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_accelerate_does_not_share_out_a_share(self):
        class Dispatcher(DataLoader):
            __module__ = "accelerate.data_loader"

            def __iter__(self):
                return super().__iter__()

        for dataset in (loader(rank=0, world=2), pairs(rank=0, world=2)):
            with self.assertRaisesRegex(ValueError, "share of one rank of 2, and Accelerate"):
                next(iter(Dispatcher(dataset, batch_size=None)))
        self.assertIsNotNone(next(iter(Dispatcher(loader(), batch_size=None))))


class Collating(unittest.TestCase):
    def collated(self, **values):
        events = np.zeros(2, [(name, np.float64) for name in "xytp"])
        for name, value in values.items():
            events[name][1] = value
        return twonmnist.collate([(events, np.eye(10)[3])])

    def test_values_that_would_wrap_are_refused(self):
        for name, value in (("x", -1), ("x", 34), ("y", 300), ("x", 33.7), ("y", np.nan), ("p", 2),
                            ("p", -1), ("t", -5), ("t", 0.5)):
            with self.subTest(name=name, value=value), \
                    self.assertRaisesRegex(ValueError, f"{name} = {value}"):
                self.collated(**{name: value})
        with self.assertRaises(OverflowError):
            self.collated(t=2**31)
        batch, _ = self.collated(x=33, y=33, t=2**31 - 1, p=1)
        self.assertEqual([int(batch.x[1]), int(batch.y[1]), int(batch.t[1]), int(batch.p[1])],
                         [33, 33, 2**31 - 1, 1])

    def test_labels_are_float_or_as_asked(self):
        sample = np.zeros(0, train.dtype), 7
        for dtype in (np.float32, np.int64):
            _, labels = twonmnist.collate([sample], dtype=dtype)
            self.assertEqual(np.asarray(labels).dtype, dtype)
        self.assertEqual(np.asarray(self.collated()[1]).dtype, np.float32)


class Options(unittest.TestCase):
    def test_an_option_that_is_none_is_left_out(self):
        self.assertEqual(twonmnist.Split(server.url, token=None, ca_file=None)._options, {})
        self.assertGreater(len(twonmnist.splits(server.url, token=None)), 0)

    def test_what_is_closed_stays_closed(self):
        for made in (twonmnist.Split(server.url), pairs()):
            with contextlib.closing(made) as same:
                sample = same[0]
            with self.assertRaisesRegex(ValueError, "was closed"):
                made[0]
            self.assertGreater(len(sample[0]), 0)
        with twonmnist.Split(server.url) as split, loader(split) as batches:
            iterating = iter(batches)
            kept, _ = next(iterating)
        self.assertEqual(len(keys(kept)), SIZE)
        for use in (lambda: next(iterating), lambda: iter(batches)):
            with self.assertRaisesRegex(ValueError, "was closed"):
                use()


if __name__ == "__main__":
    unittest.main()
