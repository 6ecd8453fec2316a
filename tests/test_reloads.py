# SPDX-License-Identifier: Apache-2.0
"""Requests through reloads: whoever asks without pause sees nothing of them."""
import signal
import threading
import unittest

import daemon
import safetensors_reader
import wire

CLIENTS, RELOADS, REQUESTS = 4, 40, 10_000
BATCH = 16


class Client(threading.Thread):
    """Asks for samples in pieces of several requests on one connection, until it is told to end and
    has had its share of answers; looks at each byte."""

    def __init__(self, server, samples, number, ended):
        super().__init__()
        self.server, self.samples, self.number, self.ended = server, samples, number, ended
        self.answered, self.fault = 0, None

    def ask(self, connection, received):
        indices = [(self.number + 7 * (self.answered + i)) % len(self.samples) for i in range(BATCH)]
        connection.sendall(b"".join(wire.request(f"/v1/splits/train/samples/{i}.bin") for i in indices))
        for i in indices:
            whole = self.samples[i]
            while (end := received.find(b"\r\n\r\n")) < 0 or len(received) < end + 4 + len(whole):
                piece = connection.recv(1 << 20)
                if not piece:
                    raise AssertionError("the connection was closed")
                received += piece
            head, body = received[:end], received[end + 4:end + 4 + len(whole)]
            if not head.startswith(b"HTTP/1.1 200 ") or body != whole:
                raise AssertionError(f"sample {i}: {bytes(head)!r}")
            del received[:end + 4 + len(whole)]
            self.answered += 1

    def run(self):
        try:
            with wire.connect(self.server) as connection:
                received = bytearray()
                while not self.ended.is_set() or self.answered < REQUESTS // CLIENTS:
                    self.ask(connection, received)
        except (AssertionError, OSError) as fault:
            self.fault = fault


class Reloads(unittest.TestCase):
    def test_no_request_fails_and_no_connection_ends(self):
        folder = daemon.generate(self.enterContext(daemon.temporary_folder()), "--count", "60,10",
                                 source="synthetic")
        tensors = safetensors_reader.read((folder / "train.safetensors").read_bytes())[0]
        offsets = tensors["offsets"]
        samples = [tensors["events"][a:b].tobytes() for a, b in zip(offsets, offsets[1:])]
        with daemon.Daemon(folder, "--threads", 2) as server:
            ended = threading.Event()
            clients = [Client(server, samples, number, ended) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            try:
                for _ in range(RELOADS):
                    server.process.send_signal(signal.SIGHUP)
                    server.wait_for("reloaded ")
            finally:
                ended.set()
                for client in clients:
                    client.join()
            self.assertEqual([client.fault for client in clients], [None] * CLIENTS)
            self.assertGreaterEqual(sum(client.answered for client in clients), REQUESTS)


if __name__ == "__main__":
    unittest.main()
