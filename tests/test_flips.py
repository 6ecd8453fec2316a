# SPDX-License-Identifier: Apache-2.0
"""A network that changes any one byte of an answer, in its head or its body: what libtwonmnist hands
over is right or is an error, and never a wrong batch."""
import socket
import subprocess
import threading
import unittest

import daemon
import generator

DRIVER = daemon.BUILD / "tests/flips_driver"
NONE = (b'HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: 27\r\n\r\n'
        b'{"code": "no-such-sample"}\n')
HEAD_END = b"\r\n\r\n"


def setUpModule():
    global server
    files = {name: generator.recording(i, 6)
             for i, name in enumerate(generator.recordings(per_digit=2))}
    source = generator.write_folder(unittest.enterModuleContext(daemon.temporary_folder()), files)
    folder = unittest.enterModuleContext(daemon.temporary_folder())
    generator.run("splits", "--from", source, "--out", folder, "--allow-partial")
    server = unittest.enterModuleContext(daemon.Daemon(folder))


def receive_answer(connection):
    """An answer as it comes: its head with its end, and its body."""
    received = b""
    while HEAD_END not in received:
        received += connection.recv(65536)
    head, body = received.split(HEAD_END, 1)
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)
    return head + HEAD_END, body


class Flipping:
    """Gives the daemon's answers as they are, and of whatever is asked for again as many as there are
    flips(head, body), each with one (place, bits) changed; at last 404. Each on a connection that
    ends with it, so that nobody waits for bytes that a changed length announces."""

    def __init__(self, flips):
        self.flips, self.n_flips = flips, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.answers = {}
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.answer(connection)

    def answer(self, connection):
        try:
            request = b""
            while HEAD_END not in request:
                piece = connection.recv(65536)
                if not piece:
                    return
                request += piece
            connection.sendall(next(self.answers_to(request)))
        except ConnectionError:  # it had seen enough
            pass

    def answers_to(self, request):
        if request not in self.answers:
            with socket.create_connection(("127.0.0.1", server.port)) as upstream:
                upstream.sendall(request)
                self.answers[request] = self.flipped(*receive_answer(upstream))
        return self.answers[request]

    def flipped(self, head, body):
        yield head + body
        answer = bytearray(head + body)
        for place, bits in self.flips(head, body):
            answer[place] ^= bits
            yield bytes(answer)
            answer[place] ^= bits
            self.n_flips += 1
        while True:
            yield NONE


def of_the_head(head, body):
    return [(place, 1 << bit) for place in range(len(head)) for bit in range(8)]


def of_the_body(head, body):
    places = range(len(head), len(head) + len(body))
    return [(place, bits) for place in places for bits in (1 << place % 8, 0xFF)]


class Flips(unittest.TestCase):
    def taken(self, kind, flips):
        """How many answers with a flip were sent, and how many were taken that were right, or wrong."""
        with Flipping(flips) as flipping:
            ended = subprocess.run([DRIVER, kind, flipping.url], capture_output=True, text=True,
                                   timeout=300)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            words = ended.stdout.split()
            return flipping.n_flips, int(words[1]), int(words[3])

    def test_no_changed_byte_of_a_body_is_taken(self):
        for kind, least in (("samples", 500), ("epoch", 500), ("stream", 500), ("pairs", 500), ("mix", 50),
                            ("labels", 200)):
            with self.subTest(kind):
                sent, right, wrong = self.taken(kind, of_the_body)
                self.assertGreater(sent, 2 * least)
                self.assertEqual((right, wrong), (0, 0))

    def test_no_changed_bit_of_a_head_makes_a_wrong_answer(self):
        for kind in ("samples", "epoch", "stream", "pairs", "mix", "labels"):
            with self.subTest(kind):
                sent, right, wrong = self.taken(kind, of_the_head)
                self.assertGreater(sent, 8 * 200)
                self.assertEqual(wrong, 0)
                self.assertGreater(right, 0)  # a letter of a date is nothing to us
                self.assertLess(right, sent)


if __name__ == "__main__":
    unittest.main()
