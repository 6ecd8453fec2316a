# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow on purpose hold nothing for long: neither places nor memory."""
import threading
import time
import unittest

import daemon
import wire

PATIENCE_S = 60
# 22 MB: more than a socket's buffers take, which are no concern of the daemon's.
FRAMES = "/v1/pairs/nmnist-train/1/batches/0.safetensors?size=32&as=frames"


def setUpModule():
    global folder
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()), "--count",
                             "240,30", source="synthetic")


class Pace:
    """Every 20 ms for at most PATIENCE_S."""

    def __init__(self):
        self.end = time.monotonic() + PATIENCE_S

    def __iter__(self):
        while time.monotonic() < self.end:
            yield
            threading.Event().wait(0.02)


class Readers(unittest.TestCase):
    def trickle(self, connection):
        """Read a little at a time; whether the daemon hung up on that."""
        connection.settimeout(5)
        for _ in Pace():
            try:
                if not connection.recv(512):
                    return True
            except ConnectionResetError:
                return True
        return False

    def test_a_reader_that_is_too_slow_is_cut_off_and_a_quick_one_is_not(self):
        with daemon.Daemon(folder, "--least-rate", 1 << 20, "--request-timeout-s", 1) as server:
            size = int(server.get(FRAMES, "HEAD").headers["Content-Length"])
            with wire.connect(server, receive_buffer=4096) as connection:
                connection.sendall(wire.request(FRAMES))
                self.assertTrue(self.trickle(connection))
            self.assertEqual(len(server.get(FRAMES).body), size)

    def test_a_reader_that_is_too_slow_gives_memory_back(self):
        with daemon.Daemon(folder, "--request-timeout-s", 1, "--max-pending-bytes", 30 << 20,
                           "--max-pending-bytes-per-address", 30 << 20) as server, \
                wire.connect(server, receive_buffer=4096) as connection:
            connection.sendall(wire.request(FRAMES))
            self.assertTrue(connection.recv(1).startswith(b"H"))
            self.assertEqual(server.get(FRAMES).status, 503)
            for _ in Pace():
                if server.get(FRAMES).status == 200:
                    return
            self.fail("the memory of an answer that nobody takes is never free")

    def test_slow_readers_are_served_where_that_is_wished(self):
        with daemon.Daemon(folder, "--least-rate", 0, "--request-timeout-s", 1) as server, \
                wire.connect(server, receive_buffer=4096) as connection:
            connection.sendall(wire.request(FRAMES))
            begun = time.monotonic()
            for _ in Pace():
                self.assertTrue(connection.recv(512))
                if time.monotonic() > begun + 4:  # of which each second would have been the last
                    return


class Senders(unittest.TestCase):
    def test_a_body_that_trickles_in_is_cut_off(self):
        with daemon.Daemon(folder, "--request-timeout-s", 1) as server, \
                wire.connect(server) as connection:
            connection.sendall(wire.request("/v1/splits/train/batch.json", "Content-Length: 10000",
                                            method="POST"))
            connection.setblocking(False)
            for _ in Pace():
                try:
                    connection.send(b" ")
                    if not connection.recv(100):
                        return
                except BlockingIOError:
                    pass
                except OSError:
                    return
            self.fail("the body may take for ever")

    def test_bodies_that_do_not_come_to_an_end_do_not_add_up(self):
        share = 1 << 20
        with daemon.Daemon(folder, "--max-pending-bytes", share, "--max-pending-bytes-per-address",
                           share) as server:
            length = 12000
            body = b'{"indices": [0]}'.ljust(length)
            connections = [wire.connect(server) for _ in range(120)]
            for connection in connections:
                connection.sendall(wire.request("/v1/splits/train/batch.json",
                                                f"Content-Length: {length}", method="POST") +
                                   body[:-1])
            statuses = []
            for connection in connections:
                with connection:
                    connection.sendall(body[-1:])
                    statuses.append(wire.receive_answer(connection)[0])
            self.assertEqual(set(statuses), {200, 503})
            self.assertLessEqual(statuses.count(200), share // length + 1)
            answer = server.get("/v1/splits/train/batch.json", "POST", body)
            self.assertEqual(answer.status, 200)

    def test_a_body_is_no_longer_than_its_indices_need(self):
        with daemon.Daemon(folder, "--max-batch-size", 10) as server:
            for size, status in ((152, 200), (153, 413), (100000, 413)):
                answer = server.get("/v1/splits/train/batch.json", "POST",
                                    b'{"indices": [0]}'.ljust(size))
                self.assertEqual(answer.status, status)


if __name__ == "__main__":
    unittest.main()
