# SPDX-License-Identifier: Apache-2.0
"""Stored samples and batches against nginx, which serves the same bytes as files, and against bare,
which serves as many bytes and understands nothing."""
import contextlib

import rounds
from results import Line, Plot
from servers import Bare, Nginx

N_FILES = 8000
SAMPLE = "/v1/splits/train/samples/%d.bin"
BATCH = "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size={}"
CONNECTIONS = (32, 256, 1024, 4096)
CPU_AIMS = {32: "≥ 1.2", 256: "≥ 1.2", 1024: "≥ 1.2", 4096: "≥ 1.2"}
BATCH_AIMS = {1: "≥ 1.25", 8: "≥ 1.6"}


def write_files(server, root, path, count):
    """What `server` answers, as files for nginx. Mean size."""
    total = 0
    for i in range(count):
        body = server.get(path % i)
        file = root / (path % i).lstrip("/").split("?")[0]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        total += len(body)
    return total // count


def compare(bench, path, count, n_pieces, all_connections, cpu_aims, unit):
    """Lines for each number of connections, and what bare reaches."""
    root = bench.folder("nginx")
    with contextlib.ExitStack() as servers:
        ours = servers.enter_context(bench.daemon())
        size = write_files(ours, root, path, count)
        theirs = servers.enter_context(Nginx(root, bench.work))
        bare = servers.enter_context(Bare(bench.build, bench.split("train"), count * size,
                                           n_pieces, size // n_pieces))
        rates = {"twonmnistd": [], "nginx": [], "bare": []}
        for connections in all_connections:
            def one(server, connections=connections):
                return lambda: rounds.load(server, path, count, connections)
            a, b, c = rounds.alternate(one(ours), one(theirs), one(bare))
            for name, loads in zip(rates, (a, b, c)):
                rates[name].append((connections, rounds.median(loads, "per_s")))
            cpu = [[load.cpu_us for load in loads] for loads in (a, b, c)]
            what = f"{unit}, {connections} connection{'s' if connections > 1 else ''}"
            limit = rounds.ratio(cpu[1], cpu[2])
            yield Line(f"{what}: server CPU, nginx / ours", "nginx", rounds.ratio(cpu[1], cpu[0]),
                       cpu_aims.get(connections, ""),
                       f"{rounds.median(a, 'cpu_us'):.1f} µs; bare {limit}")
            yield Line(f"{what}: requests/s, ours / nginx", "nginx",
                       rounds.ratio([x.per_s for x in a], [x.per_s for x in b]),
                       "≥ 1.1" if unit == "sample" else "", f"{rounds.median(a, 'per_s'):,.0f}/s")
            if unit != "sample":
                yield Line(f"{what}: CPU of server and client, nginx / ours", "nginx",
                           rounds.ratio([x.both_us for x in b], [x.both_us for x in a]), "",
                           f"{rounds.median(a, 'both_us'):.1f} µs")
            if unit == "sample":
                yield Line(f"{what}: p99, ours / nginx", "nginx",
                           rounds.ratio([x.p99_us for x in a], [x.p99_us for x in b]), "≤ 1.0",
                           f"{rounds.median(a, 'p99_us') / 1e3:.2f} ms")
        yield Plot(f"{unit}-connections".replace(" ", "-"), f"{unit.capitalize()}: requests per second",
                   "connections", "requests/s", rates)


def samples(bench):
    """Single stored samples, .bin."""
    return compare(bench, SAMPLE, N_FILES, 1, CONNECTIONS, CPU_AIMS, "sample")


def batches(bench):
    """Stored batches with digests over the whole body."""
    for size, count in (64, 100), (256, 30):
        yield from compare(bench, BATCH.format(size), count, size, BATCH_AIMS, BATCH_AIMS,
                           f"batch of {size}")


ROWS = {"samples": samples, "batches": batches}
