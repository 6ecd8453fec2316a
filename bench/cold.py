# SPDX-License-Identifier: Apache-2.0
"""A split larger than one would like: an epoch of it, cold and warm, and what single samples that are in
memory wait meanwhile.

    cold.py BUILD FOLDER GIGABYTES [OPTION]...

writes the split into FOLDER (unless it is there), repeating simulated recordings, nothing sparse; starts
BUILD/twonmnistd on it with the options, and asks it as a training loop (batches of 64, four at a time) and
as somebody who looks at a few samples again and again, on connections of their own. Before the cold epoch
the file is taken out of the page cache, and what is asked for again and again is read first.

Prints a line for each: batches and bytes a second, the samples' waiting times while that ran, and the
daemon's private memory. Then the same for the file in one answer, or its first 8 GB, cold and warm.

All the time the daemon holds nothing against its checksums (scrub_interval_s is 0), so that nothing but
what is asked for is read. FOLDER needs room for GIGABYTES and 1 GB more.
"""
import http.client
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

SIZE, SIDE_BY_SIDE, LOOKED_AT, MOST_BATCHES = 64, 4, 200, 500
MOST_OF_FILE, PIECE, ROOM = 8_000_000_000, 1 << 20, 1_000_000_000


class Server:
    def __init__(self, build, folder, options):
        self.process = subprocess.Popen([build / "twonmnistd", "--data", folder, "--listen", "127.0.0.1:0", *options],
                                        stderr=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stderr:
            said += line
            if "listening on" in line:
                self.port = int(line.rsplit(":", 1)[1])
                break
        else:
            raise SystemExit(said)
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def private_kib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(text.split("RssAnon:")[1].split()[0])

    def read_mb(self):
        """From the disk, on its behalf."""
        text = pathlib.Path(f"/proc/{self.process.pid}/io").read_text(encoding="ascii")
        return int(text.split("\nread_bytes:")[1].split()[0]) / 1e6

    def faults(self):
        """How often each thread has waited for a page from the disk, in the order in which they began."""
        tasks = sorted(pathlib.Path(f"/proc/{self.process.pid}/task").iterdir(), key=lambda path: int(path.name))
        return [int((path / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[9]) for path in tasks]

    def close(self):
        self.process.terminate()
        self.process.wait()


class Asking:
    """A connection that stays."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)

    def get(self, path):
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:200]}")
        return body


def forget(path):
    """Take the file out of the page cache. Nobody maps it then, or it would stay."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def epoch(server, n_batches, seed):
    """Bytes of that many batches, taken in order by four connections."""
    todo, lock, n_bytes = iter(range(n_batches)), threading.Lock(), [0]

    def take():
        asking = Asking(server)
        while True:
            with lock:
                k = next(todo, None)
            if k is None:
                return
            body = asking.get(f"/v1/splits/large/epochs/{seed}/0/batches/{k}.safetensors?size={SIZE}")
            with lock:
                n_bytes[0] += len(body)

    threads = [threading.Thread(target=take) for _ in range(SIDE_BY_SIDE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return n_bytes[0]


def file_part(server, size):
    """The first bytes of the file, in one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", "/v1/splits/large.safetensors", headers={"Range": f"bytes=0-{size - 1}"})
    answer, piece, n_bytes = connection.getresponse(), bytearray(PIECE), 0
    if answer.status != 206:
        raise SystemExit(f"a part of the file: {answer.status}")
    while n := answer.readinto(piece):
        n_bytes += n
    return n_bytes


class Looking(threading.Thread):
    """Asks for the same samples until told to stop; `waits_s` is how long each took."""

    def __init__(self, server, samples):
        super().__init__()
        self.asking, self.samples = Asking(server), samples
        self.waits_s, self.stopping = [], threading.Event()

    def look(self):
        for i in self.samples:
            self.asking.get(f"/v1/splits/large/samples/{i}.bin")

    def run(self):
        while not self.stopping.is_set():
            began = time.perf_counter()
            self.asking.get(f"/v1/splits/large/samples/{random.choice(self.samples)}.bin")
            self.waits_s.append(time.perf_counter() - began)
            time.sleep(0.001)

    def stop(self):
        self.stopping.set()
        self.join()
        return sorted(self.waits_s)


def measure(server, name, n, unit, ask, samples):
    """What ask() does, which makes n of that unit and returns how many bytes came."""
    lookers = [Looking(server, samples) for _ in range(4)]  # whichever loops serve them
    for looker in lookers:
        looker.look()
        looker.start()
    began, read_mb = time.perf_counter(), server.read_mb()
    n_bytes = ask()
    took_s = time.perf_counter() - began
    waits_s = sorted(wait for looker in lookers for wait in looker.stop())
    at = lambda part: 1000 * waits_s[min(len(waits_s) - 1, int(part * len(waits_s)))]
    print(f"{name:6} {n / took_s:7.1f} {unit}/s {n_bytes / took_s / 1e6:7.0f} MB/s   "
          f"samples p50 {at(.5):.2f} ms, p99 {at(.99):.2f} ms, p99.9 {at(.999):.2f} ms, "
          f"longest {at(1):.2f} ms of {len(waits_s)}   private {server.private_kib() // 1024} MiB\n"
          f"       sent {n_bytes / 1e6:.0f} MB, read {server.read_mb() - read_mb:.0f} MB; faults of threads so far "
          f"{server.faults()}", flush=True)


def write(build, folder, target, size):
    free = shutil.disk_usage(folder).free
    if free < size + ROOM:
        raise SystemExit(f"{folder}: {free / 1e9:.0f} GB are free; {(size + ROOM) / 1e9:.0f} are needed")
    began, small = time.perf_counter(), folder / "small"
    subprocess.run([build / "twonmnist-generate", "splits", "--from", "synthetic", "--count", "6000,0",
                    "--out", small], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([build / "bench/repeat", small / "train.safetensors", str(size), target], check=True)
    shutil.rmtree(small)
    print(f"written in {time.perf_counter() - began:.0f} s", flush=True)


def serve_cold(build, target, options, ask):
    """Have ask() measure a daemon to which nothing of the file is in memory."""
    forget(target)
    server = Server(build, target.parent, ["--scrub-interval-s", "0", *options])
    try:
        n = int(Asking(server).get("/v1/splits/large").split(b'"samples":')[1].split(b",")[0])
        ask(server, n, random.Random(1).sample(range(n), LOOKED_AT))
    finally:
        server.close()


def main():
    build, folder, gigabytes, *options = sys.argv[1:]
    build, folder = pathlib.Path(build).resolve(), pathlib.Path(folder)
    target = folder / "large/large.safetensors"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        write(build, folder, target, int(float(gigabytes) * 1e9))
    size = target.stat().st_size

    def ask_batches(seed):
        def ask(server, n, samples):
            n_batches = min(n // SIZE, MOST_BATCHES)
            print(f"{size / 1e9:.1f} GB, {n} samples, {n_batches} batches", flush=True)
            for name in "cold", "warm":
                measure(server, name, n_batches, "batches", lambda: epoch(server, n_batches, seed), samples)
        return ask

    def ask_file(server, _, samples):
        part = min(size, MOST_OF_FILE)
        print(f"{part / 1e9:.1f} GB of the file in one answer", flush=True)
        for name in "cold", "warm":
            measure(server, name, 1, "answers", lambda: file_part(server, part), samples)

    for ask in ask_batches(1), ask_batches(2), ask_file:
        serve_cold(build, target, options, ask)


if __name__ == "__main__":
    main()
