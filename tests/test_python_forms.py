# SPDX-License-Identifier: Apache-2.0
"""The Python binding: frames by rules, of single samples and in batches, whichever way they were
sent, against what Tonic and SpikingJelly made; and servers' filters."""
import csv
import gzip
import hashlib
import os
import pathlib
import pickle
import re
import unittest
import unittest.mock
import warnings

import numpy as np

import daemon
import form_rules
import twonmnist
from test_representations import recordings, words_of
from twonmnist import _library, frames

try:
    import torch
except ImportError:
    torch = None

needs_torch = unittest.skipUnless(torch, "PyTorch is not installed")
ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
SIZE = 16

RULES = [
    frames.lava(),
    frames.lava(500, 40, "floor", "sum", t0=3000),
    frames.tonic(time_window=10_000),
    frames.tonic(time_window=10_000, overlap=5_000, include_incomplete=True, denoise=5_000),
    frames.tonic(time_window=5_000, start_time=0, end_time=300_000),
    frames.tonic(n_time_bins=16, overlap=0.25, stabilize=True),
    frames.tonic(event_count=300, include_incomplete=True, polarity="merge"),
    frames.tonic(event_count=300, overlap=100),
    frames.tonic(n_event_bins=10),
    frames.spikingjelly("number", 10),
    frames.spikingjelly("time", 10),
    frames.spikingjelly(duration=20_000),
]


def setUpModule():
    global server, train, test
    unittest.enterModuleContext(warnings.catch_warnings())
    warnings.filterwarnings("ignore", message="nmnist-.* is not N-MNIST's")
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    train, test = (twonmnist.Split(server.url, name) for name in ("train", "test"))


def arrays(made):
    return [np.array(part) for part in (made if isinstance(made, tuple) else (made,))]


def load(dataset, rule, **more):
    if "form" not in more and not (rule and rule.is_voxel):
        more = {"dtype": "uint8", **more}
    more = {"batch_size": SIZE, "seed": 3, "tensors": False, **more}
    return [(*arrays(inputs), np.array(labels))
            for inputs, labels in twonmnist.loader(dataset, frames=rule, **more)]


def sent(wire, name="test", **more):
    """The split, whose frames are sent so."""
    return twonmnist.Split(server.url, name, wire=wire, **more)


class Same(unittest.TestCase):
    def assert_same(self, batches, expected):
        self.assertEqual(len(batches), len(expected))
        for batch, other in zip(batches, expected):
            self.assertEqual([part.dtype for part in batch], [part.dtype for part in other])
            for one, two in zip(batch, other):
                np.testing.assert_array_equal(one, two)


