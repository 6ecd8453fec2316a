# SPDX-License-Identifier: Apache-2.0
"""The Python binding: samples, fresh pairs, and batches as arrays, against plain NumPy."""
import ctypes
import errno
import itertools
import os
import pathlib
import pickle
import signal
import socket
import subprocess
import sys
import threading
import unittest
import warnings

import numpy as np

import daemon
import generator
import oracle
import safetensors_reader
import twonmnist
from fake_server import FakeServer
from twonmnist import _library

SOURCE = pathlib.Path(twonmnist.__file__).parent.parent
SIZE = 16


def setUpModule():
    global folder, server, train
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    train = twonmnist.Split(server.url, "train")


def arrays(batch):
    """Everything in a batch, as a flat list of arrays."""
    inputs, labels = batch
    parts = inputs if isinstance(inputs, tuple) else (inputs,)
    return [np.array(part) for part in (*parts, labels)]


def load(dataset=None, **more):
    """An epoch's batches, each as a list of arrays."""
    more = {"form": "packed", "seed": 5, "epoch": 2, "tensors": False, **more}
    return [arrays(batch) for batch in twonmnist.loader(dataset or train, SIZE, **more)]


def published(k, query="", split="train"):
    """Batch k as the daemon gives it over HTTP."""
    path = f"/v1/splits/{split}/epochs/5/2/batches/{k}.safetensors?size={SIZE}{query}"
    return safetensors_reader.read(server.get(path).body)[0]


class Same(unittest.TestCase):
    def assert_same(self, batches, expected):
        self.assertEqual(len(batches), len(expected))
        for batch, other in zip(batches, expected):
            for one, two in zip(batch, other):
                np.testing.assert_array_equal(one, two)


