# SPDX-License-Identifier: Apache-2.0
"""Requests that are wrong on purpose: the daemon says so, forgets nothing, and serves the others."""
import errno
import json
import os
import re
import resource
import signal
import socket
import threading
import time
import unittest

import daemon
import wire

LEAK_REQUESTS = 3000
LEAK_BYTES = 8 << 20  # of 18 KB each that were once lost: 54 MB


def setUpModule():
    global folder, server
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()), "--count",
                             "120,30", source="synthetic")
    # What a sanitizer keeps of freed memory, to find its use, is no leak.
    server = unittest.enterModuleContext(daemon.Daemon(
        folder, "--threads", 2, environment={"ASAN_OPTIONS": "quarantine_size_mb=1"}))


def private_bytes(process):
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as file:
        return 1024 * int(re.search(r"Private_Dirty: *(\d+) kB", file.read())[1])


def head(*lines, version="1.1", target="/healthz", method="GET"):
    return "\r\n".join([f"{method} {target} HTTP/{version}", *lines, "", ""]).encode("latin-1")


class Framing(unittest.TestCase):
    """A proxy in front must not see other requests than the daemon does."""

    def refused(self, data, status, code="bad-request"):
        with wire.connect(server) as connection:
            connection.sendall(data)
            got, _, body = wire.receive_answer(connection)
            self.assertEqual(got, status, body)
            self.assertEqual(json.loads(body)["code"], code)
            self.assertTrue(wire.is_closed(connection))

    def taken(self, data, status=200):
        self.assertEqual(wire.ask(server, data)[0], status)

    def test_a_request_has_one_host(self):
        self.refused(head(), 400)
        self.refused(head("Host: a", "Host: a"), 400)
        self.taken(head("Host: a"))
        self.taken(head(version="1.0"))

    def test_lines_end_with_cr_lf(self):
        self.refused(b"GET /healthz HTTP/1.1\nHost: a\r\n\r\n", 400)
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: a\n\r\n", 400)
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: a\r\nA: b\nC: d\r\n\r\n", 400)
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\n", 400)
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n", 400)

    def test_names_and_colons_touch_and_lines_are_not_folded(self):
        self.refused(head("Host: a", "Content-Length : 5") + b"hello", 400)
        self.refused(head("Host: a", "A\t: b"), 400)
        self.refused(head("Host: a", ": b"), 400)
        self.refused(head("Host: a", "A: b", " c"), 400)
        self.refused(head("Host: a", "A: b", "\tc", "D: e"), 400)
        self.taken(head("Host: a", "A:b", "C: \t d ", "E:"))

    def test_zero_bytes_and_blanks_end_nothing(self):
        self.refused(head("Host: a", target="/healthz\0"), 400)
        self.refused(head("Host: a", "A: b\0c"), 400)
        self.refused(head("Host: a", target="/healthz x"), 400)
        self.refused(head("Host: a", target=" /healthz"), 400)
        for target in ("/v1/splits%00x", "/v1/splits/train%00.safetensors",
                       "/v1/splits/train/samples?length=1%00junk", "/v1/splits?%00"):
            self.refused(head("Host: a", target=target), 400)

    def test_a_body_has_one_length(self):
        post = {"method": "POST", "target": "/v1/splits/train/batch.json"}
        body = b'{"indices": [0]}'
        self.refused(head("Host: a", "Content-Length: 16", "Content-Length: 5", **post) + body, 400)
        self.refused(head("Host: a", "Content-Length: 16", "Transfer-Encoding: chunked", **post),
                     400)
        self.refused(head("Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked",
                          **post), 400)
        self.refused(head("Host: a", "Transfer-Encoding: chunked", version="1.0", **post), 400)
        for coding in ("gzip", "identity", "xchunked", "gzip, chunked"):
            self.refused(head("Host: a", f"Transfer-Encoding: {coding}", **post), 501,
                         "not-implemented")
        self.taken(head("Host: a", "Content-Length: 16", **post) + body)
        self.taken(head("Host: a", "Transfer-Encoding: Chunked", **post) +
                   b"8\r\n" + body[:8] + b"\r\n8;a=b\r\n" + body[8:] + b"\r\n0\r\n\r\n")

    def test_a_length_that_is_none_ends_the_connection(self):
        """Also for what was sent behind it. libmicrohttpd may say the head of its refusal twice."""
        for length in "x", "-1", "1" * 30:
            with self.subTest(length), wire.connect(server) as connection:
                connection.sendall(head("Host: a", f"Content-Length: {length}") +
                                   head("Host: a", target="/v1/splits"))
                said = b""
                while piece := connection.recv(65536):
                    said += piece
                heads = re.findall(rb"HTTP/1.1 (\d+) (?:[^\r]*\r\n)+?\r\n", said)
                self.assertIn(heads, ([b"400"], [b"413"], [b"400"] * 2, [b"413"] * 2))
                self.assertEqual(said.count(b"Connection: close\r\n"), len(heads))
                self.assertNotIn(b"revision", said)

    def test_nothing_is_read_behind_a_body_in_chunks(self):
        """A bare line feed ends the head of a chunk here, and belongs to it elsewhere."""
        for more in (b";\nxx\r\n", b"\nxx\r\n", b"\r\nxx\r\n"):
            with wire.connect(server) as connection:
                connection.sendall(head("Host: a", "Transfer-Encoding: chunked", method="POST",
                                        target="/v1/splits/train/batch.json") +
                                   b"2" + more + b"0\r\n\r\n" + head("Host: a"))
                self.assertEqual(wire.receive_answer(connection)[0], 400)
                self.assertTrue(wire.is_closed(connection))

    def test_a_target_may_be_a_whole_url(self):
        for target in ("http://a/v1/splits", "HTTPS://a:80/v1/splits", "http://a/healthz?"):
            self.taken(head("Host: a", target=target))
        self.taken(head("Host: a", target="http://a"))
        self.taken(head("Host: a", target="http://a/nothing"), 404)

    def test_several_lines_of_a_list_are_one(self):
        path = "/v1/splits/train/samples/0"
        answer = wire.ask(server, wire.request(path, "Accept: image/jpeg",
                                               "Accept: application/octet-stream"))
        self.assertEqual(answer[0], 200)
        self.assertIn(b"application/octet-stream", answer[1])
        tag = re.search(rb"ETag: (.*)", answer[1])[1].strip().decode()
        self.assertEqual(wire.ask(server, wire.request(
            path, "Accept: application/octet-stream", 'If-None-Match: "a"', "if-none-match: \"b\"",
            f"If-None-Match: {tag}"))[0], 304)

    def test_a_body_that_is_far_too_long_is_refused_with_an_answer(self):
        for method in ("POST", "PUT", "GET"):
            data = head("Host: a", f"Content-Length: {1 << 40}", method=method,
                        target="/v1/splits/train/batch.json")
            self.refused(data + b"x" * 1000, 413, "too-large")

    def test_a_head_that_leaves_no_memory_for_the_answer_is_refused_with_one(self):
        for size in range(15200, 16000, 80):
            with self.subTest(size=size):
                got, _, body = wire.ask(server, wire.request("/healthz", "A: " + "x" * size))
                self.assertIn(got, (200, 431), body)

    def test_not_modified_has_no_length_of_its_own(self):
        path = "/v1/splits/train/samples/0.bin"
        whole = server.get(path)
        with wire.connect(server) as connection:
            connection.sendall(wire.request(path, f"If-None-Match: {whole.headers['ETag']}"))
            status, lines, body = wire.receive_answer(connection)
            self.assertEqual((status, body), (304, b""))
            length = re.search(rb"content-length: *(\d+)", lines, re.IGNORECASE)
            self.assertEqual(int(length[1]), len(whole.body))
            connection.sendall(wire.request(path))  # the connection goes on
            self.assertEqual(wire.receive_answer(connection)[2], whole.body)


