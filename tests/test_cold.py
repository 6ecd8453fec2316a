# SPDX-License-Identifier: Apache-2.0
"""A split that is not in memory: what is asked for is read from the disk, and not much else; those who
serve connections do not wait for it."""
import concurrent.futures
import http.client
import os
import pathlib
import shutil
import signal
import socket
import struct
import tempfile
import time
import unittest
import urllib.request

import certificates
import daemon
import prometheus
import wire

N_BATCHES = 8
MiB = 1 << 20
WHOLE = "/v1/splits/train.safetensors"
SHARD = "/v1/splits/train/shards/2nmnist-train-000000.tar?per_shard=1500"


def cached(path):
    """Parts of the file that are in memory, of 200; None where that cannot be asked."""
    with open(path, "rb", buffering=0) as file:
        size, found = os.fstat(file.fileno()).st_size, 0
        for i in range(200):
            try:
                found += os.preadv(file.fileno(), [bytearray(1)], i * size // 200, os.RWF_NOWAIT)
            except BlockingIOError:
                pass
            except OSError:
                return None
        return found


def forget(path):
    """Take it out of the page cache; skips where it does not go."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)
    if cached(path) > 20:  # of 200; asking may itself have some read
        raise unittest.SkipTest("this file system keeps a file in memory")


def read_bytes(server):
    text = pathlib.Path(f"/proc/{server.process.pid}/io").read_text(encoding="ascii")
    return int(text.split("\nread_bytes:")[1].split()[0])


def of_threads(server, name):
    """What a file of /proc says of each thread, in the order in which they began."""
    tasks = sorted(pathlib.Path(f"/proc/{server.process.pid}/task").iterdir(), key=lambda task: int(task.name))
    return [(task / name).read_text(encoding="ascii") for task in tasks]


def waited(server):
    """How often each thread waited for a page of a file."""
    return [int(text.rpartition(")")[2].split()[9]) for text in of_threads(server, "stat")]


def read_by_threads(server):
    """What each thread had read from disks."""
    return [int(text.split("\nread_bytes:")[1].split()[0]) for text in of_threads(server, "io")]


class Cold(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # beside the build: what is in a temporary folder may be nowhere but in memory
        cls.folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="cold-", dir=daemon.BUILD)))
        daemon.generate(cls.folder, "--count", "3000,0", source="synthetic")
        (cls.folder / "nmnist-train.safetensors").unlink()
        cls.file = cls.folder / "train.safetensors"
        with daemon.Daemon(cls.folder, "--scrub-interval-s", 0) as server:
            cls.wanted = [server.get(cls.path(k)).body for k in range(N_BATCHES)]

    @staticmethod
    def path(k):
        return f"/v1/splits/train/epochs/1/0/batches/{k}.safetensors?size=32"

    def serve(self, *options):
        forget(self.file)
        server = self.enterContext(daemon.Daemon(self.folder, "--scrub-interval-s", 0, *options))
        self.before = read_bytes(server), waited(server)
        if self.before[0] == 0:
            self.skipTest("what is read from disks is not counted here")
        return server

    def test_no_more_is_read_than_is_asked_for_and_the_next_batch(self):
        server = self.serve("--threads", 1)
        for k, wanted in enumerate(self.wanted):
            self.assertEqual(server.get(self.path(k)).body, wanted)
        sent = sum(map(len, self.wanted))
        read = read_bytes(server) - self.before[0]
        self.assertGreater(read, sent / 2)
        self.assertLess(read, 2 * sent)  # a page before and behind each sample, and one batch more

    def test_the_loop_waits_for_none_of_it(self):
        server = self.serve("--threads", 1)
        for k in range(N_BATCHES):
            server.get(self.path(k))
        for i in range(0, 600, 20):
            server.get(f"/v1/splits/train/samples/{i}.bin")
        for at in range(0, 20 << 20, 5 << 20):
            server.get("/v1/splits/train.safetensors", Range=f"bytes={at}-{at + (1 << 20) - 1}")
        waits = [after - before for before, after in zip(self.before[1], waited(server))]
        self.assertGreater(sum(waits), 0)  # the workers do
        self.assertLess(waits[0], 5)  # the main thread is the loop, and may wait for its own program

    def test_small_shards_and_few_rows_are_read_by_workers(self):
        server = self.serve("--admin-listen", "127.0.0.1:0")
        prometheus.find_admin(server)
        asked = [path for i in range(0, 2000, 200) for path in (
            f"/v1/splits/train/shards/2nmnist-train-{i // 5:06}.tar?per_shard=5",
            f"/v1/splits/train/samples.json?offset={i + 50}&length=5",
            f"/rows?dataset=2nmnist&config=default&split=train&offset={i + 100}&length=5")]
        for path in asked:
            self.assertEqual(server.get(path).status, 200, path)
        self.assertEqual(prometheus.scrape(server).value("twonmnist_queue_wait_seconds_count"), len(asked))

    def test_the_next_batch_is_there_before_it_is_asked_for(self):
        server = self.serve()
        server.get(self.path(0))
        read = daemon.wait_until(lambda: self.read_since(server, 1.5 * len(self.wanted[0])))
        self.assertLess(read, 3 * len(self.wanted[0]))

    def read_since(self, server, least):
        read = read_bytes(server) - self.before[0]
        return read if read >= least else None


class Long(unittest.TestCase):
    """Answers that are read from the disk as they leave. The one loop is the main thread."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="cold-", dir=daemon.BUILD)))
        daemon.generate(cls.folder, "--count", "3000,0", source="synthetic")
        (cls.folder / "nmnist-train.safetensors").unlink()
        cls.file = cls.folder / "train.safetensors"
        cls.bytes = cls.file.read_bytes()
        with daemon.Daemon(cls.folder, *cls.options()) as server:
            cls.shard = server.get(SHARD).body

    @staticmethod
    def options():
        return "--scrub-interval-s", 0, "--threads", 1, "--max-batch-size", 4096

    def serve(self, *options):
        forget(self.file)
        server = self.enterContext(daemon.Daemon(self.folder, *self.options(), *options))
        if read_bytes(server) == 0:
            self.skipTest("what is read from disks is not counted here")
        server.get("/v1/splits")  # the loop's own program is there
        self.before = waited(server), read_by_threads(server)
        return server

    def check_waits(self, server, least=16 * MiB):
        """The loop has waited for nothing but, now and then, its own program, and had nothing read; the
        workers had."""
        waits, read = ([after - before for before, after in zip(*pair)]
                       for pair in zip(self.before, (waited(server), read_by_threads(server))))
        self.assertLess(waits[0], 3)
        self.assertLess(read[0], MiB)
        self.assertGreater(sum(read[1:]), least)

    @staticmethod
    def begin(server, path=WHOLE):
        """A client that has had the first byte of its answer."""
        connection = wire.connect(server, receive_buffer=65536)
        connection.sendall(wire.request(path))
        connection.recv(1)
        return connection

    def test_a_whole_split_is_read_by_workers(self):
        server = self.serve()
        self.assertEqual(server.get(WHOLE).body, self.bytes)
        self.check_waits(server)

    def test_a_shard_is_read_by_workers(self):
        server = self.serve()
        self.assertEqual(server.get(SHARD).body, self.shard)
        self.check_waits(server)

    def test_a_part_in_the_middle_is_read_by_workers(self):
        server = self.serve()
        first, last = 20 * MiB + 17, 57 * MiB + 5
        answer = server.get(WHOLE, Range=f"bytes={first}-{last}")
        self.assertEqual((answer.status, answer.body), (206, self.bytes[first:last + 1]))
        self.check_waits(server)

    def test_what_is_missing_in_the_middle_is_read_by_workers(self):
        server = self.serve()
        for at in range(0, 40 * MiB, 10 * MiB):
            server.get(WHOLE, Range=f"bytes={at}-{at + 10 * MiB - 1}")
        self.before = waited(server), read_by_threads(server)
        self.assertEqual(server.get(WHOLE).body, self.bytes)
        self.assertEqual(server.get(SHARD).body, self.shard)
        self.check_waits(server)

    def test_two_at_once_and_small_ones_beside_them(self):
        server = self.serve()
        slow = self.begin(server)
        self.assertEqual(server.get(WHOLE).body, self.bytes)
        self.assertEqual(server.get("/v1/splits/train/samples/5.bin").status, 200)
        slow.close()
        self.check_waits(server)

    def test_head_reads_nothing(self):
        server = self.serve()
        before = read_bytes(server)
        answer = server.get(WHOLE, method="HEAD")
        self.assertEqual(int(answer.headers["Content-Length"]), len(self.bytes))
        self.assertLess(read_bytes(server) - before, MiB)

    def test_the_connection_goes_on_behind_one(self):
        server = self.serve()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.addCleanup(connection.close)
        for path, wanted in ((WHOLE, self.bytes), (SHARD, self.shard), (WHOLE, self.bytes)):
            connection.request("GET", path)
            self.assertEqual(connection.getresponse().read(), wanted)
        self.check_waits(server)

    def test_a_client_that_leaves_in_the_middle_is_let_go_of(self):
        server = self.serve("--admin-listen", "127.0.0.1:0")
        prometheus.find_admin(server)
        for abrupt in False, True:
            connection = self.begin(server)
            if abrupt:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        daemon.wait_until(lambda: prometheus.scrape(server).values(
            "twonmnist_http_requests_aborted_total", "phase")[("answering",)] == 2)
        self.assertEqual(server.get(SHARD).body, self.shard)
        self.assertEqual(server.stop(), 0)

    def test_who_has_closed_its_side_gets_all(self):
        server = self.serve()
        connection = self.begin(server)
        connection.shutdown(socket.SHUT_WR)
        with connection, connection.makefile("rb") as file:
            self.assertTrue(file.read().endswith(self.bytes))

    def test_a_stop_lets_one_go_on_to_its_end(self):
        server = self.serve("--stop-timeout-s", 60)
        connection = self.begin(server)
        server.process.terminate()
        with connection, connection.makefile("rb") as file:
            self.assertTrue(file.read().endswith(self.bytes))
        self.assertEqual(server.stop(), 0)

    def test_a_stop_ends_one_that_does_not_end(self):
        server = self.serve("--stop-timeout-s", 1)
        with self.begin(server):
            self.assertEqual(server.stop(), 0)

    def test_a_reload_does_not_disturb_one(self):
        server = self.serve()
        connection = self.begin(server)
        shutil.copy(self.file, self.folder / "other")
        (self.folder / "other").replace(self.file)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("reloaded")
        with connection, connection.makefile("rb") as file:
            self.assertTrue(file.read(len(self.bytes)).startswith(b"TTP/1.1 200"))
            self.assertEqual(server.get("/v1/splits").status, 200)

    def test_a_file_that_is_cut_short_ends_one(self):
        server = self.serve()
        self.addCleanup(self.file.write_bytes, self.bytes)
        with self.begin(server) as connection, connection.makefile("rb") as file:
            os.truncate(self.file, 30 * MiB)
            self.assertLess(len(file.read()), len(self.bytes))
        self.assertEqual(server.get("/v1/splits").status, 200)

    def test_over_tls(self):
        certificates.need_openssl()
        authority = certificates.Authority(self.folder)
        authority.issue("server")
        server = self.serve("--tls-certificate", self.folder / "server.pem",
                            "--tls-key", self.folder / "server.key")
        context = urllib.request.HTTPSHandler(context=authority.context())
        with urllib.request.build_opener(context).open(f"https://127.0.0.1:{server.port}{WHOLE}") as answer:
            self.assertEqual(answer.read(), self.bytes)
        self.check_waits(server)

    def test_a_full_queue_makes_one_slow_and_no_more(self):
        server = self.serve("--queue-length", 1)

        def take(client):
            with client, client.makefile("rb") as file:
                while file.readline().strip():
                    pass
                return file.read(len(self.bytes))

        clients = [self.begin_once_there_is_room(server) for _ in range(5)]
        with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            for body in pool.map(take, clients):
                self.assertEqual(len(body), len(self.bytes))
                self.assertTrue(body == self.bytes)
        self.check_waits(server)

    def begin_once_there_is_room(self, server):
        """To be begun an answer needs a place in the queue, too, and is refused where there is none."""
        for _ in range(1000):
            client = self.begin(server)
            if client.recv(12) == b"TTP/1.1 200 ":
                return client
            client.close()
            time.sleep(0.01)
        self.fail("no room in 10 s")


if __name__ == "__main__":
    unittest.main()
