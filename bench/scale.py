# SPDX-License-Identifier: Apache-2.0
"""What happens beside heavy clients, when many start at once, to memory, and as things grow."""
import contextlib
import itertools
import selectors
import socket
import subprocess
import threading
import time

import rounds
from results import Line, Plot
from serving import SAMPLE, write_files
from servers import Bare, Nginx

STORM = 512
STORM_S = 120
IDLE = 1000
MANY_S = 20
BATCH_SIZES = (1, 4, 16, 64, 256, 1024)
COUNTS = (600, 6000, 60000)


@contextlib.contextmanager
def heavy_clients(server):
    """Two that pull batches of 256 fresh pairs, and one that pulls batches as JSON."""
    stopped = threading.Event()

    def pull(path):
        for k in itertools.count():
            if stopped.is_set():
                return
            server.get(path % (k % 200))

    threads = [threading.Thread(target=pull, args=(path,)) for path in
               ("/v1/pairs/nmnist-train/1/batches/%d.safetensors?size=256",
                "/v1/pairs/nmnist-train/2/batches/%d.safetensors?size=256",
                "/v1/splits/train/epochs/1/0/batches/%d.json?size=16")]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def tail(bench):
    """The slowest hundredth of single samples beside heavy clients, against alone."""
    with bench.daemon() as server:
        def beside():
            with heavy_clients(server):
                return rounds.load(server, SAMPLE, 8000, 8)
        alone, beside_them = rounds.alternate(lambda: rounds.load(server, SAMPLE, 8000, 8), beside)
        yield Line("p99 of samples, 8 connections, beside heavy clients / alone", "alone",
                   rounds.ratio([x.p99_us for x in beside_them], [x.p99_us for x in alone]), "≤ 3",
                   f"{rounds.median(beside_them, 'p99_us') / 1e3:.2f} ms")


class Client:
    """Asks for paths one behind the other, and knows when it had the last."""

    def __init__(self, address, paths):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self.paths, self.head, self.left = list(paths), b"", None

    def ask(self):
        self.socket.send(f"GET {self.paths.pop(0)} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        self.head, self.left = b"", None

    def take(self, buffer):
        """True: an answer is whole."""
        n = self.socket.recv_into(buffer)
        if n == 0:
            raise SystemExit("a client of the storm was cut off")
        if self.left is None:
            self.head += bytes(buffer[:n])
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return False
            if b" 200 " not in self.head[:20]:
                raise SystemExit(self.head[:end].decode())
            length = self.head[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0]
            self.left = int(length) + end + 4 - len(self.head)
        else:
            self.left -= n
        return self.left == 0


def storm_times(address, paths):
    """Seconds until each of STORM clients has its last answer, in order."""
    buffer = memoryview(bytearray(1 << 20))
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(STORM):
            client = Client(address, paths)
            selector.register(client.socket, selectors.EVENT_WRITE, client)
        ended = []
        while len(ended) < STORM:
            if time.perf_counter() - began > STORM_S:
                raise SystemExit(f"{STORM - len(ended)} of {STORM} clients have waited {STORM_S} s")
            for key, events in selector.select(1):
                client = key.data
                if events & selectors.EVENT_WRITE:
                    client.ask()
                    selector.modify(client.socket, selectors.EVENT_READ, client)
                elif client.take(buffer):
                    if client.paths:
                        client.ask()
                        continue
                    selector.unregister(client.socket)
                    client.socket.close()
                    ended.append(time.perf_counter() - began)
    return ended


def storm_s(address, paths):
    """Seconds until the last of STORM clients has its last answer."""
    return storm_times(address, paths)[-1]


def storm(bench):
    """512 clients that start at once: the description, then batch 0 of 64 stored samples."""
    paths = ["/v1/splits/train", "/v1/splits/train/epochs/1/0/batches/0.safetensors?size=64"]
    with bench.daemon() as ours:
        n_bytes = len(ours.get(paths[1]))
        with Bare(bench.build, bench.split("train"), n_bytes, 64, n_bytes // 64) as bare:
            a, b = rounds.alternate(lambda: storm_s(("127.0.0.1", ours.port), paths),
                                    lambda: storm_s(("127.0.0.1", bare.port), paths[1:]))
    yield Line(f"{STORM} clients at once: the slowest, ours / bare", "bare", rounds.ratio(a, b), "≤ 1.5",
               f"{sorted(a)[len(a) // 2]:.2f} s for {STORM * n_bytes / 1e9:.2f} GB")


def memory(bench):
    """Private memory at rest, of an idle connection, and after many requests, beside nginx's."""
    with bench.daemon() as ours:
        root = bench.folder("memory")
        write_files(ours, root, SAMPLE, 100)
        with Nginx(root, bench.work) as theirs:
            for server in ours, theirs:
                rest = server.private_bytes()
                idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(IDLE)]
                for one in idle:
                    one.sendall(f"GET {SAMPLE % 0} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
                    one.recv(1)
                held = server.private_bytes()
                for one in idle:
                    one.close()
                first = rounds.load(server, SAMPLE, 100, 32, seconds=MANY_S / 4)
                some = server.private_bytes()
                last = rounds.load(server, SAMPLE, 100, 32, seconds=MANY_S)
                many = server.private_bytes()
                yield Line(f"{server.name}: memory after {first.n + last.n:,} requests / after {first.n:,}",
                           "itself", many / some, "≤ 1.05" if server is ours else "",
                           f"at rest {rest / 1e6:.1f} MB; {(held - rest) / IDLE / 1e3:.1f} kB for an idle "
                           f"connection; at the end {many / 1e6:.1f} MB")


def growth(bench):
    """CPU as batches and splits grow: nothing worse than the bytes that are sent."""
    with bench.daemon() as server:
        per_byte = []
        for size in BATCH_SIZES:
            path = f"/v1/splits/train/epochs/1/0/batches/%d.safetensors?size={size}"
            n_bytes = sum(len(server.get(path % k)) for k in range(5)) / 5
            loads = [rounds.load(server, path, 40, 4) for _ in range(rounds.ROUNDS)]
            per_byte.append((size, rounds.median(loads, "cpu_us") * 1e6 / n_bytes))
    yield Line("stored batch: CPU per byte, 1,024 samples / 1 sample", "itself",
               per_byte[-1][1] / per_byte[0][1], "≤ 1.0", f"{per_byte[-1][1]:.0f} µs per MB")
    yield Plot("batch-growth", "Stored batches: CPU per megabyte", "samples in the batch", "µs",
               {"twonmnistd": per_byte})
    cost = []
    for count in COUNTS:
        folder = bench.folder(f"grown-{count}")
        subprocess.run([bench.build / "twonmnist-generate", "splits", "--from", "synthetic", "--count",
                        f"{count},1", "--out", folder], check=True, capture_output=True)
        with type(bench)(bench.build, folder, bench.work).daemon() as server:
            loads = [rounds.load(server, SAMPLE, count // 2, 32) for _ in range(rounds.ROUNDS)]
            cost.append((count, rounds.median(loads, "cpu_us")))
    yield Line("sample: CPU, 60,000 recordings / 600", "itself", cost[-1][1] / cost[0][1], "",
               f"{cost[-1][1]:.1f} µs; what is more is memory that no cache holds")
    yield Plot("split-growth", "Single samples: CPU per request", "recordings", "µs", {"twonmnistd": cost})


ROWS = {"tail": tail, "storm": storm, "memory": memory, "growth": growth}
