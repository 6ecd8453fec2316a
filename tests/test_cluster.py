# SPDX-License-Identifier: Apache-2.0
"""The recipes of etc/ for what stands before several daemons, run as they are, each with three of them at
addresses of their own: what clients in default settings see when things go wrong, what is kept and for
whom, and how many requests come as far as a daemon."""
import concurrent.futures
import hashlib
import json
import pathlib
import signal
import subprocess
import unittest

import certificates
import cluster
import daemon
from cluster import PORT, REPLICAS

TOKEN, OTHER = "alice-knows-this-token", "bob-knows-another-token"
KEPT = ("content-type", "repr-digest", "etag", "cache-control", "twonmnist-revision")


def setUpModule():
    global folder, data
    folder = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder())).resolve()
    folder.chmod(0o755)
    data = [daemon.generate(folder / name, "--count", "200,10", "--seed", seed, source="synthetic")
            for name, seed in (("old", 1), ("new", 2))]


def place(name):
    made = folder / name
    made.mkdir()
    return made


def tokens(path):
    lines = [f"{name} {hashlib.sha256(token.encode()).hexdigest()}"
             for name, token in (("alice", TOKEN), ("bob", OTHER))]
    path.write_text("\n".join([*lines, ""]), encoding="ascii")
    return path


class Matrix(unittest.TestCase):
    """Each engine, each fault: not one wrong, missing or repeated batch."""

    @classmethod
    def setUpClass(cls):
        cluster.need_network()
        cls.right = cluster.expected(data[0], range(len(cluster.FAULTS)))
        assert len(cls.right[0]["batches"]) > cluster.ROLL_AT
        cls.found = cluster.matrix(list(cluster.ENGINES), data, place("matrix"))

    def check(self, engine):
        found = self.found[engine].result()
        for number, (name, fault) in enumerate(cluster.FAULTS.items()):
            if name not in found:
                self.assertTrue(fault.caches)
                continue
            for told in found[name]:
                with self.subTest(fault=fault.words):
                    self.assertEqual(told.get("error", ""), "")
                    self.assertEqual(told["revision"], self.right[number]["revision"])
                    self.assertEqual(told["batches"], self.right[number]["batches"])
        print("\n".join(f"# {line}" for line in cluster.table({engine: found})), flush=True)
        return found

    def test_clients_that_know_all_daemons(self):
        self.check("none")

    def test_a_node_cache_of_nginx(self):
        self.assertGreater(self.check("nginx")["poison"][0]["retries"], 0)

    def test_haproxy(self):
        self.check("haproxy")

    def test_varnish(self):
        self.assertGreater(self.check("varnish")["poison"][0]["retries"], 0)


class Here(unittest.TestCase):
    """Three daemons and what a test puts before them."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder())).resolve()
        self.folder.chmod(0o755)
        self.network = self.enterContext(cluster.Network())

    def start(self, kind, *options, **how):
        """The engine; an access log says what comes as far as the daemons."""
        engine = kind(self.network, self.folder, **how)  # which skips where it is not there
        self.log = self.folder / "access.log"
        self.replicas = {}
        for name in REPLICAS:
            self.replicas[name] = cluster.Replica(
                self.network, name, data[0], *(options or ("--allow-anonymous", "yes")), "--access-log", self.log)
            self.addCleanup(self.replicas[name].end)
        self.enterContext(engine)
        engine.settle()
        self.url = engine.urls[0]
        return engine

    def get(self, path, *more):
        return self.network.get("node", self.url + path, *more)

    def own(self, path, *more):
        """The same of a daemon."""
        return self.network.get("node", self.replicas["one"].url + path, *more)

    def pinned(self, *more):
        return "train@" + json.loads(self.own("/v1/splits/train", *more)[2])["revision"]

    def reached(self, words):
        """Requests for it that came to a daemon."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if words in line]

    def train(self, *words, epoch=0):
        client = cluster.Client(self.network, [self.url], *words)
        self.addCleanup(client.stop)
        client.begin(epoch)
        return client, client.finish()

    def away(self):
        for replica in self.replicas.values():
            replica.end(signal.SIGKILL)
            self.addCleanup(replica.start, data[0])


