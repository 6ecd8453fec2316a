#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several daemons behind the engines of etc/, each in a network namespace of its own (so root's alone):

    bench/cluster.py BUILD RESULTS [NAME...]

What clients see of each fault with each engine; what 1 to 3 daemons give, each of which has a share of a
core; what node caches keep from them; many clients at once; how long nobody is served when one is killed.
Writes RESULTS/CLUSTER.md and, for bench/model.py, RESULTS/cluster.json. Engines that are not there are left
out, which is said. Takes some five minutes; nothing else should run meanwhile."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BENCH = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH.parent / "tests"), str(BENCH.parent / "python")]

SHARE = 0.02            # of a core, for each daemon of the scaling row: so little that clients are not the limit
ROUNDS = 3
PERIOD_US = 50000       # in which it has that
LOAD_S, LOADERS = 4, 3
N_NODES, N_PROCESSES, N_EPOCHS = 8, 2, 1
STORM = 512
PROBE_S = 0.02


def place(folder, name):
    made = pathlib.Path(folder) / name
    made.mkdir()
    made.chmod(0o755)
    return made


def engines(cluster, folder):
    """Those that are there."""
    found = []
    for name, kind in cluster.ENGINES.items():
        try:
            with cluster.Network({"one": "10.0.0.11"}) as network:
                kind(network, place(folder, f"look-{name}"))
            found.append(name)
        except unittest.SkipTest as reason:
            print(f"without {name}: {reason}", flush=True)
    return found


# ---- Faults ----

def faults(bench):
    """The longest wait of a client for a batch, by fault and engine."""
    cluster = bench.cluster
    right = cluster.expected(bench.data[0], range(len(cluster.FAULTS)))
    futures = {}
    found = {}
    for engine in bench.engines:
        futures = cluster.matrix([engine], bench.data, place(bench.folder, f"faults-{engine}"))
        found[engine] = futures[engine].result()
        for number, name in enumerate(cluster.FAULTS):
            for told in found[engine].get(name, ()):
                if told.get("batches") != right[number]["batches"]:
                    raise SystemExit(f"{engine}, {name}: {told.get('error', 'other batches')}")
    yield from cluster.table(found)
    bench.figures["faults"] = {engine: {name: max(told["longest"] for told in some)
                                        for name, some in each.items()} for engine, each in found.items()}


# ---- Scaling ----

