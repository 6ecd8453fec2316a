# SPDX-License-Identifier: Apache-2.0
"""A lone daemon that is stopped in the middle of several epochs at once, and comes back with the same
data: each of its clients gets the batches of an undisturbed run.

By hand: TWONMNIST_OUTAGE_S=5,20,60 says for how long (default 5 s); TWONMNIST_OTHER_BUILD names the
folder of another build, whose daemon it is that comes back."""
import os
import pathlib
import signal
import threading
import unittest

import daemon
from test_patience import Steps, epoch

OUTAGES_S = [float(word) for word in os.environ.get("TWONMNIST_OUTAGE_S", "5").split(",")]
OTHER_BUILD = os.environ.get("TWONMNIST_OTHER_BUILD")
N_CLIENTS, BEFORE = 4, 8


def setUpModule():
    global folder, whole
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    with daemon.Daemon(folder) as undisturbed:
        whole = epoch(undisturbed.url)
    assert len(whole) > 20 and whole[-1] == "end ok", whole


class Clients:
    """So many epochs at once, of which each waits at batch BEFORE until the test lets all go on."""

    def __init__(self, test, url):
        self.steps = [test.enterContext(Steps(url)) for _ in range(N_CLIENTS)]
        self.middle = threading.Barrier(N_CLIENTS + 1)
        self.threads = [threading.Thread(target=self.run, args=(steps,)) for steps in self.steps]
        for thread in self.threads:
            thread.start()
        self.middle.wait(60)

    def run(self, steps):
        for _ in range(BEFORE):
            steps.take()
        for _ in range(2):  # here we are; go on
            self.middle.wait(60)
        while steps.lines[-1].startswith("batch ok"):
            steps.take()

    def go_on(self):
        self.middle.wait(60)

    def finish(self):
        for thread in self.threads:
            thread.join(300)
        return [steps.lines for steps in self.steps]


class Outage(unittest.TestCase):
    def check(self, outage_s, how):
        with daemon.Daemon(folder) as first:
            clients = Clients(self, first.url)
            first.stop(how)
        clients.go_on()
        clients.threads[0].join(outage_s)  # for what was not fetched ahead all of them wait
        self.assertTrue(all(thread.is_alive() for thread in clients.threads))
        second = daemon.Daemon(folder, listen=f"127.0.0.1:{first.port}")
        if OTHER_BUILD:
            second.command[0] = pathlib.Path(OTHER_BUILD) / "twonmnistd"
        with second:
            for lines in clients.finish():
                self.assertEqual(lines, whole)

    def test_an_outage_costs_its_time_alone(self):
        for i, outage_s in enumerate(OUTAGES_S):
            with self.subTest(seconds=outage_s):
                self.check(outage_s, [signal.SIGTERM, signal.SIGKILL][i % 2])


if __name__ == "__main__":
    unittest.main()
