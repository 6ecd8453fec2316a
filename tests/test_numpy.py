# SPDX-License-Identifier: Apache-2.0
"""common/'s random numbers, orders and shares against NumPy itself, over many seeds and sizes."""
import random
import subprocess
import unittest

import numpy as np

import daemon

DRIVER = daemon.BUILD / "tests/random_driver"
N_CASES = 300
EDGES_32 = [0, 1, 2, 41, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
EDGES_64 = EDGES_32 + [2**32, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1]


def ask(requests):
    """The driver's answers to lists of words, as lists of numbers."""
    lines = "".join(" ".join(map(str, request)) + "\n" for request in requests)
    ended = subprocess.run([DRIVER], input=lines, capture_output=True, text=True, check=True)
    return [[int(word) for word in line.split()] for line in ended.stdout.splitlines()]


class Numpy(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(20261124)

    def any_u32(self):
        return self.random.choice([self.random.choice(EDGES_32), self.random.getrandbits(32)])

    def any_u64(self):
        return self.random.choice([self.random.choice(EDGES_64), self.random.getrandbits(64)])

    def compare(self, requests, expected):
        answers = ask(requests)
        self.assertEqual(len(answers), len(requests))
        self.assertGreaterEqual(len(requests), N_CASES)
        for request, answer, wanted in zip(requests, answers, expected):
            self.assertEqual(answer, [int(value) for value in wanted], request[:8])

    def test_the_stream_of_a_seed(self):
        seeds = [self.any_u32() for _ in range(N_CASES)]
        self.compare([("seed", 700, seed) for seed in seeds],
                     [np.random.RandomState(seed).randint(0, 2**32, 700, np.uint32)
                      for seed in seeds])

    def test_the_stream_of_several_keys(self):
        keys = [[self.any_u32() for _ in range(self.random.choice([1, 2, 2, 2, 3, 9, 623, 650]))]
                for _ in range(N_CASES)]
        self.compare([("u32", 20, *key) for key in keys],
                     [np.random.RandomState(key).randint(0, 2**32, 20, np.uint32) for key in keys])

    def test_bounded_integers(self):
        # RandomState.randint(0, 2^64) is the only range that NumPy cannot be asked for.
        cases = [(min(self.any_u64() >> self.random.choice([0, 1, 20, 32, 50]), 2**64 - 2),
                  self.any_u32()) for _ in range(N_CASES)]
        expected = []
        for most, seed in cases:
            state = np.random.RandomState(seed)
            expected.append([state.randint(0, most + 1, dtype=np.uint64) for _ in range(10)])
        self.compare([("bounded", 10, most, seed) for most, seed in cases], expected)

    def test_permutations(self):
        cases = [(self.random.choice([0, 1, 2, 3, 10, 255, 256, 257, 1000]), self.any_u32())
                 for _ in range(N_CASES)]
        self.compare([("permutation", n, seed) for n, seed in cases],
                     [np.random.RandomState(seed).permutation(n) for n, seed in cases])

    def test_philox_of_any_key_and_counter(self):
        cases = [(self.any_u64(), self.any_u64()) for _ in range(N_CASES)]
        self.compare([("philox", seed, index) for seed, index in cases],
                     [np.random.Philox(key=seed, counter=index).random_raw(4)
                      for seed, index in cases])

    def test_shares_are_slices(self):
        requests, expected = [], []
        while len(requests) < N_CASES:
            n, size = self.random.randint(1, 200), self.random.randint(1, 250)
            world = self.random.randint(1, 5)
            rank, last = self.random.randrange(world), self.random.choice(["short", "drop", "pad"])
            n_batches = n // size + (last != "drop" and n % size > 0)
            if n_batches == 0:
                continue
            k = self.random.randrange(n_batches)
            order = np.arange(n)
            if last == "pad":
                order = np.resize(order, n_batches * size)
            requests.append(("share", n, size, ["short", "drop", "pad"].index(last), k, rank, world))
            expected.append([n_batches, *order[k * size:(k + 1) * size][rank::world]])
        self.compare(requests, expected)


if __name__ == "__main__":
    unittest.main()
