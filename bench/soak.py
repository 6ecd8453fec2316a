#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A daemon under everything at once: what bench/soak.sh runs once there is a build.

    bench/soak.py BUILD RESULTS MINUTES [DATA]

Honest clients ask for everything there is (expected.py) and hold every byte against what it has to be
(honest.py), beside others that are slow, leave or send garbage (foes.py), while split files are
replaced by the same data and the daemon reloads. Each second its memory is noted: RESULTS/soak.csv and,
where matplotlib is there, RESULTS/soak.svg. Ends with 1 where anything was wrong."""
import csv
import multiprocessing
import os
import pathlib
import queue
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import expected
import foes
import honest
import results
from servers import Twonmnistd

N_HONEST = 4
RELOAD_EVERY_S, REPLACE_EVERY = 1.0, 3   # reloads; each third finds other files
GROWTH_MAX = 12 << 20   # bytes of private memory, of medians: the second fifth of the time and the last one
MAPS_MAX, DESCRIPTORS_MAX = 64, 8        # more than at rest, once all clients are gone
SETTLE_S = 30
POINTS = 240            # of the curve

OPTIONS = ("--admin-listen", "127.0.0.1:0", "--threads", "2", "--idle-timeout-s", "30", "--request-timeout-s", "5",
           "--stop-timeout-s", "10", "--max-pending-bytes-per-address", str(16 << 20))


class Soaked(Twonmnistd):
    """The daemon, whose log is read all the time, and where its numbers are."""

    def __init__(self, build, data):
        super().__init__(build, data, *OPTIONS)
        self.log, self.admin = [], None
        self.reader = threading.Thread(target=self.read_log, daemon=True)

    def read_log(self):
        for line in self.process.stderr:
            if "health and metrics on" in line:
                self.admin = "http://127.0.0.1:" + line.rsplit(":", 1)[1].strip()
            self.log = self.log[-200:] + [line.rstrip()]

    def metrics(self):
        with urllib.request.urlopen(self.admin + "/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in lines if not line.startswith("#"))}

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def maps(self):
        return pathlib.Path(f"/proc/{self.process.pid}/maps").read_text().count("\n")

    def sizes(self):
        return self.private_bytes(), self.descriptors(), self.maps()


class Reloads(threading.Thread):
    """SIGHUP again and again, now and then with new files of the same content."""

    def __init__(self, server, data, ended):
        super().__init__()
        self.server, self.data, self.ended, self.n = server, data, ended, 0

    def replace(self, path):
        other = path.with_suffix(".new")
        shutil.copy(path, other)
        other.rename(path)

    def run(self):
        paths = sorted(self.data.glob("*.safetensors"))
        while not self.ended.wait(RELOAD_EVERY_S):
            if self.n % REPLACE_EVERY == 0:
                self.replace(paths[self.n // REPLACE_EVERY % len(paths)])
            self.server.process.send_signal(signal.SIGHUP)
            self.n += 1


class Soak:
    def __init__(self, server, data, kinds):
        self.server, self.data, self.kinds = server, data, kinds
        context = multiprocessing.get_context("fork")   # what is expected is shared
        self.ended, self.wrong = context.Event(), context.Queue()
        self.counts = [context.Array("Q", 2, lock=False) for _ in range(N_HONEST)]
        self.tricks = [context.Array("Q", 1, lock=False) for _ in foes.KINDS]
        splits = expected.Splits(data).tensors
        self.processes = [context.Process(target=honest.run, args=(
            server.port, kinds, i, self.ended, self.counts[i], self.wrong)) for i in range(N_HONEST)]
        self.processes += [context.Process(target=foes.run, args=(
            i, server.port, f"127.0.0.{i + 2}", splits, i, self.ended, self.tricks[i], self.wrong))
            for i in range(len(foes.KINDS))]
        self.found, self.rows, self.before = [], [], {}

    def totals(self):
        return [sum(column) for column in zip(*self.counts)]

    def look(self, second):
        """Note what it takes now; what is wrong so far."""
        self.rows.append((second, *self.server.sizes(), *self.totals()))
        now = self.server.metrics()
        for name, value in self.before.items():
            if name.split("{")[0].endswith(("_total", "_count", "_bucket")) and now.get(name, 0) < value:
                self.found.append(f"{name} went from {value} to {now.get(name)}")
        self.before = now
        if self.server.process.poll() is not None:
            self.found.append(f"the daemon has ended with {self.server.process.returncode}")
        try:
            while True:
                self.found.append(self.wrong.get_nowait())
        except queue.Empty:
            pass

    def run(self, seconds):
        for process in self.processes:
            process.start()
        reloads = Reloads(self.server, self.data, self.ended)
        reloads.start()
        begun = time.monotonic()
        try:
            while not self.found and (passed := time.monotonic() - begun) < seconds:
                self.look(round(passed, 2))
                time.sleep(max(0.0, min(1.0, begun + seconds - time.monotonic())))
        finally:
            self.ended.set()
            reloads.join()
            for process in self.processes:
                process.join(honest.STALL_S)
                if process.exitcode != 0:
                    self.found.append(f"a client ended with {process.exitcode}")
                    process.kill()
        return reloads.n

    def settle(self, rest):
        """What is left once all clients have gone is what was there before any came."""
        deadline = time.monotonic() + SETTLE_S
        while True:
            more = [now - before for now, before in zip(self.server.sizes(), rest)]
            if more[1] <= DESCRIPTORS_MAX and more[2] <= MAPS_MAX:
                return
            if time.monotonic() > deadline:
                self.found.append(f"{SETTLE_S} s after the last client there are {more[1]} descriptors and "
                                  f"{more[2]} maps more than before the first one")
                return
            time.sleep(0.5)

    def growth(self):
        """Private bytes, in MB: the medians of the second fifth of the time, and of the last one."""
        sizes, fifth = [row[1] for row in self.rows], max(1, len(self.rows) // 5)
        before, after = statistics.median(sizes[fifth:2 * fifth] or sizes), statistics.median(sizes[-fifth:])
        if after - before > GROWTH_MAX:
            self.found.append(f"private memory grew from {before / 1e6:.1f} to {after / 1e6:.1f} MB")
        return min(sizes) / 1e6, max(sizes) / 1e6, before / 1e6, after / 1e6

    def check_metrics(self):
        for name, value in self.server.metrics().items():
            if name.startswith("twonmnist_http_requests_total") and 'code="500"' in name and value:
                self.found.append(f"{name} {value:.0f}")


def write(rows, out):
    with (out / "soak.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["second", "private_bytes", "descriptors", "maps", "answers", "bytes"])
        writer.writerows(rows)
    some = rows[::max(1, len(rows) // POINTS)]
    series = {"private memory, MB": [(row[0] / 60, row[1] / 1e6) for row in some],
              "descriptors, tens": [(row[0] / 60, row[2] / 10) for row in some],
              "maps, tens": [(row[0] / 60, row[3] / 10) for row in some]}
    return results.draw(results.Plot("soak", "The daemon under everything at once", "minutes", "", series,
                                     logarithmic=False), out / "soak.svg")


def prepare(build, work, given):
    data = work / "data"
    if given:
        shutil.copytree(given, data)
        return data
    subprocess.run([build / "twonmnist-generate", "splits", "--from", "synthetic", "--count", "600,120", "--out", data],
                   check=True, capture_output=True)
    return data


def main():
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    build, out, minutes = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), float(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="twonmnist-soak-") as work:
        data = prepare(build, pathlib.Path(work), sys.argv[4] if len(sys.argv) > 4 else None)
        kinds = expected.asks(data)
        with Soaked(build, data) as server:
            server.reader.start()
            rest = server.sizes()
            honest.learn(server.port, [ask for asks in kinds.values() for ask in asks])
            print(f"{sum(map(len, kinds.values()))} requests of {len(kinds)} kinds, each answered rightly once",
                  flush=True)
            soak = Soak(server, data, kinds)
            n_reloads = soak.run(60 * minutes)
            soak.settle(rest)
            soak.check_metrics()
            server.process.terminate()
            if server.process.wait(60) != 0:
                soak.found.append(f"the daemon ended with {server.process.returncode}")
            low, high, before, after = soak.growth()
            answers, n_bytes = soak.totals()
            for words in (*soak.found, *(server.log if soak.found else [])):
                print(words, file=sys.stderr)
    drawn = write(soak.rows, out)
    tricks = ", ".join(f"{kind.__name__.lower()} {count[0]:,}" for kind, count in zip(foes.KINDS, soak.tricks))
    print(f"{minutes:g} min: {answers:,} answers, {n_bytes / 1e9:.1f} GB, each byte held against what it has to be; "
          f"{n_reloads} reloads; {tricks}; private memory {low:.1f} to {high:.1f} MB, medians {before:.1f} and then "
          f"{after:.1f}; {'curve drawn' if drawn else 'no matplotlib, no curve'}; "
          f"{f'{len(soak.found)} WRONG' if soak.found else 'nothing wrong'}")
    return 1 if soak.found else 0


if __name__ == "__main__":
    sys.exit(main())