class Same(Here):
    """Every recipe: nothing is changed on its way."""

    def check(self, kind):
        engine = self.start(kind)
        said = engine.check()
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertNotRegex(said.stderr, r"(?i)\[?(warn|alert)")
        split = self.pinned()
        for path in (f"/v1/splits/{split}", f"/v1/splits/{split}/labels.npy",
                     f"/v1/splits/{split}/samples/3.npy",
                     f"/v1/splits/{split}/epochs/1/0/batches/0.safetensors?size=4", "/v1/splits/train",
                     f"/v1/splits/{split}.safetensors", "/v1/pairs/nmnist-train/1/batches/0.safetensors?size=4"):
            own = self.own(path)
            for _ in range(2):  # the second time out of a cache
                status, headers, body = self.get(path)
                self.assertEqual((status, hashlib.sha256(body).hexdigest()), (200, hashlib.sha256(own[2]).hexdigest()), path)
                for name in KEPT:
                    self.assertEqual(headers.get(name), own[1].get(name), (path, name))
            status, headers, part = self.get(path, "-H", "Range: bytes=100-299")
            expected = self.own(path, "-H", "Range: bytes=100-299")
            if status == 206 != expected[0]:  # caches may, where the daemon has no use for it
                self.assertEqual(part, body[100:300], path)
            else:
                self.assertEqual((status, part), (expected[0], expected[2]), path)
            status, headers, body = self.get(path, "-I")
            self.assertEqual((status, body), (200, b""))
        status, headers, body = self.get(f"/v1/splits/{split}/batch.safetensors", "-H", "Content-Type: application/json",
                                         "-d", '{"indices": [3, 1, 2]}')
        self.assertEqual((status, body), (200, self.own(f"/v1/splits/{split}/batch.safetensors?indices=3,1,2")[2]))
        self.assertEqual(self.get("/v1/splits/train/samples/0.bin?nonsense=1")[0], 400)
        self.assertEqual(self.get("/v1/splits/none")[0], 404)
        self.assertEqual(self.get("/metrics")[0], 404)
        self.assertEqual(self.get("/v1/splits/train", "-H", f'If-None-Match: {self.own("/v1/splits/train")[1]["etag"]}')[0], 304)

    def test_nginx(self):
        self.check(cluster.Nginx)

    def test_haproxy(self):
        self.check(cluster.Haproxy)

    def test_varnish(self):
        self.check(cluster.Varnish)


class Waiting(Here):
    def check(self, kind):
        self.start(kind, "--allow-anonymous", "yes", "--requests-per-second-per-address", "1")
        for _ in range(60):
            status, headers, _ = self.get("/v1/splits/train/labels.npy")
            if status != 200:
                break
        self.assertEqual(status, 429)
        self.assertRegex(headers["retry-after"], r"^\d+$")

    def test_what_daemons_say_of_it_comes_through(self):
        for kind in cluster.Nginx, cluster.Haproxy, cluster.Varnish:
            with self.subTest(engine=kind.name):
                self.check(kind)
                self.doCleanups()
                self.setUp()


