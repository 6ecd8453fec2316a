#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many training processes daemons serve: a simulation, held against what bench/cluster.py measured.

    bench/model.py RESULTS [PICTURES]

Reads RESULTS/cluster.json; prints the model beside the measurement, and the tables of doc/scale.md; writes
the plots into PICTURES. No daemon is started."""
import heapq
import json
import math
import pathlib
import random
import sys

import results

# Of the full set (bench/RESULTS.md and doc/scale.md say of which run).
BATCH = 64                       # samples
EVENTS_BYTES = 1.90e6            # a batch of stored events
SPARSE_BYTES = 0.44 * EVENTS_BYTES
STORED_CPU_S = 0.48e-3           # of the daemon, a batch of stored events
SPARSE_CPU_S = 2.2e-3
APPETITE = 10                    # batches a second that one process trains on
LINKS = {"1 Gbit/s": 1e9 / 8, "10 Gbit/s": 1e10 / 8, "100 Gbit/s": 1e11 / 8}
LOADERS = 3                      # of the measurement, with a depth of 8
PROCESSES = (10, 100, 1000, 10000)


class Station:
    """Servers behind one queue: each takes one request at a time."""

    def __init__(self, n, seconds):
        self.free, self.seconds = [0.0] * n, seconds
        self.busy_s = 0.0

    def leave(self, at):
        """When a request that comes at this time leaves it. Requests come in order of time."""
        begins = max(at, heapq.heappop(self.free))
        ends = begins + self.seconds
        heapq.heappush(self.free, ends)
        self.busy_s += self.seconds
        return ends


class Daemon:
    """Processor, then the link. `cores` may be less than one: then all takes longer."""

    def __init__(self, cores, cpu_s, link, n_bytes):
        n = max(1, int(cores))
        self.cpu = Station(n, cpu_s * n / cores)
        self.link = Station(1, n_bytes / link)


class Process:
    """Trains on one batch after the other, in order, and asks for some of them ahead."""

    def __init__(self, number):
        self.asked = number           # so that not all begin with the same daemon
        self.next = number            # batch to train on
        self.there = set()            # batches that have come
        self.idle_since = 0.0         # None: it trains


def simulate(n, daemons, step_s, depth=4, seconds=5.0, hits=0.0, seed=1):
    """Batches per second that n processes get in all, and the part of their time for which they wait. Each
    trains on a batch for step_s, and asks for `depth` of them ahead, of the daemons in turn; of what it asks
    for, the part `hits` is in its node's cache. Nothing is counted in the first third of the time."""
    chance = random.Random(seed)
    processes = [Process(number) for number in range(n)]
    counted_from = seconds / 3
    done = waited = 0
    events, order = [], 0         # (time, order, kind, process, batch)

    def put(at, kind, process, batch=None):
        nonlocal order
        order += 1
        heapq.heappush(events, (at, order, kind, process, batch))

    def ask(at, process):
        put(at, "arrived" if chance.random() < hits else "cpu", process, process.asked)
        process.asked += 1

    def train(at, process):
        nonlocal waited
        process.there.remove(process.next)
        process.next += 1
        if at > counted_from:
            waited += at - max(process.idle_since, counted_from)
        process.idle_since = None
        put(at + step_s, "trained", process)
        ask(at, process)

    for process in processes:
        for i in range(depth):
            ask((i + chance.random()) * step_s, process)
    while events and events[0][0] < seconds:
        at, _, kind, process, batch = heapq.heappop(events)
        if kind == "cpu":
            put(daemons[batch % len(daemons)].cpu.leave(at), "link", process, batch)
        elif kind == "link":
            put(daemons[batch % len(daemons)].link.leave(at), "arrived", process, batch)
        elif kind == "arrived":
            process.there.add(batch)
            if process.idle_since is not None and process.next in process.there:
                train(at, process)
        else:
            done += at > counted_from
            process.idle_since = at
            if process.next in process.there:
                train(at, process)
    counted = seconds - counted_from
    waited += sum(seconds - max(process.idle_since, counted_from) for process in processes
                  if process.idle_since is not None)
    return done / counted, waited / (counted * n)


def bounds(cores, cpu_s, link, n_bytes, n_daemons=1):
    """Batches per second by processor and by link: the smaller one is where it breaks first."""
    return {"processor": n_daemons * cores / cpu_s, "link": n_daemons * link / n_bytes}


def against_replicas(figures):
    """Lines: what 1 to 3 daemons gave, and what the model says they give."""
    scaling = figures["scaling"]
    lines = ["| asked through | daemons | measured, batches/s | model | model / measured |", "|---|---|---|---|---|"]
    points = {"model": [], "measured": []}
    for row in scaling["rows"]:
        one = next(each for each in scaling["rows"] if each["engine"] == row["engine"])
        cpu_s = one["cpu_ms"] / 1e3  # of one daemon alone: the others are predicted
        daemons = [Daemon(scaling["share"], cpu_s, math.inf, 0) for _ in range(row["n"])]
        got, _ = simulate(LOADERS, daemons, 1e-4, depth=8, seconds=20)
        lines.append(f"| {row['engine']} | {row['n']} | {row['batches_s']:.0f} | {got:.0f} | "
                     f"{got / row['batches_s']:.2f} |")
        if row["engine"] == "none":
            points["model"].append((row["n"], got))
            points["measured"].append((row["n"], row["batches_s"]))
    return lines, points


