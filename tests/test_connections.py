# SPDX-License-Identifier: Apache-2.0
"""Many connections at a time, slow ones, and requests at the edge of a connection's memory."""
import re
import selectors
import socket
import time
import unittest

import daemon
import prometheus
import safetensors_reader
import wire

REQUESTS_EACH = 4
STALL_S = 30  # no limit on speed: only a daemon that has stopped is this quiet


def setUpModule():
    global server, samples
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder, "--threads", 2))
    tensors = safetensors_reader.read((folder / "train.safetensors").read_bytes())[0]
    offsets = tensors["offsets"]
    samples = [tensors["events"][offsets[i]:offsets[i + 1]].tobytes()
               for i in range(len(offsets) - 1)]


def request(path, *headers):
    lines = [f"GET {path} HTTP/1.1", "Host: test", *headers, "", ""]
    return "\r\n".join(lines).encode()


class Reader:
    """One keep-alive connection that asks for samples one after another and checks each byte."""

    def __init__(self, number):
        self.number, self.asked, self.received = number, 0, b""
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.setblocking(False)
        self.ask()

    def ask(self):
        self.index = (self.number * 131 + self.asked * 17) % len(samples)
        self.asked += 1
        self.socket.send(request(f"/v1/splits/train/samples/{self.index}.bin"))

    def on_readable(self):
        """Returns whether all its requests are answered."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise AssertionError(f"connection {self.number} was closed")
        self.received += piece
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator or len(body) < len(samples[self.index]):
            return False
        if not head.startswith(b"HTTP/1.1 200 ") or body != samples[self.index]:
            raise AssertionError(f"connection {self.number}: a wrong answer: {head[:200]}")
        self.received = b""
        if self.asked == REQUESTS_EACH:
            return True
        self.ask()
        return False


def receive_all(connection):
    connection.settimeout(STALL_S)
    pieces = []
    while piece := connection.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


class Connections(unittest.TestCase):
    def hold(self, n):
        """n connections that are open together; returns how many requests were answered."""
        readers = [Reader(number) for number in range(n)]
        answered = 0
        with selectors.DefaultSelector() as selector:
            for reader in readers:
                selector.register(reader.socket, selectors.EVENT_READ, reader)
            while selector.get_map():
                ready = selector.select(STALL_S)
                self.assertTrue(ready, f"nothing came for {STALL_S} s: "
                                f"{len(selector.get_map())} of {n} connections wait")
                for key, _ in ready:
                    if key.data.on_readable():
                        answered += key.data.asked
                        selector.unregister(key.fileobj)
        for reader in readers:
            reader.socket.close()
        return answered

    def test_every_byte_is_right_at_any_number_of_connections(self):
        # libmicrohttpd's own event loop stalls at 128, 256, 384 and 512.
        for n in (1, 32, 128, 256, 384, 512, 1024):
            with self.subTest(connections=n):
                self.assertEqual(self.hold(n), n * REQUESTS_EACH)

    def test_requests_in_one_piece_are_answered_in_their_order(self):
        indices = [5, 0, 3, 3, 1]
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"".join(request(f"/v1/splits/train/samples/{i}.bin")
                                        for i in indices[:-1]) +
                               request(f"/v1/splits/train/samples/{indices[-1]}.bin",
                                       "Connection: close"))
            received = receive_all(connection)
        for i in indices:
            head, _, received = received.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 200 "))
            self.assertEqual(received[:len(samples[i])], samples[i])
            received = received[len(samples[i]):]
        self.assertEqual(received, b"")

    def test_nothing_follows_the_headers_of_an_answer_to_head(self):
        paths = ["/healthz", "/v1/splits/train/samples/1.bin", "/v1/splits/train/samples/1.json",
                 "/v1/splits/train/samples/1.npy?order=time",
                 "/v1/splits/train/batch.json?indices=1,2", "/v1/splits/train/labels.json",
                 "/v1/pairs/nmnist-train/1/batches/0.safetensors?size=4", "/nothing"]
        for path in paths:
            with self.subTest(path=path), \
                    socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(request(path).replace(b"GET", b"HEAD") +
                                   request("/healthz", "Connection: close"))
                head, _, behind = receive_all(connection).partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.1 "))
                self.assertIn(behind[:9], (b"", b"HTTP/1.1 "))

    def ask_for_a_batch(self, indices, *headers, behind=b""):
        """Whether the batch came, and whole: what else may come is a refusal of the headers."""
        path = "/v1/splits/train/batch.safetensors?indices=" + ",".join(map(str, indices))
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(request(path, *headers) + behind)
            connection.settimeout(STALL_S)
            received = b""
            try:
                while not self.is_whole(received) and (piece := connection.recv(1 << 20)):
                    received += piece
            except ConnectionResetError:
                pass
        head, _, body = received.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            self.assertIn(head[:12], (b"", b"HTTP/1.1 400", b"HTTP/1.1 431"))
            return False
        tensors, _ = safetensors_reader.read(body)
        self.assertEqual(tensors["indices"].tolist(), indices)
        self.assertEqual(tensors["events"].tobytes(), b"".join(samples[i] for i in indices))
        return True

    @staticmethod
    def is_whole(received):
        head, separator, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        return bool(separator and length) and len(body) >= int(length[1])

    # The memory of 16 KB that headers stand in also holds what libmicrohttpd makes of them, and
    # once held 16 bytes for each part of the answer: where that did not fit, the daemon aborted.
    PARTS = (8, 9, 64, 256)

    def spread(self, n):
        """n indices of which no two are neighbours, so that the answer has as many parts."""
        stride = len(samples) // 2 - 1
        return [i * stride % len(samples) for i in range(n)]

    def test_an_answer_of_many_parts_comes_beside_large_headers(self):
        indices = self.spread(256)
        answered = []
        for size in range(0, 16500, 250):
            headers = [f"X-Filler-{i}: " + "x" * min(500, size - i * 500)
                       for i in range((size + 499) // 500)]
            if self.ask_for_a_batch(indices, "Connection: close", *headers):
                answered.append(size)
        self.assertGreaterEqual(answered[-1], 12000)
        self.assertEqual(answered, list(range(0, answered[-1] + 1, 250)))
        self.assertEqual(server.get("/healthz").status, 200)

    def test_an_answer_of_many_parts_comes_beside_a_large_cookie(self):
        for parts in self.PARTS:
            with self.subTest(parts=parts):
                answered = [size for size in range(5700, 8000, 100) if self.ask_for_a_batch(
                    self.spread(parts), "Cookie: a=" + "x" * size)]
                self.assertIn(5700, answered)
                self.assertEqual(server.get("/healthz").status, 200)

    def test_an_answer_of_many_parts_comes_before_bytes_that_wait_behind_its_request(self):
        for parts in self.PARTS:
            with self.subTest(parts=parts):
                answered = [n for n in range(40, 130, 3) if self.ask_for_a_batch(
                    self.spread(parts), *["a:"] * n, behind=b"GET /" + b"x" * 8000)]
                self.assertIn(40, answered)
                self.assertEqual(server.get("/healthz").status, 200)

    def test_a_folded_header_does_not_end_the_daemon(self):
        for size in range(4000, 8000, 200):
            self.ask_for_a_batch(self.spread(256), "X: a", " " + "y" * size)
        self.assertEqual(server.get("/healthz").status, 200)

    def test_a_client_that_leaves_in_the_middle_harms_nobody(self):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(request("/v1/splits/train.safetensors"))
                connection.recv(1000)
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(request("/v1/pairs/nmnist-train/1/batches/0.safetensors"
                                           "?size=256&as=frames"))
        self.assertEqual(server.get("/v1/splits/train/samples/0.bin").body, samples[0])


class Deadlines(unittest.TestCase):
    def test_a_request_that_trickles_in_is_cut_off(self):
        with daemon.temporary_folder() as folder:
            daemon.generate(folder)
            with daemon.Daemon(folder, "--idle-timeout-s", 1, "--request-timeout-s", 1) as slow, \
                    socket.create_connection(("127.0.0.1", slow.port)) as connection:
                connection.settimeout(0.2)
                sent, closed = 0, False
                while not closed and sent < 300:
                    try:
                        connection.send(b"G" if sent == 0 else b"E")
                        sent += 1
                        closed = connection.recv(1000) == b""
                    except TimeoutError:
                        pass
                    except OSError:
                        closed = True
                self.assertTrue(closed)


class Left(unittest.TestCase):
    """Clients whose end comes together with their last bytes: libmicrohttpd, which is told of both
    at once, may see only the bytes."""

    HALVES = (
        b"GET /v1/splits/tra",
        request("/healthz")[:-2],
        b"POST /v1/splits/train/batch.json HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        b"POST /v1/splits/train/batch.json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"\r\n5\r\n{",
    )
    IDLE_S = 600

    def setUp(self):
        self.other = self.enterContext(daemon.Daemon(
            server.command[server.command.index("--data") + 1], "--admin-listen", "127.0.0.1:0",
            "--idle-timeout-s", self.IDLE_S, "--request-timeout-s", self.IDLE_S))
        prometheus.find_admin(self.other)
        self.before = self.count()

    def count(self):
        return prometheus.scrape(self.other).value("twonmnist_connections")

    @staticmethod
    def end_with(connection, data):
        """Send the data and the end in one packet."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    def expect_none(self):
        daemon.wait_until(lambda: self.count() == self.before)

    def test_half_a_request_holds_no_place_once_its_client_is_gone(self):
        for half in self.HALVES * 10:
            with wire.connect(self.other) as connection:
                self.end_with(connection, half)
        self.expect_none()

    def test_nor_does_a_client_that_leaves_behind_its_answer(self):
        for _ in range(20):
            with wire.connect(self.other) as connection:
                connection.sendall(request("/v1/splits/train/samples/0.bin"))
                self.assertEqual(wire.receive_answer(connection)[2], samples[0])
                self.end_with(connection, b"G")
        self.expect_none()
        page = prometheus.scrape(self.other)
        cut = page.values("twonmnist_connections_cut_total", "phase")
        self.assertEqual(set(cut.values()), {0}, "who has left is not cut off for being slow")

    def test_who_only_stops_sending_gets_all_of_the_answer(self):
        path = "/v1/splits/train/batch.safetensors?indices=" + ",".join(map(str, range(60)))
        whole = self.other.get(path).body
        with wire.connect(self.other, receive_buffer=4096) as connection:
            self.end_with(connection, request("/healthz") + request(path))
            time.sleep(3)  # of which the second would be too many for who has left
            received = receive_all(connection)
        self.assertTrue(received.endswith(whole))


if __name__ == "__main__":
    unittest.main()