class Leaks(unittest.TestCase):
    def leave(self, target, requests, *headers):
        """Send a request that ends in nothing, often; private memory afterwards."""
        for _ in range(requests):
            with wire.connect(server) as connection:
                connection.sendall(wire.request(target, *headers))
                connection.shutdown(socket.SHUT_WR)
                wire.is_closed(connection)
        return private_bytes(server.process)

    def test_a_request_with_hundreds_of_parameters_is_refused_and_forgotten(self):
        target = "/" + "b" * 6000 + "?" + "a&" * 300
        self.assertEqual(wire.ask(server, wire.request(target))[0], 400)
        before = self.leave(target, 200)
        self.assertLess(self.leave(target, LEAK_REQUESTS), before + LEAK_BYTES)

    def test_two_faults_in_one_request_are_forgotten(self):
        headers = ("Content-Length: x", "Cookie: a=" + "x" * 8000)
        before = self.leave("/" + "b" * 4000, 200, *headers)
        self.assertLess(self.leave("/" + "b" * 4000, LEAK_REQUESTS, *headers), before + LEAK_BYTES)

    def test_nothing_of_it_is_left_to_wait_for_at_a_stop(self):
        with daemon.Daemon(folder, "--stop-timeout-s", 60) as other:
            wire.ask(other, wire.request("/?" + "a&" * 300))
            wire.ask(other, wire.request("/", "Content-Length: x", "Cookie: a=" + "x" * 8000))
            with wire.connect(other) as connection:  # and half a request is not waited for
                connection.sendall(b"POST /v1/splits/train/batch.json HTTP/1.1\r\nHost: a\r\n"
                                   b"Content-Length: 10\r\n\r\n12")
                other.get("/healthz")
                started = time.monotonic()
                self.assertEqual(other.stop(), 0)
            self.assertLess(time.monotonic() - started, 30)
            self.assertNotIn("still running", "\n".join(other.log))


