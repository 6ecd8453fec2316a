# SPDX-License-Identifier: Apache-2.0
"""The Python binding: states of loaders and fresh pairs, taken anywhere, go on exactly there."""
import itertools
import pickle
import socket
import subprocess
import sys
import threading
import unittest

import numpy as np

import daemon
import fake_server
import stateful
import twonmnist

try:
    import torch
    from torch.utils.data import DataLoader
except ImportError:
    torch = None

SIZE, STEPS = 32, 5
needs_torch = unittest.skipUnless(torch, "PyTorch is not installed")


def setUpModule():
    global server, train, n_batches
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    train = twonmnist.Split(server.url, "train")
    n_batches = len(loader())


def loader(epoch=0, **more):
    return twonmnist.loader(train, SIZE, **{"form": "packed", "seed": 5, "epoch": epoch, **more})


def pairs(**more):
    return twonmnist.Pairs(server.url, "nmnist-train", seed=3, **more)


def endless(**more):
    return twonmnist.loader(pairs(), SIZE, form="packed", **more)


def steps(epoch=0, **more):
    return twonmnist.loader(pairs(start=2 * SIZE), SIZE, form="packed", steps_per_epoch=STEPS,
                            epoch=epoch, **more)


def content(batches):
    return [np.asarray(packed.events).tobytes() for packed, _ in batches]


def samples(iterable, n):
    return [events.tobytes() for events, _ in itertools.islice(iterable, n)]


def copy(dataset):
    """As a forked worker has it: what is shared is shared still."""
    other = object.__new__(type(dataset))
    other.__dict__.update(dataset.__getstate__())
    return other


class FreshPairs(unittest.TestCase):
    def setUp(self):
        self.whole = content(itertools.islice(endless(), 12))

    def test_a_further_iteration_goes_on(self):
        batches = endless()
        for begin in (0, 3, 6):
            self.assertEqual(content(itertools.islice(batches, 3)), self.whole[begin:begin + 3])

    def test_steps_make_epochs(self):
        batches = steps()
        self.assertEqual(len(batches), STEPS)
        self.assertEqual(content(batches), self.whole[2:7])
        self.assertEqual(content(batches), self.whole[2:7])
        batches.set_epoch(1)
        self.assertEqual(content(batches), self.whole[7:12])
        self.assertEqual(content(steps(1)), self.whole[7:12])

    def test_steps_resume(self):
        for epoch, n in itertools.product((0, 1), (0, 2, STEPS)):
            batches, other = steps(epoch), steps()
            iterating = iter(batches)
            content(itertools.islice(iterating, n))
            other.load_state_dict(pickle.loads(pickle.dumps(batches.state_dict())))
            first = 2 + epoch * STEPS
            self.assertEqual(other.epoch, epoch)
            self.assertEqual(content(other), self.whole[first + n:first + STEPS])
            self.assertEqual(content(other), self.whole[first:first + STEPS])

    def test_a_state_of_other_steps_is_refused(self):
        state = steps(1).state_dict()
        for other in (endless(), twonmnist.loader(pairs(), SIZE, form="packed", steps_per_epoch=4)):
            with self.assertRaisesRegex(ValueError, "the state is of"):
                other.load_state_dict(state)
        other = twonmnist.loader(pairs(), SIZE, form="packed", steps_per_epoch=STEPS)
        with self.assertRaisesRegex(ValueError, "start or steps_per_epoch"):
            other.load_state_dict(steps(0).state_dict(batches=STEPS))

    @needs_torch
    def test_steps_in_workers(self):
        batches = steps()
        for n_workers in (1, 2, 3):
            prepared = batches.dataloader(num_workers=n_workers)
            self.assertEqual(len(prepared), STEPS)
            for epoch in range(2):
                prepared.set_epoch(epoch)
                self.assertEqual(content(prepared), self.whole[2 + 5 * epoch:7 + 5 * epoch])

    @needs_torch
    def test_workers_do_not_begin_again_without_a_word(self):
        for is_persistent in (False, True):
            batches = endless()
            prepared = batches.dataloader(num_workers=2, persistent_workers=is_persistent)
            self.assertEqual(content(itertools.islice(prepared, 4)), self.whole[:4])
            with self.assertRaisesRegex(RuntimeError, "steps_per_epoch"):
                next(iter(prepared))
        batches.load_state_dict(batches.state_dict(batches=4))
        self.assertEqual(content(itertools.islice(batches.dataloader(num_workers=2), 4)),
                         self.whole[4:8])

    def test_samples_go_on_and_resume(self):
        whole = samples(pairs(start=5), 20)
        for world in (1, 2, 3):
            for rank in range(world):
                one = pairs(start=5, rank=rank, world=world)
                mine = whole[(rank - 5) % world::world]
                self.assertEqual(samples(one, 2), mine[:2])
                state = pickle.loads(pickle.dumps(one.state_dict()))
                self.assertEqual(samples(one, 2), mine[2:4])
                other = pairs(rank=rank, world=world)
                other.load_state_dict(state)
                self.assertEqual(samples(other, 2), mine[2:4])
                whole_again = pairs()
                whole_again.load_state_dict(state)
                self.assertEqual(samples(whole_again, 3), whole[2 * world:2 * world + 3])
        with self.assertRaisesRegex(ValueError, "the state belongs to"):
            other.load_state_dict({**state, "pairs": "others@0"})

    @needs_torch
    def test_samples_in_workers(self):
        one = pairs()
        batches = DataLoader(one, batch_size=4, num_workers=2, collate_fn=twonmnist.collate)
        next(iter(batches))
        with self.assertRaisesRegex(RuntimeError, "cannot know"):
            next(iter(batches))
        with self.assertRaisesRegex(RuntimeError, "cannot know"):
            one.state_dict()

    def test_samples_in_stateful_workers(self):
        def begin(n_workers):
            return stateful.StatefulDataLoader(pairs(), n_workers, copy=copy)

        for n_workers in (0, 2):
            whole = samples(iter(begin(n_workers)), 15)
            one = begin(n_workers)
            iterating = iter(one)
            samples(iterating, 5)
            other = begin(n_workers)
            other.load_state_dict(pickle.loads(pickle.dumps(one.state_dict())))
            self.assertEqual(samples(iter(other), 10), whole[5:])