class Splits(unittest.TestCase):
    def expected(self, path):
        t, x, y, p = safetensors_reader.unpack(
            np.frombuffer(server.get(path).body, np.uint8).reshape(-1, 5))
        out = np.empty(len(t), train.dtype)
        out["t"], out["x"], out["y"], out["p"] = t, x, y, p
        return out

    def test_a_sample_is_what_tonic_expects(self):
        events, label = train[3]
        self.assertEqual(events.dtype, np.dtype([(name, np.int64) for name in "xytp"]))
        self.assertEqual((train.sensor_size, train.ordering), ((34, 34, 2), ("x", "y", "t", "p")))
        np.testing.assert_array_equal(events, self.expected("/v1/splits/train/samples/3.bin"))
        np.testing.assert_array_equal(label, train.targets[3])
        events["t"] += 1  # the caller's own
        self.assertTrue(events.flags.writeable)

    def test_targets_are_the_labels_of_all_samples(self):
        tensors, _ = safetensors_reader.read((folder / "train.safetensors").read_bytes())
        np.testing.assert_array_equal(train.targets, tensors["labels"])
        self.assertEqual(len(train), len(tensors["labels"]))

    def test_several_samples_come_with_one_request(self):
        answers = train.__getitems__([7, 0, len(train) - 1])
        for i, (events, label) in zip((7, 0, -1), answers):
            np.testing.assert_array_equal(events, train[i][0])
            np.testing.assert_array_equal(label, train.targets[i])

    def test_an_index_past_the_end_is_an_index_error(self):
        for index in (len(train), -len(train) - 1):
            with self.assertRaisesRegex(IndexError, f"no sample {index}; train has {len(train)}"):
                train[index]

    def test_transforms_are_called_as_tonic_does(self):
        split = twonmnist.Split(server.url, "train", transform=len, target_transform=np.flatnonzero,
                                transforms=lambda events, target: (events + 1, tuple(target)))
        events, label = train[5]
        self.assertEqual(split[5], (len(events) + 1, tuple(np.flatnonzero(label))))

    def test_order_and_timestep_are_asked_of_the_server(self):
        split = twonmnist.Split(server.url, "train", order="time", timestep=1000)
        np.testing.assert_array_equal(
            split[1][0], self.expected("/v1/splits/train/samples/1.bin?order=time&timestep=1000"))

    def test_order_and_timestep_are_asked_of_every_batch(self):
        form = {"order": "time", "timestep": 1000}
        split = twonmnist.Split(server.url, "test", **form)
        pairs = twonmnist.Pairs(server.url, seed=3, **form)
        for dataset, more in ((split, {}), (split, {"shuffle": False}),
                              (split.view(kind="pair"), {}), (pairs, {"steps_per_epoch": 1})):
            loader = twonmnist.loader(dataset, 4, form="events", with_indices=True, tensors=False,
                                      **more)
            inputs, _, indices, _ = next(iter(loader))
            single = pairs if dataset is pairs else split
            expected = [single[int(i)][0]["t"] for i in indices]
            with self.subTest(dataset=dataset, more=more):
                np.testing.assert_array_equal(inputs.t, np.concatenate(expected))
                self.assertFalse((inputs.t % 1000).any())

    def test_a_pickled_split_stays_at_its_revision(self):
        split = pickle.loads(pickle.dumps(train))
        np.testing.assert_array_equal(split[2][0], train[2][0])
        with daemon.temporary_folder() as other_folder:
            daemon.generate(other_folder, "--plan", 7)
            with daemon.Daemon(other_folder) as other:
                state = pickle.loads(pickle.dumps(train))
                state.urls = (other.url,)
                with self.assertRaises(OSError):
                    state[2]

    def test_errors_name_what_is_wrong(self):
        for wrong, error, words in (
                (lambda: twonmnist.Split(server.url, "nope"), FileNotFoundError, "nope"),
                (lambda: twonmnist.Split("ftp://host"), ValueError, "ftp://host"),
                (lambda: twonmnist.Split(server.url, bogus=1), ValueError, "bogus"),
                (lambda: twonmnist.Split(server.url, timeout_ms="x"), ValueError, "timeout_ms"),
                (lambda: twonmnist.Split(server.url, order="up"), ValueError, "'up'"),
                (lambda: twonmnist.Pairs(server.url, "train"), ValueError, "no source split"),
                (lambda: twonmnist.Pairs(server.url, seed=-1), ValueError, "seed -1"),
                (lambda: twonmnist.loader(train, 0), ValueError, "batch_size 0; it has to be 1"),
                (lambda: twonmnist.loader(train, -1), ValueError, "batch_size -1;"),
                (lambda: twonmnist.loader(train, seed=2**32), ValueError, "seed 4294967296;"),
                (lambda: twonmnist.loader(train, epoch=-1), ValueError, "epoch -1;"),
                (lambda: twonmnist.loader(train, depth=-1), ValueError, "depth -1;"),
                (lambda: twonmnist.loader(train, timestep=2**32 + 1000), ValueError,
                 "timestep 4294968296;"),
                (lambda: twonmnist.loader(train, bins=0), ValueError, "bins 0;"),
                (lambda: twonmnist.loader(train, axes="HWT"), ValueError, "'HWT'"),
                (lambda: twonmnist.loader(train, last="no"), ValueError, "'no'"),
                (lambda: twonmnist.loader(train, rank=2, world=2), ValueError, "rank 2"),
                (lambda: twonmnist.loader(train, rank=0), ValueError, "world None")):
            with self.subTest(words), self.assertRaisesRegex(error, words):
                wrong()

    def test_splits_lists_what_the_server_has(self):
        names = {split["name"]: split["samples"] for split in twonmnist.splits(server.url)}
        self.assertEqual(names["train"], len(train))


