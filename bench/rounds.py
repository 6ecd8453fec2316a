# SPDX-License-Identifier: Apache-2.0
"""Rounds: what is compared takes turns in one run, so that a disturbance meets all of it."""
import dataclasses
import os
import re
import statistics
import subprocess
import tempfile

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
SECONDS = float(os.environ.get("BENCH_SECONDS", 2))

SCRIPT = """%s
local i = 0
request = function()
    i = (i * 7919 + 12345) %% %d
    return wrk.format("GET", string.format("%s", i))
end
"""
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}


@dataclasses.dataclass
class Load:
    """What wrk saw of one round, and what the server spent on it."""
    cpu_us: float  # of the server, per request
    both_us: float  # the same with the client's own
    per_s: float   # requests
    p99_us: float
    n: int


def children_cpu_s():
    """Of those that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def load(server, path, count, connections, seconds=SECONDS, setup=""):
    """A round of requests: `path` has %d for a number below `count`; `setup` is Lua for wrk."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % (setup, count, path))
        script.flush()
        before, client = server.cpu_s(), children_cpu_s()
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s",
                              script.name, server.url], check=False, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True).stdout
        spent, client = server.cpu_s() - before, children_cpu_s() - client
    if "Requests/sec" not in out or "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{server.name}: {path}: {out}")
    n = int(re.search(r"(\d+) requests in", out).group(1))
    p99, unit = re.search(r"99%\s+([\d.]+)(\w+)", out).groups()
    return Load(spent * 1e6 / n, (spent + client) * 1e6 / n, float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
                float(p99) * UNITS[unit], n)


def alternate(*functions, rounds=None):
    """The results of each function, called in turns: a list for each."""
    results = [[function() for function in functions] for _ in range(rounds or ROUNDS)]
    return list(zip(*results))


@dataclasses.dataclass
class Ratio:
    """The median of the ratios of the rounds, and their spread."""
    value: float
    low: float
    high: float

    def __str__(self):
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


def ratio(above, below):
    """Of two lists of figures, round by round."""
    each = sorted(a / b for a, b in zip(above, below))
    return Ratio(statistics.median(each), each[0], each[-1])


def median(loads, field):
    return statistics.median(getattr(one, field) for one in loads)