class Starvation(unittest.TestCase):
    """Clients that keep libmicrohttpd asking: signals, workers and deadlines have their turn."""

    def served(self, other):
        """A heavy answer, which needs a worker and its way back, comes; and then a stop."""
        for _ in range(4):  # so that each loop has to make one
            answer = other.get("/v1/pairs/nmnist-train/1/batches/0.safetensors?size=64&as=frames")
            self.assertEqual(answer.status, 200)
        other.process.send_signal(signal.SIGHUP)
        other.wait_for("reload")
        started = time.monotonic()
        self.assertEqual(other.stop(), 0)
        self.assertLess(time.monotonic() - started, 20)

    def test_a_long_line_of_a_chunk_stops_nobody(self):
        with daemon.Daemon(folder, "--threads", 2, "--stop-timeout-s", 2) as other:
            stuck = [wire.connect(other) for _ in range(8)]
            for connection in stuck:
                connection.sendall(wire.request("/healthz", "Transfer-Encoding: chunked") + b"1;" +
                                   b"a" * 20000)
            self.served(other)
            for connection in stuck:
                connection.close()

    def test_a_long_line_of_a_chunk_is_hung_up_on(self):
        with wire.connect(server) as connection:
            connection.sendall(wire.request("/healthz", "Transfer-Encoding: chunked") + b"1;" +
                               b"a" * 20000)
            self.assertTrue(wire.is_closed(connection))

    def test_clients_that_always_ask_stop_nobody(self):
        with daemon.Daemon(folder, "--threads", 1, "--stop-timeout-s", 2) as other:
            ended = threading.Event()

            def pipeline():
                burst = wire.request("/healthz") * 200
                with wire.connect(other) as connection:
                    reader = threading.Thread(target=wire.is_closed, args=(connection,))
                    reader.start()
                    try:
                        while not ended.is_set():
                            connection.sendall(burst)
                    except OSError:
                        pass
                    reader.join()

            clients = [threading.Thread(target=pipeline) for _ in range(4)]
            for client in clients:
                client.start()
            try:
                self.served(other)
            finally:
                ended.set()
                for client in clients:
                    client.join()


class Door(unittest.TestCase):
    """Where there is no room for a client, he waits, and not for ever."""

    def fill(self, other, n):
        """n clients that say nothing."""
        crowd = [socket.socket() for _ in range(n)]
        for connection in crowd:
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", other.port))
        return crowd

    def check_that_clients_come_in_again(self, other, words):
        for trial in range(3):
            crowd = self.fill(other, 60)
            if trial == 0:  # it is said once a minute
                self.assertIn(words, other.wait_for("clients have to wait"))
            for connection in crowd:
                connection.close()
            for _ in range(8):  # so that each loop is asked
                self.assertEqual(other.get("/healthz").status, 200)

    def test_clients_come_in_again_after_all_places_were_taken(self):
        with daemon.Daemon(folder, "--threads", 2, "--max-connections", 20) as other:
            self.check_that_clients_come_in_again(other, "max_connections")

    def test_clients_come_in_again_after_they_were_closed_for_their_silence(self):
        with daemon.Daemon(folder, "--threads", 2, "--max-connections", 20, "--idle-timeout-s",
                           1) as other:
            crowd = self.fill(other, 60)
            other.wait_for("clients have to wait")
            for _ in range(8):
                self.assertEqual(other.get("/healthz").status, 200)
            for connection in crowd:
                connection.close()

    def test_clients_come_in_again_after_descriptors_were_short(self):
        with daemon.Daemon(folder, "--threads", 2) as other:
            limit = len(os.listdir(f"/proc/{other.process.pid}/fd")) + 20
            resource.prlimit(other.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
            self.check_that_clients_come_in_again(other, os.strerror(errno.EMFILE))

    def test_an_address_has_its_places_in_all_loops_together(self):
        with daemon.Daemon(folder, "--threads", 4, "--max-connections-per-address", 5) as other:
            held = []
            for _ in range(40):
                connection = wire.connect(other)
                try:
                    connection.sendall(wire.request("/healthz"))
                    if wire.receive_answer(connection)[0] == 200:
                        held.append(connection)
                        continue
                except OSError:
                    pass
                connection.close()
            self.assertEqual(len(held), 5)
            for connection in held:
                connection.close()
            for _ in range(100):  # until the daemon has seen that they are gone
                try:
                    if wire.ask(other, wire.request("/healthz"))[0] == 200:
                        break
                except OSError:
                    pass
                time.sleep(0.05)
            else:
                self.fail("nobody comes in again")


if __name__ == "__main__":
    unittest.main()
