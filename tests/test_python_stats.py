# SPDX-License-Identifier: Apache-2.0
"""The Python binding: what a loader waits for, what it says meanwhile, and the memory it takes."""
import itertools
import logging
import pickle
import socket
import subprocess
import sys
import threading
import unittest

import daemon
import fake_server
import twonmnist

try:
    import torch
except ImportError:
    torch = None

SIZE = 16


def setUpModule():
    global server, train
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    train = twonmnist.Split(server.url, "train")


def loader(dataset=None, **more):
    return twonmnist.loader(dataset or train, SIZE, **{"form": "packed", **more})


class Stats(unittest.TestCase):
    def test_everything_that_was_given_is_counted(self):
        batches = loader()
        self.assertEqual(batches.stats(), twonmnist.Stats())
        n, n_bytes = 0, 0
        for epoch, n_given in ((0, len(batches)), (1, 3), (2, len(batches)), (2, 2)):
            batches.set_epoch(epoch)
            for packed, labels in itertools.islice(batches, n_given):
                n += len(labels)
                n_bytes += len(packed.events) * 5
        stats = batches.stats()
        self.assertEqual((stats.batches, stats.samples), (2 * len(batches) + 5, n))
        self.assertGreater(stats.bytes, n_bytes)
        self.assertEqual(batches.stats(), stats)
        self.assertIn(f"{n} samples in {stats.batches} batches", str(stats))

    def test_a_slow_server_is_the_bottleneck(self):
        def behave(fake, path, n):
            if "/batches/" in path:
                fake.closing.wait(0.05)
            return fake.real(path)

        with fake_server.FakeServer(behave, server) as fake:
            batches = loader(twonmnist.Split(fake.url, "train"), depth=1)
            for _ in itertools.islice(batches, 6):
                pass
            stats = batches.stats()
        self.assertGreater(stats.network_s, 0.25)
        self.assertTrue(str(stats).endswith("; the bottleneck is the network"), str(stats))

    def test_a_slow_loop_is_the_bottleneck(self):
        batches, pause = loader(), threading.Event()
        for _ in itertools.islice(batches, 6):
            pause.wait(0.1)
        stats = batches.stats()
        self.assertGreater(stats.working_s, 0.4)
        self.assertTrue(str(stats).endswith("; the bottleneck is the loop"), str(stats))

    def test_the_line_names_what_took_longest(self):
        for times, name in (((3.0, 2.0, 1.0), "the network"), ((3.0, 1.0, 2.0), "decoding"),
                            ((3.0, 1.0, 4.0), "the loop")):
            self.assertEqual(twonmnist.Stats(9, 90, 10**6, *times).bottleneck, name)

    @unittest.skipUnless(torch, "PyTorch is not installed")
    def test_workers_count_for_themselves(self):
        batches = loader()
        list(batches.dataloader(num_workers=1))
        with self.assertRaisesRegex(RuntimeError, "count for themselves"):
            batches.stats()

    def test_a_copy_and_a_closed_one_keep_what_was_counted(self):
        batches = loader()
        next(iter(batches))
        self.assertEqual(pickle.loads(pickle.dumps(batches)).stats().batches, 1)
        batches.close()
        self.assertEqual(batches.stats().batches, 1)


class Interrupting(logging.Handler):
    """Takes Ctrl-C's place while a message is on its way."""

    def emit(self, record):
        self.text = record.getMessage()
        raise KeyboardInterrupt


class Messages(unittest.TestCase):
    def setUp(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"  # nobody is there any more

    def test_a_call_that_waits_says_so_on_stderr_or_where_logging_goes(self):
        code = f"import twonmnist; twonmnist.Split({self.url!r}, call_patience_s=60)"
        handler, logger = Interrupting(), logging.getLogger("twonmnist")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE,
                              text=True) as other:
            with self.assertRaises(KeyboardInterrupt):
                twonmnist.Split(self.url, call_patience_s=60)
            said = other.stderr.readline()
            other.kill()
        for text in (handler.text, said):
            self.assertRegex(text, f"^waiting for {self.url} .* s of 60")


class Memory(unittest.TestCase):
    def test_the_default_form_takes_two_decoded_batches(self):
        # float32 of 300 frames: 2.8 MB a sample. A process of its own, since a peak stays.
        code = ("import pathlib, re, sys\n"
                "sys.modules['torch'] = None\n"
                "import twonmnist\n"
                "def peak():\n"
                "    status = pathlib.Path('/proc/self/status').read_text()\n"
                "    return 1024 * int(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1])\n"
                f"batches = twonmnist.loader(twonmnist.Split({server.url!r}, 'train'), 32)\n"
                "size, before = 0, peak()\n"
                "for epoch in range(2):\n"
                "    batches.set_epoch(epoch)\n"
                "    for frames, labels in batches:\n"
                "        size = max(size, frames.nbytes)\n"
                "print(size, peak() - before)")
        shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                               text=True).stdout
        size, taken = map(int, shown.split())
        self.assertEqual(size, 4 * 32 * 300 * 2 * 34 * 34)
        self.assertGreater(taken, size)
        self.assertLess(taken, 2.5 * size)


if __name__ == "__main__":
    unittest.main()
