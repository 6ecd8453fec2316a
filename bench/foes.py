# SPDX-License-Identifier: Apache-2.0
"""Clients of the soak that mean no good, or are slow, or go away. Each kind has an address of its own
on the loopback, as others would have, so that what they are refused is refused to them."""
import pathlib
import random
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/fuzz"))

import end_to_end

RESET = struct.pack("ii", 1, 0)
PAUSE_S = 0.02
LARGE = ("/v1/splits/nmnist-train.safetensors", "/v1/splits/train.safetensors",
         "/v1/pairs/nmnist-train/1/batches/%d.safetensors?size=64",
         "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=8&as=frames")
HALVES = (b"GET /v1/splits/tra", b"GET /healthz HTTP/1.1\r\nHost: a\r\n",
          b"POST /v1/splits/train/batch.json HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
          b"POST /v1/splits/train/batch.json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{")
# What a server may never say to them: 500 is its own fault.
STATUSES = end_to_end.STATUSES - {500}


class Foe:
    def __init__(self, port, address, splits, seed):
        self.port, self.address, self.rng = port, address, random.Random(seed)
        self.requests = end_to_end.Requests(self.rng, splits)
        self.held = []

    def connect(self, receive_buffer=None):
        connection = socket.socket()
        connection.bind((self.address, 0))
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(1)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def ask_large(self):
        path = self.rng.choice(LARGE)
        return f"GET {path % self.rng.randrange(5) if '%' in path else path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


class Killer(Foe):
    """Leaves in the middle of an answer."""

    def step(self):
        with self.connect() as connection:
            connection.sendall(self.ask_large())
            connection.recv(self.rng.choice([1, 1000, 100000]))
            if self.rng.random() < 0.5:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


class Leaver(Foe):
    """Leaves in the middle of a request, its end in the last packet."""

    def step(self):
        with self.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            connection.sendall(self.rng.choice(HALVES))


class Noise(Foe):
    """Sends what is no request, or not quite one."""

    def step(self):
        content = self.requests.noise() if self.rng.random() < 0.3 else self.requests.damaged()
        received = b""
        with self.connect() as connection:
            connection.settimeout(0.05)
            try:
                connection.sendall(content)
                received = connection.recv(65536)
            except OSError:
                pass
        if received and (not received.startswith(b"HTTP/1.") or int(received.split()[1]) not in STATUSES):
            raise end_to_end.Broken(f"to {content[:300]!r} came {received[:300]!r}")


class Sloth(Foe):
    """Holds many connections, and takes little of their answers."""

    def step(self):
        if len(self.held) < 24:
            self.held.append(self.connect(receive_buffer=4096))
            self.held[-1].sendall(self.ask_large())
        for connection in list(self.held):
            try:
                alive = connection.recv(512)
            except TimeoutError:
                alive = True
            except OSError:
                alive = False
            if not alive or self.rng.random() < 0.002:
                connection.close()
                self.held.remove(connection)


class Flood(Foe):
    """Asks without reading, and holds connections on which it says nothing."""

    def step(self):
        if len(self.held) < 200:
            self.held.append(self.connect())
        elif self.rng.random() < 0.05:
            for connection in self.held:
                connection.close()
            self.held.clear()
        with self.connect() as connection:
            connection.settimeout(0.2)
            try:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * self.rng.choice([1, 100, 2000]))
                connection.recv(1000)
            except OSError:
                pass


KINDS = (Killer, Leaver, Noise, Sloth, Flood)


def run(kind, port, address, splits, seed, ended, counts, wrong):
    """Until `ended` is set; counts[0] is what it has done."""
    foe = KINDS[kind](port, address, splits, seed)
    while not ended.wait(PAUSE_S):
        try:
            foe.step()
        except OSError:
            pass  # the server may hang up on it whenever it likes
        except end_to_end.Broken as error:
            wrong.put(f"{KINDS[kind].__name__}: {error}")
            return
        counts[0] += 1