class FreshPairs(unittest.TestCase):
    def test_pair_i_is_a_function_of_seed_and_i(self):
        pairs = twonmnist.Pairs(server.url, "nmnist-train", seed=3)
        for i in (0, 5, 2**63):
            answer = server.get(f"/v1/pairs/nmnist-train/3/{i}.bin")
            packed = np.frombuffer(answer.body, np.uint8).reshape(-1, 5)
            events, label = pairs[i]
            np.testing.assert_array_equal(events["t"], safetensors_reader.unpack(packed)[0])
            self.assertEqual(label.sum(), 2)

    def test_iterating_begins_at_start_and_goes_on(self):
        pairs = twonmnist.Pairs(server.url, "nmnist-train", seed=3, start=60)
        for i, (events, label) in zip(range(60, 70), pairs):
            expected, expected_label = pairs[i]
            np.testing.assert_array_equal(events, expected)
            np.testing.assert_array_equal(label, expected_label)

    def test_batches_of_pairs_have_no_end_and_a_place(self):
        pairs = twonmnist.Pairs(server.url, "nmnist-train", seed=3, start=2 * SIZE)
        loader = twonmnist.loader(pairs, SIZE, form="packed", tensors=False)
        batches = [arrays(batch) for batch in itertools.islice(loader, 3)]
        tensors, _ = safetensors_reader.read(server.get(
            f"/v1/pairs/nmnist-train/3/batches/4.safetensors?size={SIZE}").body)
        np.testing.assert_array_equal(batches[2][0], tensors["events"])
        state = loader.state_dict()
        other = twonmnist.loader(twonmnist.Pairs(server.url, "nmnist-train"), SIZE, form="packed",
                                 tensors=False)
        other.load_state_dict(state)
        tensors, _ = safetensors_reader.read(server.get(
            f"/v1/pairs/nmnist-train/3/batches/5.safetensors?size={SIZE}").body)
        np.testing.assert_array_equal(next(iter(other))[0].events, tensors["events"])
        with self.assertRaises(TypeError):
            len(loader)
        with self.assertRaises(TypeError):
            loader.set_epoch(1)


