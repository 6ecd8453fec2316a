# SPDX-License-Identifier: Apache-2.0
"""A cluster on one machine: three daemons, an engine of etc/ before them and nodes that train, each in a
network namespace with the address that the recipes name; what can go wrong with them; and what clients
saw of it."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import certificates
import daemon
from programs import environment, libraries, program, root_of

SOURCE = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
ETC = SOURCE / "etc"
PORT = 8642
REPLICAS = {"one": "10.0.0.11", "two": "10.0.0.12", "three": "10.0.0.13"}
PLACES = {**REPLICAS, "edge": "10.0.0.2", "node": "10.0.0.21"}
NEEDED = {"ip": "iproute2", "tc": "iproute2", "nsenter": "util-linux"}
SLOW_BITS = "1mbit"
FAULT_AT, ROLL_AT = 5, 15  # batches
AWAY_S, SLOW_S = 1.5, 3
FAIL_TIMEOUT_S = 3.1  # of nginx, which asks nobody in between whether a daemon is back
SEED, SIZE = 1, 4  # of epochs, of batches
N_POISONED = 20    # batches
_numbers = iter(range(1000))


def wait_until(condition):
    """As daemon.wait_until(), for what is asked of another program."""
    def asked():
        answer = condition()
        if not answer:
            time.sleep(0.1)
        return answer
    return daemon.wait_until(asked)


# ---- The network ----

def need_network():
    if os.geteuid() != 0:
        raise unittest.SkipTest("only root makes network namespaces")
    missing = [f"{name} ({package})" for name, package in NEEDED.items() if not shutil.which(name)]
    if missing:
        raise unittest.SkipTest(f"no network namespaces without {', '.join(missing)}")


def _ip(*words, lines=()):
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.run(["ip", *words, *(["-batch", "-"] if lines else [])], input=text, text=True,
                          capture_output=True, check=True)


class Network:
    """A bridge in a namespace of its own, to which those of all places are connected."""

    def __init__(self, places=None):
        self.places = dict(places or PLACES)
        self.prefix = f"twonmnist-{os.getpid()}-{next(_numbers)}"

    def namespace(self, place):
        return f"{self.prefix}-{place}"

    def __enter__(self):
        need_network()
        names = [self.namespace(place) for place in ("hub", *self.places)]
        try:
            _ip(lines=[f"netns add {name}" for name in names])
            _ip("-n", names[0], lines=["link add bridge type bridge", "link set bridge up"])
            for place, address in self.places.items():
                self.connect(place, address)
        except subprocess.CalledProcessError as error:
            self.__exit__()
            raise unittest.SkipTest("network namespaces: " +
                                    " ".join(error.stderr.split())[:200]) from None
        return self

    def connect(self, place, address):
        hub, name = self.namespace("hub"), self.namespace(place)
        _ip("-n", hub, lines=[f"link add {place} type veth peer name eth0 netns {name}",
                              f"link set {place} master bridge", f"link set {place} up"])
        _ip("-n", name, lines=["link set lo up", "link set eth0 up",
                               f"addr add {address}/16 dev eth0"])

    def __exit__(self, *unused):
        for place in ("hub", *self.places):
            subprocess.run(["ip", "netns", "delete", self.namespace(place)], check=False,
                           capture_output=True)

    def words(self, place, *words):
        """What runs a command there."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(place)}", "--", *map(str, words)]

    def cut(self, place):
        _ip("-n", self.namespace("hub"), "link", "set", place, "down")

    def mend(self, place):
        _ip("-n", self.namespace("hub"), "link", "set", place, "up")

    def slow(self, place, rate=SLOW_BITS):
        """What it sends goes no faster."""
        subprocess.run(["tc", "-n", self.namespace(place), "qdisc", "replace", "dev", "eth0", "root",
                        "tbf", "rate", rate, "burst", "16kb", "latency", "200ms"], check=True,
                       capture_output=True)

    def hurry(self, place):
        subprocess.run(["tc", "-n", self.namespace(place), "qdisc", "del", "dev", "eth0", "root"],
                       check=True, capture_output=True)

    def connects(self, place, address, port=PORT):
        """Whether somebody listens, as seen from there."""
        return subprocess.run(self.words(place, "bash", "-c", f": <>/dev/tcp/{address}/{port}"),
                              check=False, capture_output=True, timeout=60).returncode == 0

    def get(self, place, url, *more):
        """(status, headers, body) of an answer, as seen from there."""
        said = subprocess.run(self.words(place, "curl", "-sS", "-i", "--max-time", 60, *more, url),
                              check=True, capture_output=True).stdout
        head, _, body = said.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip()
                   for name, _, value in (line.partition(":") for line in lines)}
        return int(status.split()[1]), headers, body


