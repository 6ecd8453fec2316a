# SPDX-License-Identifier: Apache-2.0
"""A daemon and a client on a machine that goes wrong (tests/faulty.c): its calendar jumps, its disk
is slow, its memory runs out."""
import datetime
import hashlib
import json
import mmap
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import threading
import time
import unittest

import daemon
import wire

LIBRARY = daemon.BUILD / "tests/.libs/faulty.so"
DAY_S = 86400
SHIFT, IS_SLOW, ALLOCATIONS, N_READS = range(4)
SAMPLE = "/v1/splits/train/samples/0.bin"


def setUpModule():
    global data
    if not LIBRARY.exists():
        raise unittest.SkipTest(f"there is no {LIBRARY}")
    data = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()), "--count",
                           "60,20", source="synthetic")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        path = self.folder / "faults"
        path.write_bytes(bytes(mmap.PAGESIZE))
        self.environment = {"LD_PRELOAD": str(LIBRARY), "TWONMNIST_FAULTY": str(path)}
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.addCleanup(self.memory.close)

    def set(self, which, value):
        struct.pack_into("q", self.memory, 8 * which, value)

    def value(self, which):
        return struct.unpack_from("q", self.memory, 8 * which)[0]

    def serving(self, *options, folder=None):
        return self.enterContext(daemon.Daemon(folder or data, *options,
                                               environment=self.environment))


