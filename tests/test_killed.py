# SPDX-License-Identifier: Apache-2.0
"""The generator is killed at many moments: the folder has the old splits or the new ones, each of
them whole, and the next run is as if nothing had been."""
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time
import unittest

import generator

MOMENTS = 200
COMMAND = ("splits", "--from", "synthetic", "--count", "10,10", "--seed", "2", "--out")
OLD = ("splits", "--from", "synthetic", "--count", "10,10", "--seed", "1", "--out")


def splits(folder):
    """The bytes of the splits, by name; what is hidden is a run's own."""
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if not path.name.startswith(".")}


class Killed(unittest.TestCase):
    def setUp(self):
        # Where a sync takes no time, moments lie closer together.
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(
            prefix="twonmnist-test-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)))
        self.old, self.new = self.made("old", OLD), self.made("new", COMMAND)
        self.assertEqual(self.old.keys(), self.new.keys())
        self.out = self.folder / "out"

    def made(self, name, words):
        generator.run(*words, self.folder / name)
        return splits(self.folder / name)

    def start(self):
        return subprocess.Popen([generator.GENERATE, *COMMAND, self.out], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def kill_at(self, moment_s):
        """Whether it was still there to be killed."""
        process = self.start()
        time.sleep(moment_s)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    def how_long(self):
        begun = time.monotonic()
        self.assertEqual(self.start().wait(), 0)
        return time.monotonic() - begun

    def write_old(self):
        for name, content in self.old.items():
            (self.out / name).write_bytes(content)

    def check(self):
        """What there is: every split is the old one or the new one."""
        now = splits(self.out)
        self.assertEqual(now.keys(), self.new.keys())
        for name, content in now.items():
            self.assertIn(content, (self.old[name], self.new[name]), name)
        return now

    def test_at_any_moment_there_are_whole_splits_and_the_next_run_clears_up(self):
        duration_s = self.how_long()
        rng, n_killed, kinds = random.Random(1), 0, set()
        now = self.new
        for i in range(MOMENTS):
            if now != self.old:
                self.write_old()
            n_killed += self.kill_at(rng.uniform(0, 1.1 * duration_s))
            now = self.check()
            kinds.add(now == self.new)
            self.assertLessEqual(len(generator.tree(self.out)), 40, "what killed runs left adds up")
            if i % 20 == 19:
                generator.run(*COMMAND, self.out)
                now = splits(self.out)
                self.assertEqual(now, self.new)
                self.assertEqual(sorted(os.listdir(self.out)), sorted(self.new))
        self.assertGreater(n_killed, MOMENTS // 4)
        self.assertIn(False, kinds)

    def test_where_there_was_none_there_is_none_or_a_whole_one(self):
        self.out.mkdir()
        for i in range(20):
            self.kill_at(0.004 * i)
            for name, content in splits(self.out).items():
                self.assertEqual(content, self.new[name], name)
            for name in self.new:
                (self.out / name).unlink(missing_ok=True)
        generator.run(*COMMAND, self.out)
        self.assertEqual(sorted(os.listdir(self.out)), sorted(self.new))


if __name__ == "__main__":
    unittest.main()
