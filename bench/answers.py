#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ways for an answer of many parts to leave libmicrohttpd, beside each other (bench/answers.c).

    make bench/answers && ../bench/answers.py bench/answers [WAY...] [-s SECONDS] [-r ROUNDS]

Needs wrk. Every way has a server of its own over one file of random bytes, held in the page cache;
in each round all take turns, in an order that moves on by one, so that a disturbance meets all of
them. Before that, each must give the very bytes that the first gives. Printed for each way are
medians over the rounds: processor time of the server for one answer, its ratio to the first way's
in the same round with the quartiles of that ratio, and answers per second. Read the ratios: other
work on the machine moves the rest.
"""
import argparse
import os
import statistics
import subprocess
import tempfile
import time
import urllib.request

WAYS = ["vectored", "reader-65536", "reader-131072", "reader-262144", "reader-524288",
        "reader-1048576", "reader-65000", "reader-122880", "reader-122880+heap+ahead",
        "contiguous", "pooled", "worker"]
FILE_BYTES, STEP = 1 << 30, 1 << 24


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


class Server:
    """One way's server, with what was measured of it."""

    def __init__(self, program, path, way):
        self.way = way
        self.process = subprocess.Popen([program, path, way], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise SystemExit(f"{way}: no server")

    def spent(self):
        return [int(number) for number in get(self.url + "/spent").split()]

    def measure(self, batch, connections, seconds):
        """Processor time for one answer in us, answers/s."""
        before, began = self.spent(), time.monotonic()
        subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"{self.url}/{batch}"],
                       check=True, stdout=subprocess.DEVNULL)
        after, spent = self.spent(), time.monotonic() - began
        answers = after[0] - before[0]
        return (after[1] - before[1]) / answers, answers / spent

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def check(servers):
    for batch in (1, 64, 256):
        wanted = get(f"{servers[0].url}/{batch}/7")
        for server in servers:
            if get(f"{server.url}/{batch}/7") != wanted:
                raise SystemExit(f"{server.way} differs in a batch of {batch}")


def table(servers, batch, connections, seconds, rounds):
    seen = {server.way: [] for server in servers}
    for i in range(rounds):
        at = i % len(servers)
        for server in servers[at:] + servers[:at]:
            seen[server.way].append(server.measure(batch, connections, seconds))
    base = [cost for cost, _ in seen[servers[0].way]]
    print(f"\n| batch of {batch}, connections: {connections} | CPU us | x {servers[0].way} "
          "| quartiles | answers/s |\n|---|---|---|---|---|")
    for way, figures in seen.items():
        ratios = [cost / b for (cost, _), b in zip(figures, base)]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        cost, rate = (statistics.median(column) for column in zip(*figures))
        print(f"| {way} | {cost:.0f} | {middle:.2f} | {low:.2f}-{high:.2f} | {rate:.0f} |",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("ways", nargs="*", default=WAYS, metavar="WAY")
    parser.add_argument("-s", "--seconds", type=int, default=1)
    parser.add_argument("-r", "--rounds", type=int, default=7)
    parser.add_argument("-b", "--batch", type=int, nargs="+", default=[64, 256])
    parser.add_argument("-c", "--connections", type=int, nargs="+", default=[1, 8])
    options = parser.parse_args()
    servers = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(FILE_BYTES // STEP):
            file.write(os.urandom(STEP))
        file.flush()
        try:
            for way in options.ways:
                servers.append(Server(options.program, file.name, way))
            check(servers)
            for batch in options.batch:
                for connections in options.connections:
                    table(servers, batch, connections, options.seconds, options.rounds)
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
