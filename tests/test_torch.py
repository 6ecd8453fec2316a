# SPDX-License-Identifier: Apache-2.0
"""The Python binding under PyTorch: DataLoader's worker processes, ranks, tensors."""
import itertools
import unittest
import unittest.mock

import numpy as np

import daemon
import twonmnist

try:
    import torch
    from torch.utils.data import DataLoader
except ImportError:
    raise unittest.SkipTest("PyTorch is not installed") from None

SIZE = 16


def setUpModule():
    global server, train
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    train = twonmnist.Split(server.url, "train")


def loader(**more):
    return twonmnist.loader(train, SIZE, **{"form": "packed", "seed": 5, "epoch": 2, **more})


def copies(batches):
    return [(inputs.events.clone(), labels.clone()) for inputs, labels in batches]


class Workers(unittest.TestCase):
    def assert_same(self, batches, expected):
        self.assertEqual(len(batches), len(expected))
        for (events, labels), (other, other_labels) in zip(batches, expected):
            self.assertTrue(torch.equal(events, other))
            self.assertTrue(torch.equal(labels, other_labels))

    def test_workers_give_the_same_batches_in_the_same_order(self):
        expected = copies(loader())
        for n_workers, how in itertools.product((1, 2, 3), ("fork", "spawn")):
            with self.subTest(n_workers=n_workers, how=how):
                batches = DataLoader(loader(), batch_size=None, num_workers=n_workers,
                                     multiprocessing_context=how)
                self.assertEqual(len(batches), len(expected))
                self.assert_same(copies(batches), expected)

    def test_ranks_with_workers_cover_every_sample_once(self):
        for world in (2, 4):
            n_samples = 0
            for rank in range(world):
                share = {"rank": rank, "world": world, "last": "short"}
                batches = DataLoader(loader(**share), batch_size=None, num_workers=2)
                expected = copies(loader(**share))
                self.assert_same(copies(batches), expected)
                n_samples += sum(len(labels) for _, labels in expected)
            self.assertEqual(n_samples, len(train))

    def test_the_main_process_can_say_where_workers_are(self):
        expected = copies(loader())
        first = loader()
        batches = iter(DataLoader(first, batch_size=None, num_workers=2))
        copies(itertools.islice(batches, 5))
        state = first.state_dict(batches=5)
        del batches
        second = loader()
        second.load_state_dict(state)
        resumed = DataLoader(second, batch_size=None, num_workers=3)
        self.assert_same(copies(resumed), expected[5:])

    def test_a_workers_own_state_goes_on_in_the_worker(self):
        # As a stateful DataLoader does it: each worker's copy of the dataset says where it is.
        expected = copies(loader())
        states = []
        for worker in range(2):
            copy = loader()
            info = unittest.mock.Mock(id=worker, num_workers=2, seed=7 + worker)
            with unittest.mock.patch("twonmnist.workers.get_worker_info", return_value=info):
                mine = copies(itertools.islice(copy, 3))
                self.assert_same(mine, expected[worker::2][:3])
                states.append(copy.state_dict())
                other = loader()
                other.load_state_dict(states[-1])
                self.assert_same(copies(other), expected[worker::2][3:])

    def test_persistent_workers_see_the_epoch(self):
        dataset = loader()
        batches = DataLoader(dataset, batch_size=None, num_workers=2, persistent_workers=True)
        self.assert_same(copies(batches), copies(loader()))
        dataset.set_epoch(3)
        self.assert_same(copies(batches), copies(loader(epoch=3)))

    def test_a_split_is_an_ordinary_dataset(self):
        for how in ("fork", "spawn"):
            batches = DataLoader(train, batch_size=8, num_workers=2, multiprocessing_context=how,
                                 collate_fn=twonmnist.collate)
            labels = torch.cat([labels for _, labels in batches])
            np.testing.assert_array_equal(labels.numpy(), train.targets)

    def test_workers_share_the_fresh_pairs(self):
        pairs = twonmnist.Pairs(server.url, "nmnist-train", seed=3)
        batches = DataLoader(pairs, batch_size=8, num_workers=2, collate_fn=twonmnist.collate)
        for worker, (events, labels) in enumerate(itertools.islice(batches, 2)):
            self.assertEqual(labels.sum(), 16)
            expected = np.concatenate([pairs[i][0]["t"] for i in range(worker, 16, 2)])
            np.testing.assert_array_equal(events.t.numpy(), expected)


class Tensors(unittest.TestCase):
    def test_batches_are_tensors_that_can_be_trained_on(self):
        frames, labels = next(iter(twonmnist.loader(train, 4, bins=20, timestep=15000)))
        self.assertEqual((tuple(frames.shape), frames.dtype), ((20, 4, 2, 34, 34), torch.float32))
        self.assertEqual((tuple(labels.shape), labels.dtype), ((4, 10), torch.float32))
        weight = torch.zeros(10, 2 * 34 * 34, requires_grad=True)
        logits = torch.nn.functional.linear(frames.mean(0).flatten(1), weight)
        torch.nn.functional.binary_cross_entropy_with_logits(logits, labels).backward()
        self.assertGreater(float(weight.grad.abs().sum()), 0)

    def test_events_are_columns_with_offsets(self):
        events, labels = next(iter(twonmnist.loader(train, 4, form="events")))
        self.assertEqual([column.dtype for column in events],
                         [torch.int32, torch.uint8, torch.uint8, torch.uint8, torch.int64])
        self.assertEqual(int(events.offsets[-1]), len(events.t))
        self.assertEqual(len(events.offsets), len(labels) + 1)


if __name__ == "__main__":
    unittest.main()
