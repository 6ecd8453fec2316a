# SPDX-License-Identifier: Apache-2.0
"""A split larger than one would like: an epoch of it, cold and warm, and what single samples that are in
memory wait meanwhile.

    cold.py BUILD FOLDER GIGABYTES [OPTION]...

writes the split into FOLDER (unless it is there), repeating simulated recordings, nothing sparse; starts
BUILD/twonmnistd on it with the options, and asks it as a training loop (batches of 64, four at a time) and
as somebody who looks at a few samples again and again, on connections of their own. Before the cold epoch
the file is taken out of the page cache, and what is asked for again and again is read first.

Prints a line for each: batches and bytes a second, the samples' waiting times while that ran, and the
daemon's private memory.
"""
import http.client
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

SIZE, SIDE_BY_SIDE, LOOKED_AT, MOST_BATCHES = 64, 4, 200, 500


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


def measure(server, name, n_batches, seed, samples):
    lookers = [Looking(server, samples) for _ in range(4)]  # whichever loops serve them
    for looker in lookers:
        looker.look()
        looker.start()
    began, read_mb = time.perf_counter(), server.read_mb()
    n_bytes = epoch(server, n_batches, seed)
    took_s = time.perf_counter() - began
    waits_s = sorted(wait for looker in lookers for wait in looker.stop())
    at = lambda part: 1000 * waits_s[min(len(waits_s) - 1, int(part * len(waits_s)))]
    print(f"{name:6} {n_batches / took_s:7.0f} batches/s {n_bytes / took_s / 1e6:7.0f} MB/s   "
          f"samples p50 {at(.5):.2f} ms, p99 {at(.99):.2f} ms, p99.9 {at(.999):.2f} ms, "
          f"longest {at(1):.2f} ms of {len(waits_s)}   private {server.private_kib() // 1024} MiB\n"
          f"       sent {n_bytes / 1e6:.0f} MB, read {server.read_mb() - read_mb:.0f} MB; faults of threads so far "
          f"{server.faults()}", flush=True)


def main():
    build, folder, gigabytes, *options = sys.argv[1:]
    build, folder = pathlib.Path(build).resolve(), pathlib.Path(folder)
    small, large = folder / "small", folder / "large"
    large.mkdir(parents=True, exist_ok=True)
    target = large / "large.safetensors"
    if not target.exists():
        subprocess.run([build / "twonmnist-generate", "splits", "--from", "synthetic", "--count", "6000,0",
                        "--out", small], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([build / "bench/repeat", small / "train.safetensors",
                        str(int(float(gigabytes) * 1e9)), target], check=True)
    for seed in 1, 2:
        forget(target)
        server = Server(build, large, ["--scrub-interval-s", "0", *options])
        try:
            n = int(Asking(server).get("/v1/splits/large").split(b'"samples":')[1].split(b",")[0])
            samples = random.Random(1).sample(range(n), LOOKED_AT)
            n_batches = min(n // SIZE, MOST_BATCHES)
            print(f"{target.stat().st_size / 1e9:.1f} GB, {n} samples, {n_batches} batches", flush=True)
            for name in "cold", "warm":
                measure(server, name, n_batches, seed, samples)
        finally:
            server.close()


if __name__ == "__main__":
    main()