class Rules(unittest.TestCase):
    MADE = {
        ("tonic", "frames"): lambda events, words: frames.tonic(**words)(events),
        ("spikingjelly", "frames"): lambda events, words: frames.spikingjelly(**words)(events),
        ("tonic", "voxel_grid"): lambda events, words: frames.voxel(**words)(events),
    }

    def test_every_golden_row_is_what_the_library_made(self):
        daemon.need_shared()
        with gzip.open(daemon.SHARED / "golden/representations.csv.gz", "rt") as file:
            rows = [row for row in csv.DictReader(file)
                    if (row["library"], row["what"]) in self.MADE]
        self.assertGreater(len(rows), 1000)
        events, wrong = recordings(), []
        for row in rows:
            made = self.MADE[row["library"], row["what"]](events[int(row["position"])],
                                                          words_of(row["parameters"]))
            if (made.dtype.str, "x".join(map(str, made.shape)),
                    hashlib.sha256(made.tobytes()).hexdigest()) != (
                        row["dtype"], row["shape"], row["sha256"]):
                wrong.append(row)
        self.assertEqual(wrong, [])

    def test_filters_are_those_of_the_libraries(self):
        daemon.need_shared()
        for events in recordings()[:10]:
            for filters, other in (({"denoise": 10_000}, {"denoise_us": 10_000}),
                                   ({"stabilize": True}, {"stabilized": True}),
                                   ({"t0": 20_000, "t1": 200_001}, {"t0": 20_000, "t1": 200_001}),
                                   ({"polarity": "merge"}, {"merged": True})):
                made = frames.lava(1000, 320, overlap="sum", **filters)(events)
                kept = form_rules.filtered(events, **other)
                expected = frames.lava(1000, 320, overlap="sum")(kept)
                n_channels = 1 if "polarity" in filters else 2
                np.testing.assert_array_equal(made, expected[:, :n_channels])

    def test_words_of_python_are_those_of_the_library(self):
        table = set(re.findall(r'\[RULE_\w+\] *= *\{"(\w+)"',
                               (ROOT / "client/rule.c").read_text(encoding="utf-8")))
        self.assertEqual(len(table), 16)
        said = {name for rule in [*RULES, frames.voxel(3)] for name, _ in rule._params}
        filters = {"stabilize", "t0", "t1", "denoise", "polarity"}
        self.assertEqual(said | filters, table)
        for name in filters:
            self.assertTrue(frames.filters_of({name: {"stabilize": True, "polarity": "merge"}.get(
                name, 7)}))

    def test_a_rule_is_a_constant_that_says_how_it_was_made(self):
        rule = frames.tonic(time_window=10_000, overlap=5_000, denoise=5_000)
        self.assertEqual(repr(rule),
                         "frames.tonic(time_window=10000, overlap=5000, denoise=5000)")
        self.assertEqual(eval(repr(rule)), rule)
        self.assertEqual(rule.query, "denoise=5000&slice=window&timestep=10000&stride=5000"
                                     "&incomplete=no")
        self.assertEqual(len({rule, pickle.loads(pickle.dumps(rule)), frames.lava()}), 2)
        with self.assertRaisesRegex(AttributeError, "constant"):
            rule.query = ""
        self.assertEqual(frames.lava(), frames.lava(1000, 300, "round", "or", stabilize=False))

    def test_what_no_rule_can_be_is_refused_where_it_is_made(self):
        for wrong, error, words in (
                (lambda: frames.tonic(), ValueError, "none given; one of time_window"),
                (lambda: frames.tonic(time_window=1, event_count=1), ValueError, "time_window, ev"),
                (lambda: frames.tonic(time_window=10, overlap=10), ValueError, "overlap 10"),
                (lambda: frames.tonic(n_event_bins=5, overlap=1), ValueError, "overlap does not"),
                (lambda: frames.tonic(n_time_bins=5, overlap=1), ValueError, "bin_overlap"),
                (lambda: frames.tonic(time_window=5, start_time=3), ValueError, "start and end"),
                (lambda: frames.tonic(event_count=5, end_time=3), ValueError, "end_time does not"),
                (lambda: frames.tonic(time_window=1.5), TypeError, "time_window 1.5"),
                (lambda: frames.tonic(time_window=5, denoize=3), ValueError, "denoize"),
                (lambda: frames.spikingjelly("number"), ValueError, "none given"),
                (lambda: frames.spikingjelly("events", 5), ValueError, "split_by 'events'"),
                (lambda: frames.lava(bins=4097), ValueError, "bins 4097"),
                (lambda: frames.lava(t0=9, t1=9), ValueError, "t0 is 9 and t1 9"),
                (lambda: frames.voxel(0), ValueError, "n_time_bins 0"),
                (lambda: twonmnist.loader(train, 4, frames="tonic"), TypeError, "frames 'tonic'"),
                (lambda: twonmnist.loader(train, 4, frames=RULES[0], bins=3), ValueError,
                 "bins and frames="),
                (lambda: twonmnist.loader(train, 4, frames=RULES[0], form="packed"), ValueError,
                 "has no frames"),
                (lambda: twonmnist.loader(train, 4, form="sparse", dtype="uint8"), ValueError,
                 "has no dtype"),
                (lambda: twonmnist.loader(train, 4, frames=frames.voxel(5), dtype="uint8"),
                 ValueError, "dtype 'uint8'"),
                (lambda: twonmnist.Split(server.url, filters={"bins": 5}), ValueError, "bins"),
        ):
            with self.subTest(words), self.assertRaisesRegex(error, words):
                wrong()

    def test_events_that_cannot_be_are_named(self):
        events = train[0][0]
        for name, value in (("x", 34), ("y", -1), ("t", 2**23), ("p", 2)):
            wrong = events.copy()
            wrong[name][0] = value
            with self.assertRaisesRegex(ValueError, f"{name} = {value}; it has to be"):
                frames.lava()(wrong)
        with self.assertRaisesRegex(ValueError, "sample 0: it has no events"):
            frames.tonic(time_window=1000)(events[:0])


