#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real daemon under random bytes, damaged requests and random valid ones: it lives, answers what
is right in between, and its memory stays flat. Meant for a build with sanitizers.

    TWONMNIST_BUILD=build-check-clang tests/fuzz/end_to_end.py [SECONDS [SEED]]
"""
import collections
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import safetensors_reader
from daemon import DAEMON, generate, temporary_folder

STATUSES = {100, 200, 206, 304, 400, 404, 405, 406, 408, 411, 413, 414, 416, 417, 429, 431,
            500, 501, 503, 505}
OURS = {500, 503}  # never the answer to one client that asks for small things
PATIENCE_S = 30
CHECK_EVERY = 40  # a request whose answer is known, after so many others
MEASURE_EVERY_S = 0.5
GROWTH_MAX = 24 << 20  # bytes between the second fifth of the time and the last one
SANITIZER = ("ERROR: ", "runtime error", "SUMMARY: ")
ENVIRONMENT = {
    # Freed memory that AddressSanitizer keeps would look like a leak.
    "ASAN_OPTIONS": "quarantine_size_mb=4:thread_local_quarantine_size_kb=64:"
                    "allocator_release_to_os_interval_ms=500",
}


class Broken(Exception):
    """The daemon, or an answer, is not as it must be."""


class Served:
    """The daemon over a small synthetic set."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        generate(self.folder / "data", "--count", "60,20", "--seed", "3", source="synthetic")
        self.splits = {path.stem: safetensors_reader.read(path.read_bytes())[0]
                       for path in (self.folder / "data").glob("*.safetensors")}
        self.log = self.folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [DAEMON, "--data", self.folder / "data", "--listen", "127.0.0.1:0",
                 "--threads", "2", "--max-pending-bytes", "67108864", "--max-answer-bytes",
                 "16777216", "--max-batch-size", "64", "--idle-timeout-s", "5",
                 "--request-timeout-s", "5", "--stop-timeout-s", "3"],
                stderr=log, env={**os.environ, **ENVIRONMENT})
        self.port = self.wait_for_port()

    def wait_for_port(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            for line in self.log.read_text(errors="replace").splitlines(keepends=True):
                if "listening on" in line and line.endswith("\n"):
                    return int(line.rsplit(":", 1)[1])
            time.sleep(0.02)
        raise Broken("the daemon does not start: " + self.log.read_text(errors="replace"))

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer

    def private_bytes(self):
        """Of the process alone, shared with no file that it maps."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as rollup:
            rows = (line.split() for line in rollup)
            return 1024 * sum(int(row[1]) for row in rows
                              if row[0] in ("Private_Dirty:", "Swap:"))

    def check(self):
        if self.process.poll() is not None:
            raise Broken(f"the daemon has ended with {self.process.returncode}")

    def last_words(self):
        return self.log.read_text(errors="replace")[-4000:]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        log = self.log.read_text(errors="replace")
        if status != 0 or any(word in log for word in SANITIZER):
            raise Broken(f"at its end: status {status}: {log[-4000:]}")


def read_answer(peer, head=False):
    """(status, headers, body) of one answer, read whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = peer.recv(65536)
        if not piece:
            raise Broken(f"the connection ended within the answer's head: {received[:200]!r}")
        received += piece
    lines, body = received.split(b"\r\n\r\n", 1)
    first, *rest = lines.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip()
               for name, _, value in (line.partition(":") for line in rest)}
    status = int(first.split()[1])
    length = 0 if head or status == 304 else int(headers["content-length"])
    while len(body) < length:
        piece = peer.recv(65536)
        if not piece:
            raise Broken(f"{len(body)} of {length} bytes came")
        body += piece
    if len(body) != length:
        raise Broken(f"{len(body)} bytes came where {length} were promised")
    return status, headers, body


