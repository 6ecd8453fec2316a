# SPDX-License-Identifier: Apache-2.0
"""The generator and the start of the daemon, against what only moves the bytes."""
import http.client
import subprocess
import time

import rounds
from results import Line
from servers import free_port


def timed(command, **how):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    return time.perf_counter() - began


def verify(bench):
    """verify against reading the same files."""
    files = sorted(bench.data.glob("*.safetensors"))
    ours, cat = rounds.alternate(
        lambda: timed([bench.build / "twonmnist-generate", "verify", bench.data]),
        lambda: timed(["cat", *files]))
    yield Line("verify, full set: time, cat / ours", "cat to /dev/null", rounds.ratio(cat, ours), "≥ 0.5",
               f"{sorted(ours)[len(ours) // 2]:.2f} s")


def first_answer(bench):
    """Seconds from the start of the daemon to its first answer."""
    port = free_port()
    began = time.perf_counter()
    server = subprocess.Popen([bench.build / "twonmnistd", "--data", bench.data, "--listen",
                               f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                client = http.client.HTTPConnection("127.0.0.1", port)
                client.request("GET", "/v1/splits/train/samples/0.bin")
                client.getresponse().read()
                return time.perf_counter() - began
            except OSError:
                time.sleep(0.001)
    finally:
        server.terminate()
        server.wait()


def start(bench):
    """From exec to the first sample, files in the page cache."""
    ours, nothing = rounds.alternate(
        lambda: first_answer(bench),
        lambda: timed([bench.build / "twonmnistd", "--version"]))
    middle = sorted(ours)[len(ours) // 2]
    yield Line("start to first answer, full set: seconds", "–", middle, "≤ 0.05",
               f"--version takes {sorted(nothing)[len(nothing) // 2] * 1e3:.1f} ms")


ROWS = {"verify": verify, "start": start}
