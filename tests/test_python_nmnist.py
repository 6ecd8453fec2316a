# SPDX-License-Identifier: Apache-2.0
"""The Python binding: N-MNIST as tonic.datasets.NMNIST gives it, and labels as losses want them."""
import csv
import gzip
import hashlib
import pickle
import unittest
import unittest.mock
import warnings
import zipfile

import numpy as np

import daemon
import oracle
import safetensors_reader
import twonmnist

try:
    import torch
    from torch.utils.data import DataLoader
except ImportError:
    torch = None

needs_torch = unittest.skipUnless(torch, "PyTorch is not installed")
FILTERS = {"first_saccade_only=True": {"first_saccade_only": True},
           "stabilize=True": {"stabilize": True}}


def setUpModule():
    global server, folder
    unittest.enterModuleContext(warnings.catch_warnings())
    warnings.filterwarnings("ignore", message="nmnist-.* is not N-MNIST's")
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))


def packed(events):
    return oracle.pack(events["t"], events["x"], events["y"], events["p"])


def frames(events):
    """float32 [20, 2, 34, 34], as a transform to frames of one length makes them."""
    made = np.zeros((20, 2, 34, 34), np.float32)
    at = np.minimum(events["t"] // 16_000, 19)
    np.add.at(made, (at, events["p"], events["y"], events["x"]), 1)
    return made


def frames_of_its_length(events):
    """float32 [T, 2, 34, 34], as Tonic's ToFrame(time_window=1000) makes them."""
    made = np.zeros((events["t"].max() // 1000 + 1, 2, 34, 34), np.float32)
    np.add.at(made, (events["t"] // 1000, events["p"], events["y"], events["x"]), 1)
    return made


def logits(inputs):
    """Of a model without any sense, [B, 10]."""
    weight = torch.zeros(10, 2 * 34 * 34, requires_grad=True)
    return torch.nn.functional.linear(inputs.mean(1).flatten(1), weight)


class AsTonic(unittest.TestCase):
    def test_samples_are_those_of_the_files_in_the_order_of_their_names(self):
        daemon.need_shared()
        for train, part in ((True, "Train"), (False, "Test")):
            dataset = twonmnist.NMNIST(server.url, train)
            with zipfile.ZipFile(daemon.SHARED / f"nmnist-small/{part}.zip") as archive:
                names = sorted(name for name in archive.namelist() if name.endswith(".bin"))
                files = [archive.read(name) for name in names]
            self.assertEqual(len(dataset), len(names))
            self.assertEqual(dataset.targets, [int(name.split("/")[1]) for name in names])
            for begin in range(0, len(names), 100):
                places = range(begin, min(begin + 100, len(names)))
                for i, (events, target) in zip(places, dataset.__getitems__(places)):
                    self.assertEqual(packed(events).tobytes(), files[i])
                    self.assertEqual(target, dataset.targets[i])

    def test_filters_give_what_tonic_gave(self):
        daemon.need_shared()
        with gzip.open(daemon.SHARED / "golden/representations.csv.gz", "rt") as file:
            rows = [row for row in csv.DictReader(file) if row["what"] == "nmnist"]
        self.assertEqual({row["parameters"] for row in rows}, set(FILTERS))
        for parameters, options in FILTERS.items():
            dataset = twonmnist.NMNIST(server.url, **options)
            mine = [row for row in rows if row["parameters"] == parameters]
            samples = dataset.__getitems__([int(row["position"]) for row in mine])
            for row, (events, _) in zip(mine, samples):
                self.assertEqual(f"{len(events)}x5", row["shape"])
                self.assertEqual(hashlib.sha256(packed(events)).hexdigest(), row["sha256"])

    def test_both_filters_are_one_after_the_other(self):
        for events, _ in twonmnist.NMNIST(server.url, True, True, True).__getitems__(range(20)):
            self.assertLess(events["t"].max(), 100_000)
            self.assertLess(max(events["x"].max(), events["y"].max()), 34)
            self.assertGreaterEqual(min(events["x"].min(), events["y"].min()), 0)

    def test_what_programs_ask_the_class_is_there(self):
        dataset = twonmnist.NMNIST(server.url, False)
        for asked in (twonmnist.NMNIST, dataset):
            self.assertEqual(asked.sensor_size, (34, 34, 2))
            self.assertEqual(asked.classes[3:5], ["3 - three", "4 - four"])
            self.assertEqual(asked.dtype, np.dtype([(name, int) for name in "xytp"]))
            self.assertEqual(asked.ordering, ("x", "y", "t", "p"))
        self.assertEqual((len(dataset.classes), dataset.train), (10, False))
        self.assertEqual(dataset.name, "nmnist-test")

    def test_targets_are_plain_whole_numbers(self):
        dataset = twonmnist.NMNIST(server.url, target_transform=type)
        self.assertIs(type(dataset.targets), list)
        self.assertIs(dataset.targets, dataset.targets)  # made once
        self.assertEqual({type(target) for target in dataset.targets}, {int})
        self.assertEqual(dataset[0][1], int)

    def test_arguments_stand_where_tonics_do(self):
        dataset = twonmnist.NMNIST(server.url, True, True, False, len, str,
                                   lambda events, target: (events, target + "!"))
        events, target = twonmnist.NMNIST(server.url)[5]
        self.assertEqual(dataset[5], (int((events["t"] < 1e5).sum()), f"{target}!"))

    def test_a_copy_is_the_same(self):
        dataset = twonmnist.NMNIST(server.url, stabilize=True)
        copy = pickle.loads(pickle.dumps(dataset))
        np.testing.assert_array_equal(copy[3][0], dataset[3][0])
        self.assertEqual(copy.targets, dataset.targets)

    def test_a_loader_has_its_batches(self):
        batch = next(iter(twonmnist.loader(twonmnist.NMNIST(server.url), 8, seed=1, tensors=False)))
        order = np.random.RandomState([1, 0]).permutation(len(twonmnist.NMNIST(server.url)))
        targets = np.array(twonmnist.NMNIST(server.url).targets)
        np.testing.assert_array_equal(batch[1], targets[order[:8]])

    def test_what_is_not_the_whole_of_it_is_said(self):
        n = len(twonmnist.Split(server.url, "nmnist-test"))
        with self.assertWarnsRegex(UserWarning, f"nmnist-test is not .*: {n} .* 10000") as seen:
            twonmnist.NMNIST(server.url, False)
        self.assertEqual(seen.filename, __file__)
        with warnings.catch_warnings(), \
                unittest.mock.patch("json.loads", return_value={"samples": 10_000,
                                                                "origin": "recorded"}):
            warnings.simplefilter("error")
            twonmnist.NMNIST(server.url, False)

    def test_another_sensor_is_refused(self):
        with unittest.mock.patch("twonmnist._library.geometry", return_value=(35, 35, 10)), \
                self.assertRaisesRegex(ValueError, "nmnist-train has .* 35 x 35 pixels"):
            twonmnist.NMNIST(server.url)


class Labels(unittest.TestCase):
    def setUp(self):
        self.source = twonmnist.Split(server.url, "nmnist-train")
        self.mixed = twonmnist.Split(server.url, "train")

    def loaded(self, dataset, **more):
        loader = twonmnist.loader(dataset, 16, form="packed", seed=3, tensors=False, **more)
        return np.concatenate([labels for _, labels in loader])

    def test_a_source_split_has_classes_and_others_a_place_for_each_digit(self):
        tensors, _ = safetensors_reader.read((folder / "nmnist-train.safetensors").read_bytes())
        classes = tensors["labels"].argmax(1)
        np.testing.assert_array_equal(self.source.targets, classes)
        self.assertEqual(self.source.targets.dtype, np.int64)
        self.assertEqual((self.source[7][1], type(self.source[7][1])), (classes[7], int))
        multihot = twonmnist.Split(server.url, "nmnist-train", labels="multihot")
        np.testing.assert_array_equal(multihot.targets, tensors["labels"])
        for split in (multihot, self.mixed):
            label = split[7][1]
            np.testing.assert_array_equal(label, split.targets[7])
            self.assertEqual((label.dtype, label.shape), (np.float32, (10,)))
            label += 1  # the caller's own

    def test_a_loader_has_those_of_its_dataset_or_as_asked(self):
        order = np.random.RandomState([3, 0]).permutation(len(self.source))
        classes = self.source.targets[order]
        one_hot = np.eye(10, dtype=np.float32)[classes]
        multihot = twonmnist.Split(server.url, "nmnist-train", labels="multihot")
        for loaded, expected in ((self.loaded(self.source), classes),
                                 (self.loaded(self.source, labels="multihot"), one_hot),
                                 (self.loaded(multihot), one_hot),
                                 (self.loaded(multihot, labels="index"), classes)):
            np.testing.assert_array_equal(loaded, expected)
            self.assertEqual(loaded.dtype, expected.dtype)
        self.assertEqual(self.loaded(self.mixed).dtype, np.float32)

    def test_what_has_no_class_is_refused_by_name(self):
        pairs = twonmnist.Pairs(server.url, "nmnist-train")
        for wrong, words in (
                (lambda: twonmnist.Split(server.url, "test", labels="index"), "'index'.* of test "),
                (lambda: twonmnist.loader(self.mixed, labels="index"), "'index'; samples of train"),
                (lambda: twonmnist.loader(pairs, labels="index"), "'index'; .* fresh pairs of nm"),
                (lambda: twonmnist.Split(server.url, labels="one"), "'one'; .* index, multihot"),
                (lambda: twonmnist.loader(self.source, labels=7), "labels 7; it has to be")):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                wrong()
        self.assertEqual(pairs[3][1].dtype, np.float32)

    @needs_torch
    def test_tensors_go_into_the_losses(self):
        inputs, labels = next(iter(twonmnist.loader(self.source, 8, axes="BTCHW", bins=20)))
        self.assertEqual(labels.dtype, torch.int64)
        torch.nn.CrossEntropyLoss()(logits(inputs), labels).backward()
        for dataset in (self.mixed, twonmnist.Pairs(server.url, "nmnist-train")):
            inputs, labels = next(iter(twonmnist.loader(dataset, 8, axes="BTCHW", bins=20)))
            torch.nn.BCEWithLogitsLoss()(logits(inputs), labels).backward()

    @needs_torch
    def test_pytorchs_own_batches_go_into_the_losses(self):
        for dataset, loss in (
                (twonmnist.NMNIST(server.url, transform=frames), torch.nn.CrossEntropyLoss()),
                (twonmnist.Split(server.url, "nmnist-test", transform=frames),
                 torch.nn.CrossEntropyLoss()),
                (twonmnist.Split(server.url, "train", transform=frames),
                 torch.nn.BCEWithLogitsLoss()),
                (twonmnist.Pairs(server.url, transform=frames), torch.nn.BCEWithLogitsLoss())):
            inputs, labels = next(iter(DataLoader(dataset, batch_size=8)))
            self.assertEqual(tuple(inputs.shape), (8, 20, 2, 34, 34))
            loss(logits(inputs), labels).backward()

    @needs_torch
    def test_collated_batches_go_into_the_losses(self):
        for dataset, loss in ((self.source, torch.nn.CrossEntropyLoss()),
                              (self.mixed, torch.nn.BCEWithLogitsLoss())):
            batches = DataLoader(dataset, batch_size=8, collate_fn=twonmnist.collate)
            _, labels = next(iter(batches))
            loss(torch.zeros(8, 10), labels)


class Padding(unittest.TestCase):
    def test_frames_are_filled_up_to_the_longest(self):
        samples = [(np.full((n, 2, 3), n, np.int16), n) for n in (2, 4, 1)]
        for batch_first in (True, False):
            batch, labels = map(np.asarray, twonmnist.pad(samples, batch_first))
            batch = batch if batch_first else batch.swapaxes(0, 1)
            self.assertEqual((batch.dtype, batch.shape), (np.float32, (3, 4, 2, 3)))
            for padded, (one, n) in zip(batch, samples):
                np.testing.assert_array_equal(padded[:n], one)
                self.assertFalse(padded[n:].any())
            self.assertEqual((labels.dtype, list(labels)), (np.int64, [2, 4, 1]))

    @needs_torch
    def test_batches_of_every_length_go_into_the_losses(self):
        for name, loss in (("nmnist-train", torch.nn.CrossEntropyLoss()),
                           ("train", torch.nn.BCEWithLogitsLoss())):
            dataset = twonmnist.Split(server.url, name, transform=frames_of_its_length)
            inputs, labels = next(iter(DataLoader(dataset, batch_size=4, collate_fn=twonmnist.pad)))
            self.assertEqual(len(inputs[0]), max(len(dataset[i][0]) for i in range(4)))
            loss(logits(inputs), labels).backward()

    @needs_torch
    def test_sparse_frames_become_dense(self):
        samples = [(torch.eye(n, 3).to_sparse(), np.eye(10)[n]) for n in (1, 3)]
        batch, labels = twonmnist.pad(samples)
        np.testing.assert_array_equal(batch[1].numpy(), np.eye(3))
        self.assertEqual((tuple(labels.shape), labels.dtype), ((2, 10), torch.float32))

    @needs_torch
    def test_targets_are_those_that_tonics_pad_tensors_takes(self):
        dataset = twonmnist.NMNIST(server.url)
        targets = [torch.tensor(dataset[i][1]) for i in (0, 50, 100)]
        self.assertEqual(torch.tensor(targets).tolist(), [dataset.targets[i] for i in (0, 50, 100)])


if __name__ == "__main__":
    unittest.main()