class Stateful(unittest.TestCase):
    """With the calls of torchdata's StatefulDataLoader."""

    KINDS = ((0, False), (2, False), (2, True), (3, False))

    def setUp(self):
        self.epochs = [content(loader(epoch)) for epoch in range(2)]

    def begin(self, kind, **more):
        dataset = loader(**more)
        return dataset, stateful.StatefulDataLoader(dataset, *kind, copy=copy)

    def resumed(self, kind, one):
        dataset, other = self.begin(kind)
        other.load_state_dict(pickle.loads(pickle.dumps(one.state_dict())))
        return dataset, other

    def test_in_the_middle_of_any_pass(self):
        for kind, passes, n in itertools.product(self.KINDS, (0, 1), (0, 1, 2, 5, n_batches)):
            with self.subTest(kind=kind, passes=passes, n=n):
                dataset, one = self.begin(kind)
                for epoch in range(passes):
                    dataset.set_epoch(epoch)
                    self.assertEqual(content(one), self.epochs[epoch])
                dataset.set_epoch(passes)
                content(itertools.islice(iter(one), n))
                dataset, other = self.resumed(kind, one)
                dataset.set_epoch(passes)
                self.assertEqual(content(other), self.epochs[passes][n:])
                self.assertEqual(content(other), self.epochs[passes])

    def test_further_passes_of_one_epoch(self):
        for kind, n in itertools.product(self.KINDS, (0, 1, 3)):
            with self.subTest(kind=kind, n=n):
                _, one = self.begin(kind)
                content(one)
                content(itertools.islice(iter(one), n))
                _, other = self.resumed(kind, one)
                self.assertEqual(content(other), self.epochs[0][n:])

    def test_the_end_of_a_pass(self):
        for kind, epoch in itertools.product(self.KINDS, (None, 0, 1)):
            with self.subTest(kind=kind, epoch=epoch):
                _, one = self.begin(kind)
                content(one)
                dataset, other = self.resumed(kind, one)
                if epoch is not None:
                    dataset.set_epoch(epoch)
                self.assertEqual(content(other), self.epochs[epoch or 0])
                dataset.set_epoch(1)
                self.assertEqual(content(other), self.epochs[1])

    def test_workers_leave_the_shared_epoch_alone(self):
        _, one = self.begin((2, False), epoch=1)
        content(itertools.islice(iter(one), 3))
        dataset, other = self.resumed((2, True), one)
        self.assertEqual(content(other), self.epochs[1][3:])
        self.assertEqual(dataset.epoch, 0)

    def test_a_state_for_other_workers_is_refused(self):
        _, one = self.begin((2, False))
        state = one.state_dict()["workers"][1]
        with self.assertRaisesRegex(ValueError, "one of 2 worker processes; here are 1"):
            loader().load_state_dict(state)