class Clock(Case):
    """The calendar jumps by a day, forth and back; how long things take is no matter of it."""

    def jump(self, ended):
        while not ended.wait(0.05):
            self.set(SHIFT, DAY_S if self.value(SHIFT) <= 0 else -DAY_S)

    def jumping(self):
        ended = threading.Event()
        thread = threading.Thread(target=self.jump, args=(ended,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(ended.set)

    def test_nobody_is_cut_off_by_it(self):
        server = self.serving("--idle-timeout-s", 60, "--request-timeout-s", 60)
        whole = server.get(SAMPLE).body
        head = wire.request("/v1/splits/train/batch.safetensors", "Content-Length: 16", method="POST")
        with wire.connect(server) as idle, wire.connect(server) as asking:
            asking.sendall(head + b'{"indices"')
            for shift in (DAY_S, -DAY_S, 0):
                self.set(SHIFT, shift)
                time.sleep(1.2)  # peers are looked at each second
                idle.sendall(wire.request(SAMPLE))
                self.assertEqual(wire.receive_answer(idle)[2], whole)
            asking.sendall(b": [0]}")
            self.assertEqual(wire.receive_answer(asking)[0], 200)

    def test_who_is_late_is_cut_off_all_the_same(self):
        server = self.serving("--idle-timeout-s", 1, "--request-timeout-s", 1)
        self.jumping()
        with wire.connect(server) as idle, wire.connect(server) as asking:
            asking.sendall(b"GET /healthz HT")
            self.assertTrue(wire.is_closed(idle))
            self.assertTrue(wire.is_closed(asking))

    def test_a_token_expires_by_it(self):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        path = self.folder / "tokens"
        path.write_text(f"a {hashlib.sha256(b'a-token-of-alice').hexdigest()} "
                        f"{soon.strftime('%Y-%m-%dT%H:%M:%SZ')}\n", encoding="utf-8")
        server = self.serving("--token-file", path)
        for shift, status in ((0, 200), (DAY_S, 401), (-DAY_S, 200)):
            self.set(SHIFT, shift)
            time.sleep(0.05)  # a coarse clock ticks
            self.assertEqual(server.get(SAMPLE, Authorization="Bearer a-token-of-alice").status, status)

    def test_dates_are_those_of_it_and_durations_are_not(self):
        log = self.folder / "access.log"
        server = self.serving("--access-log", log, "--threads", 1)
        self.jumping()
        for _ in range(40):
            server.get(SAMPLE)
            time.sleep(0.02)
        lines = daemon.wait_until(lambda: len(found := log.read_text().splitlines()) >= 40 and found)
        now = datetime.datetime.now(datetime.timezone.utc)
        days = set()
        for line in map(json.loads, lines):
            told = datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
            days.add(round((told - now).total_seconds() / DAY_S))
            self.assertGreater(line["duration_s"], 0)
            self.assertLess(line["duration_s"], 3600)
        self.assertLessEqual({-1, 1}, days)
        self.assertLessEqual(days, {-1, 0, 1})

    def test_a_stop_waits_no_day_for_a_log_on_a_disk_that_takes_nothing(self):
        server = self.serving("--access-log", self.folder / "access.log")
        self.set(IS_SLOW, 1)
        server.get(SAMPLE)
        self.set(SHIFT, DAY_S)
        self.addCleanup(server.process.kill)
        server.process.terminate()
        self.assertEqual(server.process.wait(timeout=60), 0)

    def test_a_client_gets_all_it_asks_for(self):
        server = daemon.Daemon(data)
        self.enterContext(server)
        self.jumping()
        for i in range(5):
            got = subprocess.run([daemon.COMMAND_LINE, "get", "train", str(i), "--format", "bin",
                                  "--server", server.url], capture_output=True, timeout=60, check=True,
                                 env={**os.environ, **self.environment})
            self.assertEqual(got.stdout, server.get(f"/v1/splits/train/samples/{i}.bin").body)


class Disk(Case):
    def test_who_asks_does_not_wait_for_a_reload_from_a_slow_disk(self):
        copy = pathlib.Path(shutil.copytree(data, self.folder / "data"))
        server = self.serving("--threads", 2, "--scrub-rate", 16 << 30, folder=copy)
        server.wait_until_verified()
        whole = server.get(SAMPLE).body
        for path in sorted(copy.glob("*.safetensors")):
            other = path.with_suffix(".new")
            shutil.copy(path, other)
            other.rename(path)
        self.set(IS_SLOW, 1)
        server.process.send_signal(signal.SIGHUP)
        daemon.wait_until(lambda: self.value(N_READS) > 0)
        self.assertEqual(server.get(SAMPLE).body, whole)
        self.assertEqual(server.get("/v1/pairs/nmnist-train/1/batches/0.safetensors?size=64").status, 200)
        self.assertEqual(self.value(N_READS), 1, "the reload is over")
        self.set(IS_SLOW, 0)
        server.wait_for("reloaded ")
        self.assertEqual(server.get(SAMPLE).body, whole)


class Memory(Case):
    """Whole requests through the daemon: in turn each allocation of it fails, in whichever library."""

    TARGETS = (SAMPLE, "/v1/splits/train/samples/0.json", "/v1/splits/train/samples/1.npy?timestep=7",
               "/v1/splits/train/batch.safetensors?indices=0,2,4,6,8,10,1,3,5", "/v1/splits/test",
               "/v1/splits/train/epochs/1/%d/batches/0.safetensors?size=4&as=frames&bins=3",
               "/v1/pairs/nmnist-train/1/batches/0.safetensors?size=16", "/nothing")
    MOST = 400

    def ask(self, server, target):
        try:
            with wire.connect(server) as connection:
                connection.sendall(wire.request(target, "Connection: close"))
                return wire.receive_answer(connection)
        except ConnectionError:
            return None, b"", b""

    def check(self, server, target, n):
        """Whether one of so many allocations failed."""
        target = target % n if "%" in target else target
        self.set(ALLOCATIONS, n)
        status, head, body = self.ask(server, target)
        failed = self.value(ALLOCATIONS) == 0
        self.set(ALLOCATIONS, 0)
        right = self.ask(server, target)
        self.assertIn(right[0], (200, 404), "it is answered when there is memory again")
        if status == 500:
            self.assertIn(body[:1], (b"", b"{"))
            self.assertIn(json.loads(body)["code"] if body else "no-memory", ("no-memory",))
        elif status == right[0] >= 400 and not body:
            pass  # the status says it alone
        elif status is not None:  # else it was hung up on
            self.assertEqual((status, body), (right[0], right[2]))
        return failed

    def test_each_allocation_fails_and_the_daemon_lives(self):
        server = self.serving("--threads", 1, "--scrub-rate", 16 << 30, "--watch-interval-s", 0)
        server.wait_until_verified()
        for target in self.TARGETS:
            with self.subTest(target):
                n = 1
                while self.check(server, target, n):
                    n += 1
                    self.assertLess(n, self.MOST)
                self.assertGreater(n, 1)
        self.assertIsNone(server.process.poll())


if __name__ == "__main__":
    unittest.main()