class Batches(Same):
    def test_packed_events_are_the_daemons(self):
        batches = load()
        for k, (events, offsets, labels) in enumerate(batches):
            expected = published(k)
            np.testing.assert_array_equal(events, expected["events"])
            np.testing.assert_array_equal(offsets, expected["offsets"])
            np.testing.assert_array_equal(labels, expected["labels"])
        self.assertEqual(sum(len(labels) for *_, labels in batches), len(train))

    def test_columns_are_those_of_numpy(self):
        for k, (t, x, y, p, offsets, _) in enumerate(load(form="events")):
            expected = published(k)
            for column, other in zip((t, x, y, p), safetensors_reader.unpack(expected["events"])):
                np.testing.assert_array_equal(column, other)
            np.testing.assert_array_equal(offsets, expected["offsets"])

    def test_frames_are_those_of_numpy_in_every_form(self):
        expected = published(0)
        offsets = expected["offsets"].astype(np.int64)
        for binning, overlap, (axes, order), dtype in itertools.product(
                ("round", "floor"), ("or", "sum"),
                (("TBCHW", (1, 0, 2, 3, 4)), ("BTCHW", (0, 1, 2, 3, 4)),
                 ("CHWT", (0, 2, 3, 4, 1))), ("uint8", "float32")):
            with self.subTest(binning=binning, overlap=overlap, axes=axes, dtype=dtype):
                rule = {"timestep": 5000, "bins": 30, "binning": binning, "overlap": overlap}
                loader = twonmnist.loader(train, SIZE, seed=5, epoch=2, dtype=dtype, axes=axes,
                                          tensors=False, **rule)
                frames, _ = next(iter(loader))
                samples = [oracle.frames(expected["events"][a:b], **rule)
                           for a, b in zip(offsets, offsets[1:])]
                self.assertEqual(frames.dtype, np.dtype(dtype))
                np.testing.assert_array_equal(frames, np.stack(samples).transpose(order))

    def test_a_batch_stays_as_it_is_while_others_come(self):
        loader = twonmnist.loader(train, SIZE, dtype="uint8", tensors=False, depth=1)
        kept = [frames for frames, _ in loader]
        again = [frames.sum() for frames, _ in loader]
        self.assertEqual([frames.sum() for frames in kept], again)

    def test_memory_is_bounded_by_the_depth(self):
        loader = twonmnist.loader(train, SIZE, dtype="uint8", last="drop", tensors=False, depth=2)
        for epoch in range(2):
            loader.set_epoch(epoch)
            places = {frames.ctypes.data for frames, _ in loader}
            self.assertGreater(len(loader), 10)
            self.assertLessEqual(len(places), 2 + 2)  # those ahead, this one and the last one

    def test_every_world_covers_every_sample_once(self):
        whole = load(form="events")
        for world in (1, 2, 3, 4):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # 3 ranks have no equal shares of 16
                shares = [load(rank=rank, world=world, last="short") for rank in range(world)]
            self.assertEqual({len(share) for share in shares}, {len(whole)})
            samples = sum(len(batch[-1]) for share in shares for batch in share)
            self.assertEqual(samples, len(train))

    def test_drop_and_pad_give_ranks_equal_lengths(self):
        for last, n_batches in (("drop", len(train) // SIZE), ("pad", -(-len(train) // SIZE))):
            for rank in range(2):
                loader = twonmnist.loader(train, SIZE, form="packed", last=last, rank=rank, world=2,
                                          tensors=False)
                self.assertEqual([len(labels) for _, labels in loader], [SIZE // 2] * n_batches)
                self.assertEqual(len(loader), n_batches)

    def test_collate_makes_batches_of_samples(self):
        samples = [train[i] for i in (4, 0, 9)]
        events, labels = twonmnist.collate(samples)
        np.testing.assert_array_equal(np.array(labels), [label for _, label in samples])
        for i, (sample, _) in enumerate(samples):
            for name in "txyp":
                column = getattr(events, name)[events.offsets[i]:events.offsets[i + 1]]
                np.testing.assert_array_equal(np.array(column), sample[name])

    def test_progress_shows_a_bar(self):
        try:
            import tqdm  # noqa: F401
        except ImportError:
            self.skipTest("tqdm is not installed")
        code = (f"import twonmnist; s = twonmnist.Split({server.url!r}, 'train')\n"
                "for _ in twonmnist.loader(s, 64, form='packed', progress=True): pass")
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                               timeout=120)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        n_batches = -(-len(train) // 64)
        self.assertIn(f"{n_batches}/{n_batches}", ended.stderr)


class States(Same):
    def loader(self, **more):
        return twonmnist.loader(train, SIZE, **{"form": "packed", "seed": 5, "epoch": 2,
                                                "tensors": False, **more})

    def test_a_resumed_loader_goes_on_with_the_identical_next_batch(self):
        whole = load()
        loader = self.loader()
        for _ in itertools.islice(loader, 7):
            state = loader.state_dict()
        other = self.loader(seed=0, epoch=0)
        other.load_state_dict(pickle.loads(pickle.dumps(state)))
        self.assertEqual((other.seed, other.epoch), (5, 2))
        self.assertEqual(other.state_dict(), state)
        other.set_epoch(2)  # what a training loop does first
        self.assert_same([arrays(batch) for batch in other], whole[7:])
        self.assert_same([arrays(batch) for batch in other], whole)  # from the beginning again

    def test_a_state_goes_on_in_another_world(self):
        whole = load(form="packed")
        state = self.loader().state_dict(batches=4)
        for rank in (0, 1):
            other = self.loader(rank=rank, world=2, last="short")
            other.load_state_dict(state)
            self.assert_same([[batch[-1]] for batch in map(arrays, other)],
                             [[batch[-1][rank::2]] for batch in whole[4:]])

    def test_another_epoch_begins_at_its_beginning(self):
        loader = self.loader()
        next(iter(loader))
        loader.set_epoch(3)
        self.assert_same([arrays(batch) for batch in loader], load(epoch=3))

    def test_a_state_of_something_else_is_refused(self):
        state = self.loader(last="drop").state_dict()
        with self.assertRaisesRegex(ValueError, "another kind of stream"):
            self.loader().load_state_dict(state)
        with self.assertRaisesRegex(ValueError, "cursor"):
            self.loader().load_state_dict({**state, "cursor": "nonsense"})
        other = twonmnist.Split(server.url, "test")
        with self.assertRaisesRegex(OSError, "belongs to"):
            twonmnist.loader(other, SIZE, tensors=False, last="drop").load_state_dict(state)


class Failures(Same):
    def test_two_of_three_daemons_die_and_nothing_is_lost(self):
        whole = load()
        with daemon.Daemon(folder) as one, daemon.Daemon(folder) as two, \
                daemon.Daemon(folder) as three:
            split = twonmnist.Split([one.url, two.url, three.url], "train")
            batches = []
            for batch in twonmnist.loader(split, SIZE, form="packed", seed=5, epoch=2,
                                          tensors=False):
                batches.append(arrays(batch))
                if len(batches) == 3:
                    one.process.send_signal(signal.SIGKILL)
                    three.process.send_signal(signal.SIGKILL)
        self.assert_same(batches, whole)

    def test_ctrl_c_ends_a_call_that_waits(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            code = ("import signal, twonmnist\n"  # tests in the background inherit SIGINT ignored
                    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                    f"twonmnist.Split('http://127.0.0.1:{silent.getsockname()[1]}')")
            process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE,
                                       text=True)
            silent.settimeout(60)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=60)
        self.assertIn("KeyboardInterrupt", err)
        self.assertNotIn("ignored", err)
        self.assertNotEqual(process.returncode, 0)

    def test_a_server_that_nobody_runs_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with self.assertRaisesRegex(OSError, f"127.0.0.1:{port}"):
            twonmnist.Split(f"http://127.0.0.1:{port}", call_patience_s=0)


class Processes(unittest.TestCase):
    def in_child(self, function):
        """What the function raises, by name, in a forked child."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                function()
                said = "nothing"
            except BaseException as error:
                said = f"{type(error).__name__}: {error}"
            os.write(writing, said.encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        return said

    def test_what_was_opened_before_a_fork_is_refused_in_the_child(self):
        stream = _library.open_part(train.handle, None, True, 1, 0, SIZE, 0, 1, 0, 2)
        _library.next_batch(stream)
        client = _library.open_client((server.url,), {})
        handle = train.handle.pointer

        def close_all():
            for name, pointer in (("tnm_stream_close", stream.pointer),
                                  ("tnm_close", client.pointer)):
                getattr(_library._library, name)(pointer)

        for function in (lambda: _library.next_batch(stream),
                         lambda: _library.tell(stream) and _library.call(
                             "tnm_stream_seek", stream.pointer, _library.tell(stream).encode()),
                         lambda: _library.catalog(client),
                         lambda: _library.call("tnm_split_labels", handle, None, 0),
                         lambda: _library.make("tnm_pair", "tnm_batch_free", handle, 1, 0)):
            self.assertRegex(self.in_child(function), "ChildProcessError: .*before the fork")
        self.assertEqual(self.in_child(close_all), "nothing")
        self.assertEqual(self.in_child(lambda: train[0]), "nothing")  # opened anew
        self.assertIsNotNone(_library.next_batch(stream))  # the parent goes on

    def test_a_call_that_waits_is_cancelled_from_another_thread(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            client = _library.open_client((url,), {})
            said = []

            def wait():
                try:
                    _library.catalog(client)
                except OSError as error:
                    said.append(error.errno)

            thread = threading.Thread(target=wait)
            thread.start()
            silent.settimeout(60)
            connection, _ = silent.accept()
            with connection:
                _library._library.tnm_cancel(ctypes.c_void_p(client.pointer))
                thread.join(60)
        self.assertEqual(said, [errno.ECANCELED])


class Installing(unittest.TestCase):
    def test_pip_installs_it_without_a_network(self):
        if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
            self.skipTest("pip is not installed")
        with daemon.temporary_folder() as target:
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index",
                            "--no-deps", "--no-cache-dir", "--disable-pip-version-check",
                            "--target", target, SOURCE], check=True, capture_output=True)
            code = "import twonmnist; print(twonmnist.__file__, twonmnist.library_version())"
            shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                                   text=True, cwd=target, env={**os.environ,
                                                               "PYTHONPATH": target}).stdout
            self.assertIn(target, shown)
            self.assertTrue((pathlib.Path(target) / "twonmnist/py.typed").exists())

    def test_the_binding_has_the_librarys_version(self):
        self.assertEqual(twonmnist.__version__, twonmnist.library_version())

    def test_without_pytorch_batches_are_arrays(self):
        code = ("import sys; sys.modules['torch'] = None\n"
                f"import twonmnist; s = twonmnist.Split({server.url!r}, 'train')\n"
                "frames, labels = next(iter(twonmnist.loader(s, 4)))\n"
                "print(type(frames).__name__, frames.shape, labels.shape)")
        shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                               text=True).stdout
        self.assertEqual(shown, "ndarray (300, 4, 2, 34, 34) (4, 10)\n")

    def test_a_library_that_is_missing_is_named(self):
        ended = subprocess.run([sys.executable, "-c", "import twonmnist"], capture_output=True,
                               text=True, env={**os.environ,
                                               "TWONMNIST_LIBRARY": "/nowhere/lib.so"})
        self.assertIn("ImportError: twonmnist needs the C library libtwonmnist.so.0", ended.stderr)


class Pull(unittest.TestCase):
    def test_ctrl_c_ends_one_that_waits(self):
        asked = threading.Event()

        def behave(fake, path, n):
            if not path.endswith(".safetensors"):
                return fake.real(path)
            asked.set()
            return None

        with FakeServer(behave, server) as hanging, daemon.temporary_folder() as out:
            code = ("import signal, twonmnist\n"
                    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                    f"twonmnist.pull('{hanging.url}', 'train', '{out}')")
            process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE,
                                       text=True)
            self.assertTrue(asked.wait(60))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
            self.assertIn("KeyboardInterrupt", err)
            self.assertEqual(len(os.listdir(out)), 1)
            twonmnist.pull(server.url, "train", out)

    def test_a_splits_file_comes_whole_and_stays(self):
        whole = (folder / "train.safetensors").read_bytes()
        out = pathlib.Path(self.enterContext(daemon.temporary_folder()), "out")
        path = twonmnist.pull(server.url, "train", out)
        self.assertEqual(path, str(out / "train.safetensors"))
        self.assertEqual(pathlib.Path(path).read_bytes(), whole)
        before = os.stat(path)
        self.assertEqual(twonmnist.pull("http://127.0.0.1:1", f"train@{train.revision}", str(out),
                                        verify=True), path)
        self.assertEqual(os.stat(path).st_mtime_ns, before.st_mtime_ns)
        with self.assertRaises(FileNotFoundError):
            twonmnist.pull(server.url, "trian", out)
        with self.assertRaises(NotADirectoryError):
            twonmnist.pull(server.url, "train", out / "no" / "such")

    def test_a_sample_larger_than_an_answer_may_be_is_named(self):
        place = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        files = {**generator.recordings(per_digit=1), "Train/3/00099.bin": generator.recording(1, 1_100_000)}
        generator.run("splits", "--from", generator.write_folder(place / "source", files), "--out", place / "data",
                      "--allow-partial")
        with daemon.Daemon(place / "data") as large:
            with self.assertRaisesRegex(OSError, "nmnist-train: a sample that ends at byte [0-9]+ .* the 1000000 that "
                                                 "option max_answer_mb allows"):
                twonmnist.pull(large.url, "nmnist-train", place / "out", max_answer_mb=1)
            self.assertEqual(list((place / "out").glob("*.safetensors")), [])
            twonmnist.pull(large.url, "nmnist-train", place / "out", max_answer_mb=6)
        self.assertEqual((place / "out/nmnist-train.safetensors").read_bytes(),
                         (place / "data/nmnist-train.safetensors").read_bytes())


if __name__ == "__main__":
    unittest.main()
