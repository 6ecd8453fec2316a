#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two builds of the daemon against each other, over the same splits, in one run.

    bench/builds.py OLD NEW DATA [SECONDS]

OLD and NEW are build folders, DATA holds splits (twonmnist-generate splits). Needs wrk (Debian: wrk).
For each kind of request the builds take turns, five rounds of SECONDS (default 2) each; shown are the
medians of the daemon's own CPU time per request, user and system, the spread of their ratio from round
to round, and the ratio of requests per second. A ratio above 1 says that NEW is the better one."""
import sys

import rounds
from servers import Twonmnistd

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

def compare(old, new, kind, seconds):
    name, connections, path, count = kind
    before, after = rounds.alternate(lambda: rounds.load(old, path, count, connections, seconds),
                                     lambda: rounds.load(new, path, count, connections, seconds))
    cpu = rounds.ratio([load.cpu_us for load in before], [load.cpu_us for load in after])
    rates = rounds.ratio([load.per_s for load in after], [load.per_s for load in before])
    print(f"{name:>16} {connections:5d} {rounds.median(before, 'cpu_us'):10.1f} "
          f"{rounds.median(after, 'cpu_us'):10.1f} {cpu.value:7.2f} ({cpu.low:.2f} to {cpu.high:.2f}) "
          f"{rates.value:7.2f}", flush=True)


def main():
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    seconds = float(sys.argv[4]) if len(sys.argv) == 5 else rounds.SECONDS
    print(f"{'':16} {'conn':>5} {'old CPU us':>10} {'new CPU us':>10} {'old/new':>7} {'spread':14} "
          f"{'req/s':>7}")
    with Twonmnistd(sys.argv[1], sys.argv[3]) as old, Twonmnistd(sys.argv[2], sys.argv[3]) as new:
        for kind in KINDS:
            compare(old, new, kind, seconds)


if __name__ == "__main__":
    main()