class States(unittest.TestCase):
    def setUp(self):
        self.whole, self.next = content(loader()), content(loader(1))

    def test_the_end_of_an_epoch(self):
        one = loader()
        iterating = iter(one)
        content(itertools.islice(iterating, n_batches))
        at_last, other = one.state_dict(), loader()
        self.assertEqual(content(iterating), [])
        other.load_state_dict(one.state_dict())
        self.assertEqual(content(other), self.whole)
        other.load_state_dict(at_last)
        self.assertEqual([content(other), content(other)], [[], self.whole])
        other.load_state_dict(at_last)
        other.set_epoch(1)
        self.assertEqual(content(other), self.next)

    def test_an_iteration_has_a_place_before_its_first_batch(self):
        one = loader()
        content(one)
        iterating = iter(one)
        other = loader()
        other.load_state_dict(one.state_dict())
        self.assertEqual(content(other), self.whole)
        self.assertEqual(content(iterating), self.whole)

    @needs_torch
    def test_workers_take_a_loaded_place_once(self):
        for is_persistent in (False, True):
            one = loader()
            one.load_state_dict(loader().state_dict(batches=5))
            batches = one.dataloader(num_workers=2, persistent_workers=is_persistent)
            passes = []
            for _ in range(2):
                torch.manual_seed(7)  # as loops do that want the same of each epoch
                passes.append(content(batches))
            self.assertEqual(passes, [self.whole[5:], self.whole])
        one.load_state_dict(loader(1).state_dict(batches=2))  # the workers live on
        self.assertEqual(content(batches), self.next[2:])

    @needs_torch
    def test_the_main_process_does_not_guess_where_workers_are(self):
        one = loader()
        one.load_state_dict(loader().state_dict(batches=5))
        for n_before, rest in ((5, self.whole[7:]), (0, self.whole[2:])):
            iterating = iter(one.dataloader(num_workers=2))
            content(itertools.islice(iterating, 2))
            with self.assertRaisesRegex(RuntimeError, "pass batches="):
                one.state_dict()
            other = loader()
            other.load_state_dict(one.state_dict(batches=2))
            self.assertEqual(content(other), rest, n_before)
        one.set_epoch(1)
        other.load_state_dict(one.state_dict())
        self.assertEqual(content(other), self.next)

    def test_an_error_leaves_the_loader_where_it_was(self):
        broken = threading.Event()

        def behave(fake, path, n):
            if broken.is_set() and "/batches/" in path:
                return 404, {"Content-Type": "application/problem+json"}, b"{}"
            return fake.real(path)

        with fake_server.FakeServer(behave, server) as fake:
            split = twonmnist.Split(fake.url, "train")
            one = twonmnist.loader(split, SIZE, form="packed", seed=5, depth=1)
            for go_on in (lambda iterating: iterating, lambda iterating: one):
                iterating = iter(one)
                begin = content(itertools.islice(iterating, 3))
                broken.set()
                with self.assertRaises(OSError):
                    while True:
                        begin += content([next(iterating)])
                broken.clear()
                self.assertEqual(begin + content(go_on(iterating)), self.whole)
            self.assertEqual(content(one), self.whole)


class Waiting(unittest.TestCase):
    def test_a_handler_that_takes_its_time_disturbs_no_other_call(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            code = ("import signal, threading, time, twonmnist\n"
                    f"url = 'http://127.0.0.1:{silent.getsockname()[1]}'\n"
                    "ended = []\n"
                    "def wait(ms):\n"
                    "    try:\n"
                    "        twonmnist.Split(url, timeout_ms=ms, call_patience_s=0)\n"
                    "    except OSError as error:\n"
                    "        ended.append(type(error).__name__)\n"
                    "def handle(*unused):\n"
                    "    time.sleep(1)\n"
                    "    wait(500)\n"
                    "signal.signal(signal.SIGALRM, handle)\n"
                    "thread = threading.Thread(target=wait, args=(3000,))\n"
                    "thread.start()\n"
                    "signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
                    "wait(3000)\n"
                    "thread.join()\n"
                    "print(*ended)")
            ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                   timeout=60)
        said = [line for line in ended.stderr.splitlines() if not line.startswith("waiting for ")]
        self.assertEqual((ended.stdout, said), ("TimeoutError " * 2 + "TimeoutError\n", []))

    def test_an_error_of_cut_text_is_still_that_error(self):
        def behave(fake, path, n):
            detail = '{"status": 400, "detail": "' + "é" * 300 + '"}'
            return 400, {"Content-Type": "application/problem+json"}, detail.encode()

        with fake_server.FakeServer(behave) as fake, self.assertRaisesRegex(ValueError, "éé"):
            twonmnist.Split(fake.url, "x" + "n" * 20)


if __name__ == "__main__":
    unittest.main()
