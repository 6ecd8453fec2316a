# SPDX-License-Identifier: Apache-2.0
"""A split that is not in memory: what is asked for is read from the disk, and not much else; those who
serve connections do not wait for it."""
import os
import pathlib
import tempfile
import unittest

import daemon
import prometheus

N_BATCHES = 8


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


def waited(server):
    """How often a thread waited for a page of a file, for each, in the order in which they began."""
    tasks = sorted(pathlib.Path(f"/proc/{server.process.pid}/task").iterdir(), key=lambda task: int(task.name))
    return [int((task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[9]) for task in tasks]


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


if __name__ == "__main__":
    unittest.main()