class Batches(Same):
    def test_places_make_the_same_batches_as_events(self):
        events, places = sent("events"), sent("sparse")
        for rule in RULES:
            with self.subTest(rule):
                self.assert_same(load(places, rule), load(events, rule))

    def test_batches_are_what_rules_make_of_samples(self):
        order = np.random.RandomState([3, 0]).permutation(len(test))
        for rule in (*RULES, frames.voxel(7)):
            with self.subTest(rule):
                dtype = "float64" if rule.is_voxel else "uint16"
                batch = load(test, rule, axes="BTCHW", dtype=dtype)[1]
                for i, frame in zip(order[SIZE:2 * SIZE], batch[0]):
                    own = rule(test[int(i)][0])
                    np.testing.assert_array_equal(frame[:len(own)], own)
                    self.assertFalse(frame[len(own):].any())
                if len(batch) == 3:  # frames, n_frames, labels
                    self.assertEqual(list(batch[1]), [len(rule(test[int(i)][0]))
                                                      for i in order[SIZE:2 * SIZE]])

    def test_all_types_and_axes_hold_the_same(self):
        axes = {"BTCHW": (0, 1, 2, 3, 4), "TBCHW": (1, 0, 2, 3, 4), "CHWT": (0, 4, 1, 2, 3)}
        for wire in ("sparse", "events"):
            split = sent(wire)
            for rule in RULES[1::3]:
                expected = load(split, rule, axes="BTCHW", dtype="uint16")[0]
                for name, places in axes.items():
                    for dtype in ("uint8", "uint16", "float32"):
                        made = load(split, rule, axes=name, dtype=dtype)[0]
                        self.assertEqual(made[0].dtype, dtype)
                        np.testing.assert_array_equal(made[0].transpose(places), expected[0])

    def test_places_are_less_and_servers_on_this_machine_send_events(self):
        def bytes_of(wire, rule):
            loader = twonmnist.loader(sent(wire).subset(range(40)), SIZE, frames=rule,
                                      tensors=False)
            for _ in loader:
                pass
            return loader.stats().bytes

        for rule in (RULES[0], RULES[2], RULES[9]):
            events, places, auto = (bytes_of(wire, rule) for wire in ("events", "sparse", "auto"))
            with self.subTest(rule):
                self.assertLess(places, 0.6 * events)
                self.assertLess(abs(auto - events), 0.02 * events)

    def test_pairs_parts_workers_and_ranks_give_the_same(self):
        rule = RULES[3]
        pairs = [twonmnist.Pairs(server.url, seed=7, wire=wire) for wire in ("events", "sparse")]
        self.assert_same(*(load(one, rule, steps_per_epoch=3, seed=None) for one in pairs))
        parts = [sent(wire, part="held", folds=5) for wire in ("events", "sparse")]
        self.assert_same(*(load(one, rule) for one in parts))
        ranks = [load(test, rule, rank=rank, world=2, last="short") for rank in (0, 1)]
        whole = load(test, rule)
        for k, batch in enumerate(whole):
            for rank in (0, 1):
                n_frames = ranks[rank][k][1]
                np.testing.assert_array_equal(batch[1][rank::2], n_frames)
                np.testing.assert_array_equal(batch[0][:max(n_frames), rank::2], ranks[rank][k][0])

    @needs_torch
    def test_worker_processes_give_the_same(self):
        loader = twonmnist.loader(test, SIZE, frames=RULES[4], seed=3)
        batches = [(*arrays(inputs), np.array(labels))
                   for inputs, labels in loader.dataloader(num_workers=2)]
        self.assert_same(batches, load(test, RULES[4], dtype="float32"))

    def test_an_iteration_goes_on_where_it_was_by_any_rule(self):
        loader = twonmnist.loader(test, SIZE, frames=RULES[2], seed=3, tensors=False)
        iterator = iter(loader)
        next(iterator), next(iterator)
        state = pickle.loads(pickle.dumps(loader.state_dict()))
        for rule in (RULES[2], RULES[9]):
            again = twonmnist.loader(test, SIZE, frames=rule, seed=3, tensors=False)
            again.load_state_dict(state)
            rest = [(*arrays(inputs), np.array(labels)) for inputs, labels in again]
            self.assert_same(rest, load(test, rule, dtype="float32")[2:])

    def test_a_place_among_samples_with_other_filters_is_refused(self):
        def loader(**filters):
            split = twonmnist.Split(server.url, "test", filters=filters)
            return twonmnist.loader(split, SIZE, seed=3, tensors=False)

        state = loader(t1=100_000, stabilize=True).state_dict()
        loader(stabilize=True, t1=100_000, t0=0).load_state_dict(state)
        for filters in ({}, {"t1": 100_000}, {"t1": 100_001, "stabilize": True}):
            with self.subTest(filters), self.assertRaisesRegex(ValueError, "filters"):
                loader(**filters).load_state_dict(state)
        with self.assertRaisesRegex(ValueError, "filters"):
            loader(t1=100_000).load_state_dict(loader().state_dict())

    def test_sparse_batches_are_the_dense_ones_without_zeros(self):
        for rule in RULES:
            for wire in ("sparse", "events"):
                with self.subTest((rule, wire)):
                    loader = twonmnist.loader(sent(wire), SIZE, form="sparse", frames=rule, seed=3,
                                              tensors=False)
                    sparse, labels = next(iter(loader))
                    dense = load(test, rule, axes="BTCHW", dtype="uint16")[0]
                    self.assertEqual(sparse.places.dtype, np.int16)
                    n_samples, longest = sparse.counts.shape
                    made = np.zeros((n_samples * longest, rule.n_channels * 34 * 34), np.uint16)
                    rows = np.repeat(np.arange(len(made)), sparse.counts.ravel())
                    np.add.at(made, (rows, sparse.places), 1)
                    np.testing.assert_array_equal(made.reshape(dense[0].shape), dense[0])
                    np.testing.assert_array_equal(labels, dense[-1])
                    crow, col = sparse.csr()
                    np.testing.assert_array_equal(np.diff(crow), sparse.counts.ravel())
                    np.testing.assert_array_equal(col, sparse.places)
                    self.assertEqual(sparse.sensor, (rule.n_channels, 34, 34))

    def test_a_sample_of_which_a_rule_makes_nothing_is_named(self):
        rule = frames.tonic(time_window=10)  # some 30,000 frames
        for wire in ("sparse", "events"):
            with self.subTest(wire), self.assertRaisesRegex(ValueError, "sample .*4096"):
                next(iter(twonmnist.loader(sent(wire), SIZE, frames=rule)))