def request_bytes(method, url, headers=(), body=b""):
    lines = [f"{method} {url} HTTP/1.1", "Host: fuzz", *headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Requests:
    """Makes requests up: valid ones, and damaged ones."""

    def __init__(self, rng, splits):
        self.rng = rng
        self.names = sorted(splits)
        self.sources = [name for name in self.names if name.startswith("nmnist-")]

    def form(self):
        rng, words = self.rng, []
        if rng.random() < 0.3:
            words.append("order=" + rng.choice(["time", "published"]))
        if rng.random() < 0.3:
            words.append(f"timestep={rng.choice([1, 7, 1000, 300000])}")
        if rng.random() < 0.3:
            words += ["as=frames", f"bins={rng.choice([1, 3, 20])}"]
            words += rng.sample(["overlap=sum", "axes=CHWT", "binning=floor"], rng.randrange(3))
        return words

    def numbers(self, most, n):
        return ",".join(str(self.rng.randrange(most)) for _ in range(n))

    def url(self):
        rng = self.rng
        split, source = rng.choice(self.names), rng.choice(self.sources)
        sample = rng.choice([".bin", ".json", ".npy", ""])
        batch = rng.choice([".safetensors", ".json", ""])
        page = [f"offset={rng.randrange(70)}", f"length={rng.choice([1, 5, 100])}"]
        share = [f"size={rng.choice([1, 8, 32])}", f"rank={rng.randrange(2)}", "world=2"]
        path, words = rng.choice([
            ("/healthz", []),
            ("/readyz", []),
            ("/v1/splits", []),
            (f"/v1/splits/{split}{rng.choice(['', '.json', '.safetensors'])}", []),
            (f"/v1/splits/{split}/labels{rng.choice(['.json', '.npy'])}", []),
            (f"/v1/splits/{split}/samples", page),
            (f"/v1/splits/{split}/samples/{rng.randrange(25)}{sample}", self.form()),
            (f"/v1/splits/{split}/batch{batch}",
             ["indices=" + self.numbers(20, rng.randrange(1, 40)), *self.form()]),
            (f"/v1/splits/{split}/epochs/{rng.randrange(3)}/{rng.randrange(9)}/batches/"
             f"{rng.randrange(3)}{batch}",
             [*share, "last=" + rng.choice(["short", "drop", "pad"]), *self.form()]),
            (f"/v1/sources/{source}/samples/{rng.randrange(25)}{sample}", self.form()),
            (f"/v1/mix/{source}/{self.numbers(20, rng.randrange(2, 4))}{sample}", self.form()),
            (f"/v1/pairs/{source}/{rng.randrange(9)}/{rng.getrandbits(64)}{sample}", self.form()),
            (f"/v1/pairs/{source}/{rng.randrange(9)}/batches/{rng.randrange(99)}{batch}",
             [*share, *self.form()]),
        ])
        return path + ("?" + "&".join(words) if words else "")

    def valid(self):
        """(method, bytes)"""
        rng = self.rng
        headers = rng.sample(["Accept: application/json", "Accept: */*;q=0.5", "If-None-Match: *",
                              "Range: bytes=10-99", "Range: bytes=-1", "Cookie: a=b",
                              "User-Agent: fuzz"], rng.choice([0, 0, 0, 1, 2]))
        kind = rng.random()
        if kind < 0.1:
            body = json.dumps({"indices": [rng.randrange(20) for _ in range(rng.randrange(30))]})
            url = f"/v1/splits/{rng.choice(self.names)}/batch" + rng.choice([".json", ""])
            return "POST", request_bytes("POST", url, headers, body.encode())
        method = "HEAD" if kind < 0.2 else "GET"
        return method, request_bytes(method, self.url(), headers)

    def noise(self):
        rng = self.rng
        letters = rng.choice([range(256), b"GETHP/1. \r\n:", b"\r\n", b"\0"])
        return bytes(rng.choices(letters, k=rng.choice([1, 9, 100, 3000, 20000])))

    def damaged(self):
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice(HOSTILE)
        text = bytearray(b"".join(self.valid()[1] for _ in range(rng.choice([1, 1, 2, 5]))))
        for _ in range(rng.choice([1, 1, 2, 4, 16])):
            at, n = rng.randrange(len(text) + 1), rng.choice([1, 1, 2, 8])
            other = self.valid()[1]
            rng.choice([
                lambda: text.__setitem__(slice(at, at + n), bytes(rng.choices(range(256), k=n))),
                lambda: text.__setitem__(slice(at, at + n), b""),
                lambda: text.__setitem__(slice(at, at), other[rng.randrange(len(other)):][:40]),
                lambda: text.__setitem__(slice(at, at), text[at:at + n] * rng.choice([2, 2000])),
                lambda: text.__setitem__(slice(at, at), rng.choice(PIECES)),
            ])()
        return bytes(text[:200000])


PIECES = [
    b"\r\n", b"\n", b"\r\n\r\n", b"\0", b"%00", b"%", b"?", b"&", b"&=&", b"a&" * 300, b"?a&" * 99,
    b"a" * 9000, b"Cookie: " + b"x" * 6500 + b"\r\n", b"A: b\r\n" * 120, b"\r\n A: folded",
    b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    b"\r\n\r\n1;" + b"a" * 17000, b"Content-Length: 99999999999\r\n", b"Content-Length: -1\r\n",
    b"Content-Length: 3\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n",
    b"Upgrade: h2c\r\n", b"HTTP/1.0", b"HTTP/2", b"Host: other\r\n",
    b"Range: bytes=0-18446744073709551615\r\n", b"18446744073709551616",
]

# Each of these once stopped, froze or starved a daemon.
HOSTILE = [
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 20000,
    b"GET /" + b"b" * 15000 + b"?a" + b"&a" * 299 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/splits/train/batch.safetensors?indices=" + b"0,2," * 31 + b"0 HTTP/1.1\r\nHost: x\r\n"
    b"Cookie: a=" + b"x" * 6500 + b"\r\n\r\n",
    b"POST /v1/splits/train/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"
    b'{"indices": [' + b"1," * 140000,
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 500,
    b"POST /v1/splits/train/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 9\r\n"
    b"\r\nabcdefghi",
]


class Run:
    """One daemon, and what was done to it."""

    def __init__(self, served, seed):
        self.served = served
        self.rng = random.Random(seed)
        self.requests = Requests(self.rng, served.splits)
        self.counts = collections.Counter()
        self.known = {}
        self.peer = None

    def throw(self, content):
        """Send what may be anything; whatever comes back has to look like HTTP."""
        with self.served.connect() as peer:
            peer.settimeout(PATIENCE_S)
            received = b""
            try:
                peer.sendall(content)
                if self.rng.random() < 0.5:
                    peer.shutdown(socket.SHUT_WR)
                peer.settimeout(self.rng.choice([0.001, 0.02]))
                received = peer.recv(65536)
            except OSError:  # it may hang up at any time
                pass
            if received and not received.startswith(b"HTTP/1."):
                raise Broken(f"to {content[:300]!r} came {received[:300]!r}")
            if received and int(received.split()[1]) not in STATUSES:
                raise Broken(f"to {content[:300]!r} came {received[:300]!r}")
            self.counts["answered"] += bool(received)

    def ask(self, method, content):
        """Send a valid request over a connection that is kept, and read its whole answer."""
        if self.peer is None or self.rng.random() < 0.02:
            self.close()
            self.peer = self.served.connect()
        self.peer.sendall(content)
        answer = read_answer(self.peer, head=method == "HEAD")
        if answer[1].get("connection", "").lower() == "close":
            self.close()
        return answer

    def close(self):
        if self.peer:
            self.peer.close()
        self.peer = None

    def ask_valid(self):
        method, content = self.requests.valid()
        status, headers, body = self.ask(method, content)
        self.counts[status] += 1
        if status not in STATUSES or status in OURS:
            raise Broken(f"to {content!r} came {status}: {body[:300]!r}")
        if method != "HEAD" and "json" in headers.get("content-type", ""):
            json.loads(body)

    def ask_known(self):
        """The events of a sample are those of the file; an epoch's batch is what it always was."""
        name = self.rng.choice(self.requests.names)
        tensors = self.served.splits[name]
        i = self.rng.randrange(len(tensors["labels"]))
        first, last = (int(offset) for offset in tensors["offsets"][i:i + 2])
        url = f"/v1/splits/{name}/samples/{i}.bin"
        status, _, body = self.ask("GET", request_bytes("GET", url))
        if status != 200 or body != tensors["events"][first:last].tobytes():
            raise Broken(f"{url}: {status}, {len(body)} bytes that are not the sample")
        url = f"/v1/pairs/{self.requests.sources[0]}/5/batches/{self.rng.randrange(5)}.safetensors"
        status, _, body = self.ask("GET", request_bytes("GET", url + "?size=8"))
        if status != 200 or self.known.setdefault(url, body) != body:
            raise Broken(f"{url}: {status}, another answer than before")
        self.counts["known"] += 2

    def step(self, n):
        kind = self.rng.random()
        if n % CHECK_EVERY == 0:
            self.served.check()
            self.ask_known()
        elif kind < 0.2:
            self.counts["random bytes"] += 1
            self.throw(self.requests.noise())
        elif kind < 0.6:
            self.counts["damaged"] += 1
            self.throw(self.requests.damaged())
        else:
            self.counts["valid"] += 1
            self.ask_valid()

    def go(self, seconds):
        """Returns the private bytes as they were measured."""
        start, sizes, n = time.monotonic(), [], 0
        while (passed := time.monotonic() - start) < seconds:
            try:
                self.step(n)
            except OSError as error:
                self.served.check()
                raise Broken(f"no connection, or no answer: {error!r}") from error
            n += 1
            if passed > len(sizes) * MEASURE_EVERY_S:
                sizes.append(self.served.private_bytes())
        self.ask_known()
        self.close()
        return sizes


def check_flat(sizes):
    """The median of the second fifth and of the last."""
    fifth = max(1, len(sizes) // 5)
    before, after = statistics.median(sizes[fifth:2 * fifth]), statistics.median(sizes[-fifth:])
    if after - before > GROWTH_MAX:
        raise Broken(f"private memory grew from {before / 1e6:.1f} to {after / 1e6:.1f} MB")
    return before, after


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)
    with temporary_folder() as folder:
        served = Served(folder)
        run = Run(served, seed)
        try:
            before, after = check_flat(run.go(seconds))
            served.stop()
        except Broken as broken:
            print(f"seed {seed}: {broken}\n{served.last_words()}", file=sys.stderr)
            return 1
        finally:
            served.process.kill()
            served.process.wait()
    counts = ", ".join(f"{count} {name}" for name, count in run.counts.items())
    print(f"{seconds:.0f} s, seed {seed}: {counts}; private memory {before / 1e6:.1f} -> "
          f"{after / 1e6:.1f} MB; it lives")
    return 0


if __name__ == "__main__":
    sys.exit(main())
