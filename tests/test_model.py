# SPDX-License-Identifier: Apache-2.0
"""bench/model.py: what is simulated is what can be said without, and doc/scale.md has its tables."""
import math
import os
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
sys.path.insert(0, str(ROOT / "bench"))
import model  # noqa: E402


class Simulated(unittest.TestCase):
    def check(self, n, daemons, rate, waits, **more):
        got, waited = model.simulate(n, daemons, 0.1, seconds=6, **more)
        self.assertAlmostEqual(got / rate, 1, delta=0.08)
        self.assertAlmostEqual(waited, waits, delta=0.08)

    def test_where_there_is_enough_of_all_nobody_waits(self):
        self.check(20, [model.Daemon(4, 1e-3, math.inf, 0)], 200, 0)

    def test_the_processor_is_the_limit(self):
        self.check(100, [model.Daemon(2, 10e-3, math.inf, 0)], 200, 0.8)

    def test_so_it_is_where_it_is_a_share_of_one_core(self):
        self.check(100, [model.Daemon(0.5, 10e-3, math.inf, 0)], 50, 0.95)

    def test_the_link_is_the_limit(self):
        self.check(100, [model.Daemon(16, 1e-3, 1e8, 1e6)], 100, 0.9)

    def test_daemons_add_up(self):
        self.check(400, [model.Daemon(1, 5e-3, math.inf, 0) for _ in range(3)], 600, 0.85)

    def test_what_a_node_keeps_costs_no_daemon_anything(self):
        self.check(100, [model.Daemon(1, 10e-3, math.inf, 0)], 1000, 0, hits=0.95)

    def test_what_breaks_first_is_where_the_simulation_stops(self):
        limits = model.bounds(2, model.STORED_CPU_S, model.LINKS["10 Gbit/s"], model.EVENTS_BYTES)
        daemon = model.Daemon(2, model.STORED_CPU_S, model.LINKS["10 Gbit/s"], model.EVENTS_BYTES)
        got, _ = model.simulate(300, [daemon], 1 / model.APPETITE, seconds=3)
        self.assertAlmostEqual(got / min(limits.values()), 1, delta=0.08)


class Document(unittest.TestCase):
    def test_it_has_the_tables(self):
        text = (ROOT / "doc/scale.md").read_text(encoding="utf-8")
        self.assertIn("\n".join(model.capacity()), text)

    def test_its_pictures_are_there(self):
        text = (ROOT / "doc/scale.md").read_text(encoding="utf-8")
        names = re.findall(r"!\[[^\]]+\]\((\S+?)\)", text)
        self.assertEqual(len(names), 3)
        for name in names:
            self.assertIn("<svg", (ROOT / "doc" / name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
