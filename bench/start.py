#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a daemon takes from its start to its first answer, and what its scrub costs.

    bench/start.py BUILD DATA [ROUNDS]

BUILD is a build folder, DATA holds splits (twonmnist-generate splits) in the page cache. Shown are the
median and the worst of ROUNDS (default 20) starts, each timed from exec to the last byte of a sample;
then, for one more start, the wall and CPU time until every split is verified, at full rate."""
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

FULL_RATE = "17179869184"
TICK = os.sysconf("SC_CLK_TCK")


def ask(path, target):
    """The body of an answer, over the socket as soon as it is there."""
    while True:
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(path))
            break
        except OSError:
            connection.close()
            time.sleep(0.0002)
    with connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"{target}: {head.decode()}")
    return body


class Daemon:
    def __init__(self, build, data, folder, *options):
        self.path = pathlib.Path(folder) / "socket"
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            [pathlib.Path(build) / "twonmnistd", "--data", data, "--listen", f"unix:{self.path}",
             *options], stderr=subprocess.DEVNULL)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()


def first_answer_ms(build, data, folder):
    with Daemon(build, data, folder) as daemon:
        ask(daemon.path, "/v1/splits/train/samples/0.bin")
        return 1000 * (time.perf_counter() - daemon.begun)


def scrub(build, data, folder):
    with Daemon(build, data, folder, "--scrub-rate", FULL_RATE) as daemon:
        while True:
            splits = json.loads(ask(daemon.path, "/v1/splits"))["splits"]
            if all(split["scrub"]["verified"] for split in splits):
                break
            time.sleep(0.01)
        took = time.perf_counter() - daemon.begun
        size = sum(split["scrub"]["of"] for split in splits)
        print(f"scrub: {size / 1e9:.2f} GB in {took:.2f} s, {daemon.cpu_s():.2f} s of CPU")


def main():
    build, data = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    with tempfile.TemporaryDirectory() as folder:
        times = [first_answer_ms(build, data, folder) for _ in range(rounds)]
        print(f"start to first answer: median {statistics.median(times):.1f} ms, "
              f"worst {max(times):.1f} of {rounds}")
        scrub(build, data, folder)


if __name__ == "__main__":
    main()
