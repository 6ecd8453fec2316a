# SPDX-License-Identifier: Apache-2.0
"""Thousands of connections that say nothing beside clients that ask."""
import resource
import socket
import sys
import unittest

import daemon
import prometheus
import wire

IDLE = 10_000
ROOM = 500          # descriptors that either side needs for the rest
BYTES_EACH = 8192   # far less than the memory that a request takes: max_header_bytes
ASKED = 200


def raise_limit():
    """Of this process, and so of its daemon; skips where that is not allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = IDLE + ROOM
    if hard != resource.RLIM_INFINITY and hard < needed:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, needed))
        except ValueError:
            raise unittest.SkipTest(f"{hard} descriptors are allowed; {needed} are needed") from None
    elif soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return soft, hard


class Idle(unittest.TestCase):
    def setUp(self):
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, raise_limit())
        folder = daemon.generate(self.enterContext(daemon.temporary_folder()), "--count", "20,5",
                                 source="synthetic")
        self.server = self.enterContext(daemon.Daemon(
            folder, "--admin-listen", "127.0.0.1:0", "--threads", 2, "--max-connections", IDLE + 100,
            "--idle-timeout-s", 600))
        prometheus.find_admin(self.server)

    def metric(self, name):
        return prometheus.scrape(self.server).value(name)

    def private_bytes(self):
        with open(f"/proc/{self.server.process.pid}/smaps_rollup", encoding="ascii") as rollup:
            return 1024 * sum(int(line.split()[1]) for line in rollup
                              if line.startswith(("Private_Dirty", "Swap:")))

    def check_answers(self):
        whole = self.server.get("/v1/splits/train/samples/0.bin").body
        with wire.connect(self.server) as connection:
            for _ in range(ASKED):
                connection.sendall(wire.request("/v1/splits/train/samples/0.bin"))
                status, _, body = wire.receive_answer(connection)
                self.assertEqual((status, body), (200, whole))

    def test_ten_thousand_hold_little_and_keep_nobody_waiting(self):
        self.check_answers()
        rest, before = self.private_bytes(), self.metric("twonmnist_connections")
        crowd = []
        try:
            for i in range(IDLE):  # over several addresses, for each has so many ports
                connection = socket.socket()
                crowd.append(connection)
                connection.bind((f"127.0.0.{2 + i % 4}", 0))
                connection.connect(("127.0.0.1", self.server.port))
            daemon.wait_until(lambda: self.metric("twonmnist_connections") == before + IDLE)
            self.check_answers()
            each = (self.private_bytes() - rest) / IDLE
            print(f"{each:.0f} bytes of memory for an idle connection", file=sys.stderr)
            if "-fsanitize=" not in self.build():
                self.assertLess(each, BYTES_EACH)
        finally:
            for connection in crowd:
                connection.close()
        daemon.wait_until(lambda: self.metric("twonmnist_connections") == before)
        self.check_answers()

    @staticmethod
    def build():
        config = daemon.BUILD / "Makefile"
        return config.read_text(encoding="utf-8") if config.exists() else ""


if __name__ == "__main__":
    unittest.main()