# ---- Daemons ----

class Replica:
    """A daemon at its place, which may be ended and started again."""

    def __init__(self, network, place, data, *options, before=(), port=PORT):
        self.network, self.place, self.before = network, place, before
        self.options = ("--listen", f"{network.places[place]}:{port}", "--watch-interval-s", "0",
                        *(options or ("--allow-anonymous", "yes")))
        self.url = f"http://{network.places[place]}:{port}"
        self.process = None
        self.start(data)

    def start(self, data):
        self.process = subprocess.Popen(
            self.network.words(self.place, *self.before, daemon.DAEMON.resolve(), "--data", data,
                               *self.options), stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                break
        else:
            raise AssertionError(f"replica {self.place} does not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(how)
        self.process.wait(60)

    def restart(self, data, how=signal.SIGTERM):
        self.end(how)
        self.start(data)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


class Liar:
    """A daemon at its place whose batches have a bit flipped (cluster_liar.py)."""

    def __init__(self, network, place, data):
        address = network.places[place]
        self.real = Replica(network, place, data, "--allow-anonymous", "yes", port=PORT + 1)
        self.process = subprocess.Popen(
            network.words(place, sys.executable, pathlib.Path(__file__).parent / "cluster_liar.py",
                          address, PORT, PORT + 1), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "listening\n"

    def end(self):
        self.process.terminate()
        self.process.wait(60)
        self.real.end()


# ---- Engines ----

class Engine:
    """What clients ask in place of the daemons. This one is nothing: they know all three."""
    name, place, keeps = "none", None, False

    def __init__(self, network, folder):
        self.network, self.folder = network, pathlib.Path(folder)
        self.process = None

    @property
    def urls(self):
        return [f"http://{address}:{PORT}" for address in REPLICAS.values()]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process:
            self.process.terminate()
            self.process.wait(60)

    def run(self, address, *words, port=PORT, **more):
        """Start it and wait until it listens."""
        log = self.folder / f"{self.name}.log"
        with open(log, "ab") as out:
            self.process = subprocess.Popen(self.network.words(self.place, *words), stdout=out,
                                            stderr=out, env={**os.environ, **more})

        def listens():
            assert self.process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
            return self.network.connects(self.place, address, port)
        wait_until(listens)

    def settle(self):
        """Wait until it knows again that all daemons are well."""

    def flush(self):
        """Forget all that it keeps."""

    def leave(self, place):
        """What its recipe says to do before a daemon gets another revision."""

    def join(self, place):
        """And after it."""


class Nginx(Engine):
    name, place, keeps = "nginx", "node", True
    urls = [f"http://127.0.0.1:{PORT}"]

    def __init__(self, network, folder, change=lambda text: text):
        super().__init__(network, folder)
        self.nginx = program("nginx", "nginx-light")
        recipe = change((ETC / "nginx-node-cache.conf").read_text(encoding="utf-8"))
        self.cache = self.folder / "nginx-cache"
        recipe = recipe.replace("/var/lib/nginx/twonmnist", str(self.cache))
        assert str(self.cache) in recipe
        temporary = "".join(f"{name}_temp_path {self.folder}/nginx-{name};\n" for name in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config = self.folder / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""
        self.config.write_text(
            f"{user}daemon off;\npid {self.folder}/nginx.pid;\nerror_log stderr;\nworker_processes 1;\n"
            f"worker_rlimit_nofile 8192;\nevents {{ worker_connections 4096; }}\n"
            f"http {{\naccess_log off;\n{temporary}{recipe}}}\n", encoding="utf-8")
        self.words = [self.nginx, "-e", "stderr", "-c", self.config]
        self.read = 0

    def check(self):
        return subprocess.run([*map(str, self.words), "-t"], check=False, capture_output=True,
                              text=True, env=environment(self.nginx))

    def __enter__(self):
        self.run("127.0.0.1", *self.words, **libraries(self.nginx))
        return self

    def settle(self):
        log = (self.folder / "nginx.log").read_text(encoding="utf-8")
        if len(log) > self.read:  # of daemons that did not answer
            time.sleep(FAIL_TIMEOUT_S)
        self.read = len(log)

    def flush(self):
        for folder in self.cache.iterdir():
            shutil.rmtree(folder, ignore_errors=True)


class Haproxy(Engine):
    name, place = "haproxy", "edge"
    urls = [f"http://{PLACES['edge']}:{PORT}"]

    def __init__(self, network, folder):
        super().__init__(network, folder)
        self.haproxy = program("haproxy", "haproxy")
        certificates.need_openssl()
        self.authority = certificates.Authority(self.folder)
        certificate, key = self.authority.issue(
            "edge", alternative=f"DNS:data.example.org,IP:{PLACES['edge']}")
        both = self.folder / "both.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        self.admin = self.folder / "admin.sock"
        self.config = self.folder / "haproxy.cfg"
        text = (ETC / "haproxy.cfg").read_text(encoding="utf-8")
        for words, others in (("/etc/haproxy/twonmnist.pem", both),
                              ("stats socket /run/haproxy/admin.sock", f"stats socket {self.admin}")):
            assert words in text, words
            text = text.replace(words, str(others))
        self.config.write_text(text, encoding="utf-8")

    def check(self):
        return subprocess.run([self.haproxy, "-c", "-f", self.config], check=False,
                              capture_output=True, text=True,
                              env=environment(self.haproxy))

    def __enter__(self):
        self.run(PLACES["edge"], self.haproxy, "-db", "-f", self.config, **libraries(self.haproxy))
        return self

    def say(self, command):
        """What it answers on its socket."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.admin))
            line.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: line.recv(65536), b"")).decode()

    def states(self):
        """Server -> UP, DOWN, DRAIN …"""
        rows = [row.split(",") for row in self.say("show stat").splitlines()]
        status = rows[0].index("status")
        return {row[1]: row[status] for row in rows[1:]
                if row[0] == "twonmnist" and len(row) > status and row[1] in REPLICAS}

    def leave(self, place):
        self.say(f"set server twonmnist/{place} state drain")

    def join(self, place):
        self.say(f"set server twonmnist/{place} state ready")

    def settle(self):
        wait_until(lambda: set(self.states().values()) == {"UP"})


class Varnish(Engine):
    name, place, keeps = "varnish", "edge", True
    urls = [f"http://{PLACES['edge']}:{PORT}"]

    def __init__(self, network, folder):
        super().__init__(network, folder)
        self.varnishd = program("varnishd", "varnish")
        self.varnishadm = self.varnishd.parent.parent / "bin/varnishadm"
        if not shutil.which(os.environ.get("CC", "gcc").split()[-1]):
            self.skip("varnishd compiles what it is told, and there is no compiler")
        self.work = self.folder / "varnish"
        self.work.mkdir(exist_ok=True)
        # Its worker runs as another user, who has to come to these folders.
        for folder in (self.folder, self.work):
            folder.chmod(0o755)
        modules = next(iter((root_of(self.varnishd) / "usr/lib").rglob("vmods/libvmod_std.so")), None)
        more = [] if modules is None else ["-p", f"vmod_path={modules.parent}"]
        self.words = [self.varnishd, "-j", "none", "-n", self.work, *more, "-f", ETC / "varnish.vcl",
                      "-p", "vsl_mask=-ReqHeader,-BereqHeader"]
        self.environment = libraries(self.varnishd)

    @staticmethod
    def skip(words):
        raise unittest.SkipTest(words)

    def check(self):
        return subprocess.run([*map(str, self.words), "-C"], check=False, capture_output=True,
                              text=True, env={**os.environ, **self.environment})

    def __enter__(self):
        self.run(PLACES["edge"], *self.words, "-F", "-a", f"{PLACES['edge']}:{PORT}", "-s",
                 "malloc,256m", **self.environment)
        return self

    def say(self, *words):
        return subprocess.run(
            self.network.words(self.place, self.varnishadm, "-n", self.work, *words), check=True, text=True,
            capture_output=True, env={**os.environ, **self.environment}).stdout

    def settle(self):
        wait_until(lambda: all(
            "healthy" in line for line in self.say("backend.list").splitlines()
            if line.split() and line.split()[0].rpartition(".")[2] in REPLICAS))

    def flush(self):
        self.say("ban", "obj.status != 0")


ENGINES = {engine.name: engine for engine in (Engine, Nginx, Haproxy, Varnish)}


# ---- Clients that train ----

class Client:
    """A process on a node (cluster_client.py) that runs the epochs that it is told to."""

    def __init__(self, network, urls, *words, place="node"):
        self.process = subprocess.Popen(
            network.words(place, sys.executable, pathlib.Path(__file__).parent / "cluster_client.py",
                          "--size", SIZE, "--seed", SEED, *words, *urls), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock = threading.Condition()
        self.n_batches, self.ended = 0, []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            with self.lock:
                if "k" in said:
                    self.n_batches = said["k"] + 1
                else:
                    self.ended.append(said)
                self.lock.notify_all()
        with self.lock:
            self.ended.append({"error": "the client ended"})
            self.lock.notify_all()

    def begin(self, epoch):
        self.n_batches, self.ended = 0, []
        self.process.stdin.write(f"{epoch}\n")
        self.process.stdin.flush()

    def wait_for(self, n_batches):
        with self.lock:
            assert self.lock.wait_for(lambda: self.n_batches >= n_batches or self.ended, 120)

    def finish(self):
        """What cluster_client.py says at the end of an epoch."""
        with self.lock:
            assert self.lock.wait_for(lambda: self.ended, 120), "an epoch has not ended in 120 s"
            return self.ended[0]

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# ---- What goes wrong ----

class Cluster:
    """Three replicas, an engine and clients that train through it. `data`: folders of the splits, of
    which the second has others under the same names."""

    def __init__(self, engine, data, folder, n_clients=2, pace_s=0.03):
        self.kind, self.data, self.folder = ENGINES[engine], data, pathlib.Path(folder)
        self.n_clients, self.pace_s = n_clients, pace_s
        self.stack = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.network = stack.enter_context(Network())
            self.engine = self.kind(self.network, self.folder)
            self.replicas = {}
            for place in REPLICAS:
                self.replicas[place] = Replica(self.network, place, self.data[0])
                stack.callback(self.replicas[place].end)
            stack.enter_context(self.engine)
            self.engine.settle()
            self.clients = []
            for _ in range(self.n_clients):
                self.add_client(stack)
            self.stack = stack.pop_all()
        return self

    def add_client(self, stack):
        client = Client(self.network, self.engine.urls, "--pace", self.pace_s)
        stack.callback(client.stop)
        self.clients.append(client)

    def __exit__(self, *unused):
        self.stack.close()

    def epoch(self, number, fault):
        """Every client's word on an epoch in the midst of which a fault happens."""
        fault.before(self, number)
        for client in self.clients:
            client.begin(number)
        for client in self.clients:
            client.wait_for(FAULT_AT)
        repair = fault.happen(self)
        told = [client.finish() for client in self.clients]
        if repair:
            repair()
        self.engine.settle()
        return told


class Fault:
    """Of a row in FAULTS: `happen` makes it so, and gives back what undoes it, or None; `before` is done
    before the epoch begins."""

    def __init__(self, words, happen, caches=False, before=lambda cluster, number: None):
        self.words, self.happen, self.caches, self.before = words, happen, caches, before


def _nothing(_cluster):
    return None


def _kill(cluster):
    replica = cluster.replicas["two"]
    replica.end(signal.SIGKILL)
    return lambda: replica.start(cluster.data[0])


def _stop(cluster):
    replica = cluster.replicas["two"]
    replica.end(signal.SIGTERM)
    return lambda: replica.start(cluster.data[0])


def _cut(cluster):
    cluster.network.cut("two")
    return lambda: cluster.network.mend("two")


def _slow(cluster):
    cluster.network.slow("two")
    time.sleep(SLOW_S)
    cluster.network.hurry("two")


def _hang(cluster):
    cluster.replicas["two"].freeze()
    return cluster.replicas["two"].thaw


def _other_data(cluster):
    cluster.replicas["two"].restart(cluster.data[1])
    return lambda: cluster.replicas["two"].restart(cluster.data[0])


def _roll(cluster):
    """Two have the new revision while the epoch runs; the third, when that has ended."""
    for place, at in (("one", FAULT_AT), ("two", ROLL_AT)):
        for client in cluster.clients:
            client.wait_for(at)
        cluster.engine.leave(place)
        cluster.replicas[place].restart(cluster.data[1])

    def back():
        for place, replica in cluster.replicas.items():
            replica.restart(cluster.data[0])
            cluster.engine.join(place)
    return back


def _away(cluster):
    for replica in cluster.replicas.values():
        replica.end(signal.SIGKILL)
    time.sleep(AWAY_S)
    for replica in cluster.replicas.values():
        replica.start(cluster.data[0])


def _poison(cluster, number):
    """All batches of the epoch come into the cache with a bit flipped, from replicas whose memory is bad."""
    revision = json.loads(cluster.network.get("node", f"{cluster.engine.urls[0]}/v1/splits/train")[2])["revision"]
    replicas = cluster.replicas.values()
    for replica in replicas:
        replica.end()
    liars = [Liar(cluster.network, replica.place, cluster.data[0]) for replica in replicas]
    try:
        cluster.engine.settle()
        paths = [f"{cluster.engine.urls[0]}/v1/splits/train@{revision}/epochs/{SEED}/{number}/batches/{k}.safetensors"
                 f"?size={SIZE}&rank=0&world=1&last=short" for k in range(N_POISONED)]
        subprocess.run(cluster.network.words("node", "curl", "-sS", "--fail", "--max-time", 60,
                                             *(word for path in paths for word in ("-o", "/dev/null", path))),
                       check=True, capture_output=True)
    finally:
        for liar in liars:
            liar.end()
    for replica in replicas:
        replica.start(cluster.data[0])
    cluster.engine.settle()


def _flush(cluster):
    cluster.engine.flush()


FAULTS = {
    "nothing": Fault("nothing", _nothing),
    "kill": Fault("a replica is killed (SIGKILL)", _kill),
    "stop": Fault("a replica is stopped (SIGTERM)", _stop),
    "cut": Fault("a replica's link is cut", _cut),
    "slow": Fault(f"a replica's link is slow for {SLOW_S} s (1 Mbit/s)", _slow),
    "hang": Fault("a replica hangs (SIGSTOP)", _hang),
    "other data": Fault("a replica comes back with other data", _other_data),
    "roll-out": Fault("another revision is rolled out one by one", _roll),
    "away": Fault(f"all replicas are away for {AWAY_S} s", _away),
    "poison": Fault("the cache holds damaged batches", _nothing, caches=True, before=_poison),
    "flush": Fault("the cache is flushed", _flush, caches=True),
}


def expected(data, epochs):
    """What a single server gives: revision, and batches of each epoch."""
    with Network({"one": REPLICAS["one"]}) as network:
        replica = Replica(network, "one", data)
        client = Client(network, [replica.url], place="one")
        try:
            found = {}
            for number in epochs:
                client.begin(number)
                found[number] = client.finish()
                assert "error" not in found[number], found[number]["error"]
            return found
        finally:
            client.stop()
            replica.end()


def matrix(engines, data, folder, faults=None, **how):
    """Engine -> a future of {fault: [what each client told]}. All engines at once, each in a network of
    its own; each fault has an epoch of its own number."""
    faults = faults or FAULTS

    def run(engine):
        place = pathlib.Path(folder) / engine
        place.mkdir()
        with Cluster(engine, data, place, **how) as cluster:
            return {name: cluster.epoch(number, fault)
                    for number, (name, fault) in enumerate(faults.items())
                    if cluster.engine.keeps or not fault.caches}

    pool = concurrent.futures.ThreadPoolExecutor(len(engines))
    futures = {engine: pool.submit(run, engine) for engine in engines}
    pool.shutdown(wait=False)
    return futures


def table(results, faults=None):
    """The longest wait of a client, in Markdown: engine -> what matrix() found."""
    faults = faults or FAULTS
    lines = ["| fault | " + " | ".join(results) + " |", "|---|" + "---|" * len(results)]
    for name, fault in faults.items():
        cells = []
        for found in results.values():
            told = found.get(name)
            cells.append("" if told is None else "**error**" if any("error" in each for each in told)
                         else f"{max(each['longest'] for each in told):.2f} s")
        lines.append(f"| {fault.words} | " + " | ".join(cells) + " |")
    return lines