class Samples(Same):
    def test_a_split_of_frames_has_them_for_samples_and_batches(self):
        rule = RULES[2]
        split = twonmnist.Split(server.url, "test", frames=rule, transform=lambda made: made[:3])
        made, label = split[5]
        np.testing.assert_array_equal(made, rule(test[5][0])[:3])
        self.assertEqual(made.dtype, np.int16)
        np.testing.assert_array_equal(label, test[5][1])
        split = pickle.loads(pickle.dumps(twonmnist.Split(server.url, "test", frames=rule)))
        self.assert_same(load(split, None), load(test, rule))
        pairs = twonmnist.Pairs(server.url, frames=rule)
        np.testing.assert_array_equal(pairs[4][0], rule(twonmnist.Pairs(server.url)[4][0]))

    def test_filters_are_applied_by_the_server(self):
        filters = {"t0": 10_000, "t1": 200_000, "denoise": 5_000, "stabilize": True}
        split = twonmnist.Split(server.url, "test", filters=filters)
        for i in range(5):
            expected = form_rules.filtered(test[i][0], True, 10_000, 200_000, 5_000)
            np.testing.assert_array_equal(split[i][0], expected)
        plain, rule = RULES[2], frames.tonic(time_window=10_000, **filters)
        self.assert_same(load(split, plain), load(test, rule))

    def test_filters_of_a_split_come_before_those_of_a_rule(self):
        split = twonmnist.Split(server.url, "test", filters={"t1": 200_000})
        both = frames.tonic(time_window=10_000, t1=200_000, denoise=5_000)
        self.assert_same(load(split, frames.tonic(time_window=10_000, denoise=5_000)),
                         load(test, both))

    def test_nmnist_s_filters_are_of_its_batches_too(self):
        plain = twonmnist.NMNIST(server.url, False)
        for name, words in (("first_saccade_only", {"t1": 100_000}),
                            ("stabilize", {"stabilize": True})):
            dataset = twonmnist.NMNIST(server.url, False, **{name: True})
            rule = frames.tonic(n_time_bins=10)
            self.assert_same(load(dataset, rule), load(plain, frames.tonic(n_time_bins=10, **words)))
            inputs, _ = next(iter(twonmnist.loader(dataset, SIZE, form="events", shuffle=False,
                                                   tensors=False)))
            np.testing.assert_array_equal(
                np.array(inputs.t), np.concatenate([dataset[i][0]["t"] for i in range(SIZE)]))