class Kept(Here):
    """What a cache is for."""

    def check_many(self, kind, n=24):
        self.start(kind)
        path = f"/v1/splits/{self.pinned()}/epochs/1/3/batches/1.safetensors?size=16"
        with concurrent.futures.ThreadPoolExecutor(n) as at_once:
            bodies = list(at_once.map(lambda _: self.get(path)[2], range(n)))
        self.assertEqual(set(bodies), {self.own(path)[2]})
        self.assertEqual(len(self.reached("/epochs/1/3/batches/1.")), 2)  # theirs, and ours for comparison

    def check_away(self, kind):
        self.start(kind)
        client, first = self.train()
        self.assertNotIn("error", first)
        self.away()
        client.begin(0)
        self.assertEqual(client.finish()["batches"], first["batches"])
        self.assertEqual(self.train()[1]["batches"], first["batches"])  # one that begins now
        status, headers, _ = self.get("/v1/splits/train/labels.csv?of=what-nobody-asked-for")
        self.assertEqual((status, headers["retry-after"]), (503, "1"))

    def test_many_that_ask_nginx_at_once_are_one_request(self):
        self.check_many(cluster.Nginx)

    def test_many_that_ask_varnish_at_once_are_one_request(self):
        self.check_many(cluster.Varnish)

    def test_with_nginx_a_training_goes_on_and_begins_while_no_daemon_is_there(self):
        self.check_away(cluster.Nginx)

    def test_with_varnish_a_training_goes_on_and_begins_while_no_daemon_is_there(self):
        self.check_away(cluster.Varnish)

    def test_a_whole_file_comes_over_the_network_once(self):
        size = 1 << 20
        self.start(cluster.Nginx, change=lambda recipe: recipe.replace("slice 4m;", "slice 1m;"))
        split = self.pinned()
        path = f"/v1/splits/{split}.safetensors"
        whole = self.own(path)
        asked = len(self.reached(path))
        self.assertEqual(self.get(path)[2], whole[2])
        slices = self.reached(path)[asked:]
        self.assertGreater(len(whole[2]), size)  # more than one
        self.assertEqual(len(slices), -(-len(whole[2]) // size))
        middle = size - 100
        status, headers, part = self.get(path, "-H", f"Range: bytes={middle}-{middle + 199}")
        self.assertEqual((status, part), (206, whole[2][middle:middle + 200]))
        self.assertEqual(headers["content-range"], f"bytes {middle}-{middle + 199}/{len(whole[2])}")
        self.assertEqual(self.get(path)[2], whole[2])
        self.assertEqual(self.reached(path)[asked:], slices)


class Tokens(Here):
    def check_kept(self, kind):
        self.start(kind, "--token-file", tokens(self.folder / "tokens"))
        alice, bob, wrong = (("-H", f"Authorization: Bearer {token}") for token in (TOKEN, OTHER, TOKEN + "x"))
        path = f"/v1/splits/{self.pinned(*alice)}/samples/3.npy"
        for _ in range(2):
            self.assertEqual(self.get(path, *alice)[0], 200)
        self.assertEqual(len(self.reached("/samples/3.npy")), 1)
        for path in path, "/v1/splits/train":
            for _ in range(2):
                self.assertEqual(self.get(path, *alice)[0], 200)
                self.assertEqual(self.get(path)[0], 401)
                self.assertEqual(self.get(path, *wrong)[0], 401)
                self.assertEqual(self.get(path, *bob)[2], self.own(path, *bob)[2])
        for file in self.folder.rglob("*"):
            if file.is_file() and file.name != "tokens":
                self.assertNotIn(TOKEN.encode(), file.read_bytes(), file)

    def test_nginx_gives_nobody_what_another_ones_brought(self):
        self.check_kept(cluster.Nginx)

    def test_varnish_gives_nobody_what_another_ones_brought(self):
        self.check_kept(cluster.Varnish)

    def test_from_a_node_over_tls_to_the_daemons(self):
        """A node's cache asks an edge that speaks TLS, which the daemons behind it do not."""
        self.start(cluster.Haproxy, "--token-file", tokens(self.folder / "tokens"))
        authority = self.folder / "ca.pem"

        def change(recipe):
            text = recipe.replace("#TLS ", "").replace("proxy_pass http:", "proxy_pass https:")
            for address in REPLICAS.values():
                text = text.replace(f"server {address}:{PORT}", f"server {cluster.PLACES['edge']}:443")
            return text.replace("/etc/ssl/certs/ca-certificates.crt", str(authority))
        node = self.enterContext(cluster.Nginx(self.network, self.folder, change))
        self.assertEqual(node.check().returncode, 0)
        self.url = node.urls[0]
        told = self.train("--token", TOKEN)[1]
        self.assertNotIn("error", told)
        right = cluster.expected(data[0], [0])[0]
        self.assertEqual(told["batches"], right["batches"])
        self.assertRegex(self.train()[1]["error"], "401")
        direct = f"https://{cluster.PLACES['edge']}"
        self.url = direct
        self.assertEqual(self.train("--token", TOKEN, "--ca-file", authority)[1]["batches"], right["batches"])
        certificates.Authority(self.folder, "other")
        self.assertRegex(self.train("--token", TOKEN, "--ca-file", self.folder / "other.pem")[1]["error"],
                         "not to be trusted")


class Drained(Here):
    def test_a_daemon_that_haproxy_was_told_to_leave_is_missed_by_nobody(self):
        engine = self.start(cluster.Haproxy)
        client = cluster.Client(self.network, engine.urls, "--pace", "0.03")
        self.addCleanup(client.stop)
        client.begin(0)
        client.wait_for(cluster.FAULT_AT)
        engine.leave("two")
        self.assertEqual(engine.states()["two"], "DRAIN")
        self.replicas["two"].restart(data[1])
        told = client.finish()
        self.assertEqual((told.get("error"), told["retries"]), (None, 0))
        self.replicas["two"].restart(data[0])
        engine.join("two")
        engine.settle()
        self.assertEqual(told["batches"], cluster.expected(data[0], [0])[0]["batches"])


if __name__ == "__main__":
    unittest.main()
