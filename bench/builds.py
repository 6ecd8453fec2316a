#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two builds of the daemon against each other, over the same splits, in one run.

    bench/builds.py OLD NEW DATA [SECONDS]

OLD and NEW are build folders, DATA holds splits (twonmnist-generate splits). Needs wrk (Debian: wrk).
For each kind of request the builds take turns, five rounds of SECONDS (default 2) each; shown are the
medians of the daemon's own CPU time per request, user and system, the spread of their ratio from round
to round, and the ratio of requests per second. A ratio above 1 says that NEW is the better one."""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 5
TICK = os.sysconf("SC_CLK_TCK")

# name, connections, path with %d for a number from 0 to the count
KINDS = [
    ("sample .bin", 1, "/v1/splits/train/samples/%d.bin", 500),
    ("sample .bin", 32, "/v1/splits/train/samples/%d.bin", 500),
    ("sample .bin", 256, "/v1/splits/train/samples/%d.bin", 500),
    ("sample .npy", 32, "/v1/splits/train/samples/%d.npy", 500),
    ("batch of 64", 1, "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=64", 7),
    ("batch of 64", 8, "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=64", 7),
    ("batch of 256", 1, "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=256", 2),
    ("batch of 256", 8, "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=256", 2),
    ("fresh pair", 32, "/v1/pairs/nmnist-train/1/%d.bin", 100000),
    ("64 fresh pairs", 8, "/v1/pairs/nmnist-train/1/batches/%d.safetensors?size=64", 10000),
    ("frames of 16", 8, "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=16&as=frames", 20),
    ("page of rows", 32, "/v1/splits/train/samples?offset=%d", 400),
]

SCRIPT = """local i = 0
request = function()
    i = (i * 7919 + 12345) %% %d
    return wrk.format("GET", string.format("%s", i))
end
"""


class Build:
    """A running daemon of one build."""

    def __init__(self, folder, data):
        command = [pathlib.Path(folder) / "twonmnistd", "--data", data, "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                self.url = "http://" + line.split()[-1]
                return
        raise SystemExit(f"{command[0]} does not start")

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def measure(self, script, connections, seconds):
        """(CPU µs per request, requests per second) of one round."""
        before = self.cpu_s()
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, self.url],
                             check=True, capture_output=True, text=True).stdout
        if "Non-2xx" in out:
            raise SystemExit(f"{script}: {out}")
        count = int(re.search(r"(\d+) requests in", out).group(1))
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
        return (self.cpu_s() - before) * 1e6 / count, rate


def compare(old, new, kind, seconds):
    name, connections, path, count = kind
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % (count, path))
        script.flush()
        rounds = [(old.measure(script.name, connections, seconds),
                   new.measure(script.name, connections, seconds)) for _ in range(ROUNDS)]
    ratios = [a[0] / b[0] for a, b in rounds]
    rates = statistics.median(b[1] / a[1] for a, b in rounds)
    print(f"{name:>16} {connections:5d} {statistics.median(a[0] for a, _ in rounds):10.1f} "
          f"{statistics.median(b[0] for _, b in rounds):10.1f} {statistics.median(ratios):7.2f} "
          f"({min(ratios):.2f} to {max(ratios):.2f}) {rates:7.2f}", flush=True)


def main():
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    old, new = (Build(folder, sys.argv[3]) for folder in sys.argv[1:3])
    seconds = int(sys.argv[4]) if len(sys.argv) == 5 else 2
    print(f"{'':16} {'conn':>5} {'old CPU us':>10} {'new CPU us':>10} {'old/new':>7} {'spread':14} "
          f"{'req/s':>7}")
    try:
        for kind in KINDS:
            compare(old, new, kind, seconds)
    finally:
        for build in (old, new):
            build.process.terminate()
            build.process.wait()


if __name__ == "__main__":
    main()