def against_nodes(figures):
    """Lines: which part of the requests came to the daemons, and what the model says."""
    nodes = figures["nodes"]
    lines = ["| | requests to daemons, measured | model |", "|---|---|---|"]
    for row in nodes["rows"]:
        expected = row["asked"]
        if row["cached"]:
            expected = row["asked"] / nodes["processes"] if row["label"] == "first" else 0
        what = f"{'a cache on each node' if row['cached'] else 'no caches'}, {row['label']}"
        lines.append(f"| {what} | {row['origin']} | {expected:.0f} |")
    return lines


def capacity():
    """Lines: what so many processes ask for, and where it breaks first."""
    lines = ["| processes | batches/s | stored events | cores for it | sparse frames | cores for it |",
             "|---|---|---|---|---|---|"]
    for n in PROCESSES:
        rate = n * APPETITE
        lines.append(f"| {n:,} | {rate:,} | {rate * EVENTS_BYTES * 8 / 1e9:,.1f} Gbit/s | {rate * STORED_CPU_S:,.1f} | "
                     f"{rate * SPARSE_BYTES * 8 / 1e9:,.1f} Gbit/s | {rate * SPARSE_CPU_S:,.1f} |")
    lines += ["", "| a daemon with | stored events: processes | breaks first | sparse frames: processes | breaks first |",
              "|---|---|---|---|---|"]
    for cores in 2, 16, 64:
        for name, link in LINKS.items():
            cells = []
            for cpu_s, size in ((STORED_CPU_S, EVENTS_BYTES), (SPARSE_CPU_S, SPARSE_BYTES)):
                limits = bounds(cores, cpu_s, link, size)
                least = min(limits, key=limits.get)
                cells += [f"{limits[least] / APPETITE:,.0f}", least]
            lines.append(f"| {cores} cores, {name} | {cells[0]} | {cells[1]} | {cells[2]} | {cells[3]} |")
    return lines


def curves():
    """How long processes wait as there are more of them."""
    link = LINKS["10 Gbit/s"]
    cases = {
        "one daemon, 1 Gbit/s": ([Daemon(16, STORED_CPU_S, LINKS["1 Gbit/s"], EVENTS_BYTES)], 0),
        "one daemon, 10 Gbit/s": ([Daemon(16, STORED_CPU_S, link, EVENTS_BYTES)], 0),
        "three daemons, 10 Gbit/s": ([Daemon(16, STORED_CPU_S, link, EVENTS_BYTES) for _ in range(3)], 0),
        "three, and node caches (8 runs of the same epochs)":
            ([Daemon(16, STORED_CPU_S, link, EVENTS_BYTES) for _ in range(3)], 7 / 8),
    }
    found = {}
    for name, (daemons, hits) in cases.items():
        found[name] = []
        for n in (3, 6, 12, 25, 50, 100, 200, 400, 800, 1600):
            fresh = [Daemon(16, STORED_CPU_S, LINKS["1 Gbit/s"] if "1 Gbit/s" in name and "10" not in name else link,
                            EVENTS_BYTES) for _ in daemons]
            found[name].append((n, 100 * simulate(n, fresh, 1 / APPETITE, seconds=3, hits=hits)[1]))
    return found


def served(storm):
    """How many clients had what they wanted after so many seconds, by what was in between."""
    return {name: [(s, n) for n, s in enumerate(times, 1)] for name, times in storm.items()}


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    figures = json.loads((pathlib.Path(sys.argv[1]) / "cluster.json").read_text(encoding="utf-8"))
    lines, points = against_replicas(figures)
    print("\n".join([*lines, "", *against_nodes(figures), "", *capacity()]))
    if len(sys.argv) > 2:
        pictures = pathlib.Path(sys.argv[2])
        results.draw(results.Plot("scale-replicas", "Daemons with a share of a core: batches of 64", "daemons",
                                  "batches/s", points, logarithmic=False), pictures / "scale-replicas.svg")
        results.draw(results.Plot("scale-storm", "512 clients at once, a batch of 64 for each", "seconds",
                                  "clients that have it", served(figures["storm"]), logarithmic=False, marker=""),
                     pictures / "scale-storm.svg")
        results.draw(results.Plot("scale-processes", "Processes that train on 10 batches of 64 a second", "processes",
                                  "% of their time for which they wait", curves()), pictures / "scale-processes.svg")


if __name__ == "__main__":
    main()