@needs_torch
class Devices(Same):
    """On the CPU: there it is the same code but for streams and pinned memory."""

    def made(self, rule, dataset=None, **more):
        more = {"device": "cpu", "seed": 3, "last": "drop", **more}
        return list(twonmnist.loader(dataset or test, SIZE, frames=rule, **more))

    def test_frames_are_those_of_the_library_bit_for_bit(self):
        for rule in RULES:
            for axes in ("TBCHW", "BTCHW", "CHWT"):
                with self.subTest((rule, axes)):
                    part = test.subset(range(40))
                    batches = [(*arrays(inputs), np.array(labels))
                               for inputs, labels in self.made(rule, part, axes=axes)]
                    self.assert_same(batches, load(part, rule, axes=axes, dtype="float32",
                                                   last="drop"))

    def test_types_of_less_bits_hold_the_same(self):
        for rule in (RULES[0], RULES[2], frames.tonic(n_event_bins=1)):
            for dtype in ("float16", "bfloat16", "uint8"):
                inputs, _ = self.made(rule, dtype=dtype)[0]
                self.assertEqual(inputs[0].dtype if isinstance(inputs, tuple) else inputs.dtype,
                                 getattr(torch, dtype))
                expected = load(test, rule, dtype="uint8" if dtype == "uint8" else "float32")[0]
                made = arrays(tuple(part.float() for part in inputs)
                              if isinstance(inputs, tuple) else inputs.float())
                self.assertTrue(expected[0].max() <= 256)  # which bfloat16 has exactly
                np.testing.assert_array_equal(made[0], expected[0])

    def test_counts_stop_where_the_library_s_do(self):
        from twonmnist.devices import dense
        places = torch.zeros(70_000, dtype=torch.int16)
        counts = torch.tensor([[70_000]], dtype=torch.int32)
        for dtype, most in ((torch.float32, 65_535), (torch.uint8, 255)):
            made = dense(places, counts, (2, 3, 4), "BTCHW", dtype, most, False)
            self.assertEqual((made.flatten()[0].item(), made.sum().item()), (most, most))

    def test_what_the_loop_does_is_the_same_with_the_next_batch_under_way(self):
        rule = RULES[2]
        loader = twonmnist.loader(test, SIZE, frames=rule, device="cpu", seed=3,
                                  with_indices=True, batch_transform=lambda *batch: batch)
        whole = [batch[2].tolist() for batch in loader]
        self.assertEqual(len(whole), len(loader))
        for used in (1, 2, len(whole)):
            iterator = iter(loader)
            for _ in range(used):
                next(iterator)
            state = loader.state_dict()
            again = twonmnist.loader(test, SIZE, frames=rule, device="cpu", seed=3,
                                     with_indices=True)
            again.load_state_dict(state)
            rest = [batch.indices.tolist() for batch in again]
            self.assertEqual(rest, whole[used:])
            del iterator

    def test_pairs_end_with_their_epoch(self):
        pairs = twonmnist.Pairs(server.url, seed=7)
        loader = twonmnist.loader(pairs, SIZE, frames=RULES[2], device="cpu", steps_per_epoch=3)
        self.assertEqual([len(list(loader)) for _ in range(2)], [3, 3])

    def test_an_error_is_told_when_it_is_its_turn(self):
        part = test.subset(range(2 * SIZE))
        loader = twonmnist.loader(part, SIZE, frames=RULES[2], device="cpu", shuffle=False)
        iterator = iter(loader)
        real, asked = _library.next_batch, []

        def fails_once(stream):
            asked.append(stream)
            if len(asked) in (2, 3):
                raise OSError(5, "gone")
            return real(stream)

        with unittest.mock.patch.object(_library, "next_batch", fails_once):
            first = next(iterator)
            with self.assertRaisesRegex(OSError, "gone"):
                next(iterator)
            second = next(iterator)
        expected = load(part, RULES[2], seed=None, shuffle=False, dtype="float32")
        for (inputs, labels), other in zip((first, second), expected):
            self.assert_same([(*arrays(inputs), np.array(labels))], [other])

    def test_a_batch_for_which_the_device_has_no_room_is_not_lost(self):
        for full in ((1,), (2,), (2, 3), (4, 5)):
            loader = twonmnist.loader(test, SIZE, frames=RULES[2], device="cpu", seed=3,
                                      with_indices=True)
            real, begun, given = loader._device.begin, [], []

            def begin(value):
                begun.append(value)
                if len(begun) in full:
                    raise RuntimeError("out of memory")
                return real(value)

            with self.subTest(full), unittest.mock.patch.object(loader._device, "begin", begin):
                iterator, n_failed = iter(loader), 0
                while len(given) < len(loader):
                    try:
                        given.append(next(iterator))
                    except RuntimeError:
                        n_failed += 1
                self.assertRaises(StopIteration, next, iterator)
                self.assertEqual(n_failed, 1 if full == (1,) else len(full) - 1)
                order = np.random.RandomState([3, 0]).permutation(len(test))
                self.assertEqual(sum((batch.indices.tolist() for batch in given), []),
                                 order.tolist())

    def test_what_cannot_be_there_is_refused(self):
        for more, error, words in (
                ({"form": "events"}, ValueError, "form 'events' and device 'cpu'"),
                ({"form": "sparse"}, ValueError, "has no device"),
                ({"dtype": "uint16"}, ValueError, "dtype 'uint16'"),
                ({"axes": "THWC"}, ValueError, "axes 'THWC'"),
                ({"tensors": False}, ValueError, "tensors=False"),
                ({"frames": frames.voxel(5)}, ValueError, "voxel")):
            with self.subTest(words), self.assertRaisesRegex(error, words):
                twonmnist.loader(test, SIZE, device="cpu", **more)
        if not torch.cuda.is_available():
            with self.assertRaisesRegex(ValueError, "no CUDA here"):
                twonmnist.loader(test, SIZE, device="cuda")
        loader = twonmnist.loader(test, SIZE, device="cpu")
        with self.assertRaisesRegex(ValueError, "num_workers 2"):
            loader.dataloader(num_workers=2)
        worker = torch.utils.data.DataLoader(loader, batch_size=None, num_workers=1)
        with self.assertRaisesRegex(RuntimeError, "main process"):
            next(iter(worker))

    @unittest.skipUnless(torch and torch.cuda.is_available(), "there is no GPU")
    def test_frames_of_a_gpu_are_the_same(self):
        for rule in RULES[:5]:
            batches = [(*arrays(tuple(part.cpu() for part in inputs) if isinstance(inputs, tuple)
                                else inputs.cpu()), labels.cpu().numpy())
                       for inputs, labels in self.made(rule, device="cuda")]
            self.assert_same(batches, load(test, rule, dtype="float32", last="drop"))


if __name__ == "__main__":
    unittest.main()