class Shares:
    """Groups of processes that have a share of a core, each their own."""

    def __init__(self):
        self.root = pathlib.Path("/sys/fs/cgroup")
        if (self.root / "cgroup.controllers").exists():
            self.made = self.root / f"twonmnist-{os.getpid()}"
            self.v2 = True
        else:
            self.made = self.root / "cpu" / f"twonmnist-{os.getpid()}"
            self.v2 = False

    def __enter__(self):
        try:
            if self.v2:
                (self.root / "cgroup.subtree_control").write_text("+cpu")
            self.made.mkdir()
            if self.v2:
                (self.made / "cgroup.subtree_control").write_text("+cpu")
        except OSError as error:
            raise unittest.SkipTest(f"no groups of processes: {error}") from None
        return self

    def put(self, name, pid, share):
        group = self.made / name
        group.mkdir(exist_ok=True)
        if self.v2:
            (group / "cpu.max").write_text(f"{int(share * PERIOD_US)} {PERIOD_US}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(int(share * PERIOD_US)))
        (group / "cgroup.procs").write_text(str(pid))

    def __exit__(self, *_):
        for group in [*self.made.iterdir(), self.made]:
            if group.is_dir():
                with contextlib.suppress(OSError):
                    group.rmdir()


LOADER = """
import json, sys, time
sys.path.insert(0, {python!r})
sys.modules["torch"] = None
import twonmnist
split = twonmnist.Split({urls!r}, "train")
loader = twonmnist.loader(split, {size}, form="packed", tensors=False, seed={seed}, depth=8)
print("ready", flush=True)
sys.stdin.readline()
ends, n, epoch = time.monotonic() + {seconds}, 0, 0
while time.monotonic() < ends:
    loader.set_epoch(epoch)
    for batch in loader:
        n += 1
        if time.monotonic() >= ends:
            break
    epoch += 1
print(json.dumps([n, loader.stats().bytes]), flush=True)
"""


def load(network, urls, size):
    """Batches and bytes per second that several clients get together."""
    script = LOADER.format(python=str(BENCH.parent / "python"), urls=urls, size=size, seconds=LOAD_S, seed="{seed}")
    clients = [subprocess.Popen(network.words("node", sys.executable, "-c", script.format(seed=seed)),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for seed in range(LOADERS)]
    for client in clients:
        client.stdout.readline()
    for client in clients:
        client.stdin.write("\n")
        client.stdin.flush()
    told = [json.loads(client.communicate(timeout=120)[0]) for client in clients]
    return sum(n for n, _ in told) / LOAD_S, sum(size for _, size in told) / LOAD_S


def cpu_s(pid):
    return time.clock_gettime(~pid << 3 | 2)


def loaded(bench, engine, n):
    """Batches and bytes per second, and processor time of n daemons for a batch, in ms."""
    cluster = bench.cluster
    with contextlib.ExitStack() as stack:
        shares = stack.enter_context(Shares())
        network = stack.enter_context(cluster.Network())
        replicas = []
        for name in list(cluster.REPLICAS)[:n]:
            replicas.append(cluster.Replica(network, name, bench.data[0], "--allow-anonymous", "yes",
                                            "--scrub-interval-s", "0", "--threads", "1"))
            stack.callback(replicas[-1].end)
            shares.put(name, replicas[-1].process.pid, SHARE)
        urls = [replica.url for replica in replicas]
        if engine != "none":
            folder = pathlib.Path(tempfile.mkdtemp(dir=bench.folder))
            folder.chmod(0o755)
            urls = stack.enter_context(cluster.ENGINES[engine](network, folder)).urls
            time.sleep(4)  # until it knows who is there
        before = sum(cpu_s(replica.process.pid) for replica in replicas)
        batches, size = load(network, urls, 64)
        spent = sum(cpu_s(replica.process.pid) for replica in replicas) - before
    return batches, size, spent * 1e3 / (batches * LOAD_S)


def scaling(bench):
    """1, 2 and 3 daemons that have a share of a core each: batches and bytes per second, their processor
    time for a batch of 64; the median of three rounds."""
    yield f"Each daemon has {SHARE:.0%} of a core; {LOADERS} clients; batches of 64 stored samples."
    yield ""
    yield "| asked through | daemons | batches/s | MB/s | times one | processor time of daemons, ms a batch |"
    yield "|---|---|---|---|---|---|"
    rows = []
    for engine in [name for name in bench.engines if name in ("none", "haproxy")]:
        for n in (1, 2, 3):
            each = sorted(loaded(bench, engine, n) for _ in range(ROUNDS))
            batches, size, cpu_ms = each[len(each) // 2]
            rows.append({"engine": engine, "n": n, "batches_s": batches, "bytes_s": size, "cpu_ms": cpu_ms})
            first = next(row for row in rows if row["engine"] == engine)
            yield (f"| {engine} | {n} | {batches:.0f} | {size / 1e6:.0f} | {batches / first['batches_s']:.2f} | "
                   f"{cpu_ms:.2f} |")
    bench.figures["scaling"] = {"share": SHARE, "rows": rows}


# ---- Node caches ----

def nodes(bench):
    """Eight nodes with two processes each that train the same epochs, with and without a cache on each node."""
    cluster = bench.cluster
    yield f"{N_NODES} nodes, {N_PROCESSES} processes on each, the same epoch in all; then the same again."
    yield ""
    yield "| | requests of clients | of them to daemons | hits | bytes to clients, MB | from daemons, MB |"
    yield "|---|---|---|---|---|---|"
    names = [f"node{i}" for i in range(N_NODES)]
    places = {**cluster.REPLICAS, **{name: f"10.0.0.{21 + i}" for i, name in enumerate(names)}}
    rows = []
    for cached in ([False, True] if "nginx" in bench.engines else [False]):
        with contextlib.ExitStack() as stack:
            network = stack.enter_context(cluster.Network(places))
            log = bench.folder / f"nodes-{cached}.log"
            for name in cluster.REPLICAS:
                replica = cluster.Replica(network, name, bench.data[0], "--allow-anonymous", "yes", "--access-log", log)
                stack.callback(replica.end)
            clients = []
            for name in names:
                urls = [f"http://{address}:{cluster.PORT}" for address in cluster.REPLICAS.values()]
                if cached:
                    kind = type("At", (cluster.Nginx,), {"place": name})
                    urls = stack.enter_context(kind(network, place(bench.folder, f"cache-{name}"))).urls
                for _ in range(N_PROCESSES):
                    clients.append(cluster.Client(network, urls, place=name))
                    stack.callback(clients[-1].stop)
            seen = 0
            for label in "first", "again":
                asked = size = 0
                for epoch in range(N_EPOCHS):
                    for client in clients:
                        client.begin(epoch)
                    for client in clients:
                        told = client.finish()
                        if "error" in told:
                            raise SystemExit(told["error"])
                        asked += told["requests"]
                        size += told["bytes"]
                time.sleep(0.2)
                lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
                lines = [line for line in lines if "/batches/" in line["path"]]
                new, seen = lines[seen:], len(lines)
                origin = sum(line["bytes"] for line in new)
                what = f"{'a cache on each node' if cached else 'no caches'}, {label}"
                yield (f"| {what} | {asked} | {len(new)} | {1 - len(new) / asked:.1%} | {size / 1e6:.1f} | "
                       f"{origin / 1e6:.1f} |")
                rows.append({"cached": cached, "label": label, "asked": asked, "origin": len(new),
                             "bytes": size, "origin_bytes": origin})
    bench.figures["nodes"] = {"nodes": N_NODES, "processes": N_PROCESSES, "epochs": N_EPOCHS, "rows": rows}


# ---- Many at once ----

def storm(bench):
    """512 clients that start at once: the description, then a batch of 64: until the last one has it."""
    cluster = bench.cluster
    yield "| through | s until the last one has it | MB |"
    yield "|---|---|---|"
    found = {}
    for engine in bench.engines:
        with contextlib.ExitStack() as stack:
            network, made = start(bench, stack, engine, f"storm-{engine}")
            address = made.urls[0].removeprefix("http://").rpartition(":")
            revision = json.loads(network.get("node", made.urls[0] + "/v1/splits/train")[2])["revision"]
            path = f"/v1/splits/train@{revision}/epochs/1/0/batches/0.safetensors?size=64"
            size = len(network.get("node", made.urls[0] + path + "&last=short")[2])
            script = (f"import sys; sys.path.insert(0, {str(BENCH)!r}); import scale; print(scale.storm_times("
                      f"({address[0]!r}, {address[2]}), ['/v1/splits/train', {path!r}]))")
            said = subprocess.run(network.words("node", sys.executable, "-c", script), check=False, text=True,
                                  capture_output=True, timeout=300)
            if said.returncode != 0:
                yield f"| {engine} | {said.stderr.strip().splitlines()[-1]} | |"
                continue
            found[engine] = json.loads(said.stdout)
            yield f"| {engine} | {found[engine][-1]:.2f} | {STORM * size / 1e6:.0f} |"
    bench.figures["storm"] = found


def start(bench, stack, engine, name):
    cluster = bench.cluster
    network = stack.enter_context(cluster.Network())
    bench.replicas = {}
    for each in cluster.REPLICAS:
        bench.replicas[each] = cluster.Replica(network, each, bench.data[0])
        stack.callback(bench.replicas[each].end)
    made = stack.enter_context(cluster.ENGINES[engine](network, place(bench.folder, name)))
    made.settle()
    return network, made


# ---- A kill ----

PROBER = """
import http.client, sys, time
at, gap, last, bad, n = time.monotonic(), 0.0, time.monotonic(), 0, 0
print("ready", flush=True)
while time.monotonic() - at < {seconds}:
    began = time.monotonic()
    try:
        line = http.client.HTTPConnection({host!r}, {port}, timeout=5)
        line.request("GET", {path!r} % n)
        answer = line.getresponse()
        answer.read()
        good = answer.status == 200
        line.close()
    except OSError:
        good = False
    now = time.monotonic()
    n += 1
    if good:
        gap = max(gap, now - last)
        last = now
    else:
        bad += 1
    time.sleep({pause})
print(gap, bad, n)
"""


def kill(bench):
    """Somebody who does not try again asks through each engine, when a daemon is killed: how long nobody was
    served, and how many requests failed."""
    cluster = bench.cluster
    yield "| through | longest time between two good answers, s | bad answers | of |"
    yield "|---|---|---|---|"
    found = {}
    for engine in [name for name in bench.engines if name != "none"]:
        with contextlib.ExitStack() as stack:
            network, made = start(bench, stack, engine, f"kill-{engine}")
            host, _, port = made.urls[0].removeprefix("http://").rpartition(":")
            script = PROBER.format(host=host, port=port, seconds=6, pause=PROBE_S,
                                   path="/v1/splits/train/epochs/1/%d/batches/0.safetensors?size=1")
            prober = subprocess.Popen(network.words("node", sys.executable, "-c", script), text=True,
                                      stdout=subprocess.PIPE)
            prober.stdout.readline()
            threading.Event().wait(1.5)
            bench.replicas["two"].end(signal.SIGKILL)
            gap, bad, n = prober.communicate(timeout=60)[0].split()
            bench.replicas["two"].start(bench.data[0])
            found[engine] = float(gap)
            yield f"| {engine} | {float(gap):.3f} | {bad} | {n} |"
    bench.figures["kill"] = found


ROWS = {"faults": faults, "scaling": scaling, "nodes": nodes, "storm": storm, "kill": kill}


class Bench:
    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, pathlib.Path(folder)
        self.figures = {}
        self.engines = engines(cluster, folder)
        small = ("--count", "200,10")
        self.data = [self.generate("old", *small, "--seed", "1"), self.generate("new", *small, "--seed", "2")]

    def generate(self, name, *options):
        import daemon
        return daemon.generate(self.folder / name, *options, source="synthetic")


def main():
    if len(sys.argv) < 3 or not set(sys.argv[3:]) <= set(ROWS):
        raise SystemExit(f"{__doc__}\nNames: {' '.join(ROWS)}")
    build, out = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    os.environ.update(TWONMNIST_BUILD=str(build), TWONMNIST_LIBRARY=str(build / ".libs/libtwonmnist.so.0"),
                      PYTHONPATH=str(BENCH.parent / "python"))
    import cluster  # which looks at these
    text = ["# Several daemons", ""]
    with tempfile.TemporaryDirectory(prefix="twonmnist-bench-") as folder:
        os.chmod(folder, 0o755)
        bench = Bench(cluster, folder)
        known = out / "cluster.json"
        if known.exists():
            bench.figures = json.loads(known.read_text(encoding="utf-8"))
        for name in sys.argv[3:] or ROWS:
            print(f"== {name}", flush=True)
            text += [f"## {name}", "", " ".join(ROWS[name].__doc__.split()), ""]
            for line in ROWS[name](bench):
                print(line, flush=True)
                text.append(line)
            text.append("")
            known.write_text(json.dumps(bench.figures, indent=1), encoding="utf-8")
            (out / "CLUSTER.md").write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
