# SPDX-License-Identifier: Apache-2.0
"""Files that change while they are served: cut short, overwritten, touched, replaced; and files
that cannot be served at all. Nothing of it ends the daemon, and nothing wrong is served."""
import contextlib
import http.client
import os
import pathlib
import shutil
import signal
import threading
import time
import unittest

import daemon
import safetensors_reader

NEVER = ("--watch-interval-s", 0)
OFTEN = ("--watch-interval-s", 1)
LOAD_S = 3  # how long each kind of load lasts


def set_of(case, count, seed):
    folder = case.enterClassContext(daemon.temporary_folder())
    return daemon.generate(folder, "--count", count, "--seed", seed, source="synthetic")


def revision_of(answer):
    return answer.headers["Twonmnist-Revision"]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = set_of(cls, "60,20", 3)
        cls.other = set_of(cls, "60,20", 4)

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.served = pathlib.Path(shutil.copytree(self.data, self.folder / "data"))

    def start(self, *options):
        return self.enterContext(daemon.Daemon(self.served, *options))

    def path(self, name):
        return self.served / f"{name}.safetensors"

    def put(self, name, whole):
        """As the generator does it: written beside, then renamed."""
        (self.folder / "new").write_bytes(whole)
        os.replace(self.folder / "new", self.path(name))

    def reload(self, server, words="reloaded"):
        server.process.send_signal(signal.SIGHUP)
        return server.wait_for(words)

    def await_damaged(self, server, name):
        """A change is noticed within a tick of the clock; until then an answer from the map may
        end in the middle."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(http.client.HTTPException, ConnectionError):
                if server.get(f"/v1/splits/{name}/samples/0.bin").status == 500:
                    return
        self.fail(f"the change of {name} is not noticed")

    def expect_damaged(self, server, name):
        self.await_damaged(server, name)
        last = server_samples(self.data, name) - 1
        for path in (f"samples/{last}.bin", f"samples/{last}.npy", f"samples/{last}.bin?as=frames",
                     f"samples?offset={last - 2}", "samples/0.bin", "labels.npy",
                     f"batch.safetensors?indices=0,{last}", f"batch.json?indices={last}"):
            answer = server.get(f"/v1/splits/{name}/{path}")
            self.assertEqual((answer.status, answer.json()["code"]), (500, "split-damaged"), path)

    def expect_sound(self, server, name):
        tensors, _ = safetensors_reader.read((self.data / f"{name}.safetensors").read_bytes())
        for i in (0, len(tensors["labels"]) - 1):
            answer = server.get(f"/v1/splits/{name}/samples/{i}.bin")
            events = tensors["events"][tensors["offsets"][i]:tensors["offsets"][i + 1]]
            self.assertEqual((answer.status, answer.body), (200, events.tobytes()))


def server_samples(folder, name):
    tensors, _ = safetensors_reader.read((folder / f"{name}.safetensors").read_bytes())
    return len(tensors["labels"])


class CutShort(Case):
    def cut_at(self, lengths):
        whole = self.path("train").read_bytes()
        server = self.start(*NEVER)
        for length in lengths:
            with self.subTest(length=length):
                os.truncate(self.path("train"), length)
                self.expect_damaged(server, "train")
                self.assertEqual(server.get("/readyz").status, 500)
                self.expect_sound(server, "test")
                self.put("train", whole)
                self.reload(server)
                self.assertEqual(server.get("/readyz").status, 200)
        self.expect_sound(server, "train")
        self.assertEqual(server.stop(), 0)

    def test_anywhere_in_the_index(self):
        tensors, _ = safetensors_reader.read(self.path("train").read_bytes())
        index = sum(tensors[name].nbytes for name in ("offsets", "sources", "checksums", "labels"))
        self.cut_at(range(4096 + 100, 4096 + index, 100))

    def test_anywhere_in_the_header_or_the_events(self):
        size = self.path("train").stat().st_size
        self.cut_at([0, 1, 100, 4095, 4096, size // 3, size // 2, size - 8192, size - 100, size - 1])

    def test_a_cut_is_noticed_though_nobody_asks(self):
        server = self.start(*OFTEN)
        os.truncate(self.path("train"), 5000)
        self.assertIn("train.safetensors", server.wait_for("passed over"))
        self.assertIn("train", server.get("/readyz").json()["detail"])
        self.expect_sound(server, "test")

    def test_what_cannot_be_opened_any_more_is_told_once_and_tried_no_more(self):
        server = self.start(*OFTEN)
        os.truncate(self.path("train"), 5000)
        server.wait_for("passed over")
        self.put("nmnist-test", (self.other / "nmnist-test.safetensors").read_bytes())
        server.wait_for("reloaded")
        server.stop()
        self.assertEqual(sum("passed over" in line for line in server.log), 1)
        self.assertEqual(sum("reloaded" in line for line in server.log), 2)


class Touched(Case):
    def test_a_touched_split_is_healed_by_the_reload(self):
        server = self.start(*OFTEN)
        before = revision_of(server.get("/v1/splits/train/samples/0.bin"))
        os.utime(self.path("train"))
        server.wait_for("reloaded")
        after = server.get("/v1/splits/train/samples/0.bin")
        self.assertEqual((after.status, revision_of(after)), (200, before))
        self.assertEqual(server.get("/readyz").status, 200)


class Load:
    """Threads that ask until the end, and keep what is wrong."""

    def __init__(self, server, check, paths):
        self.server, self.check, self.paths = server, check, paths
        self.faults, self.n_answers = [], 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(path,)) for path in paths]

    def run(self, path):
        while not self.ended.is_set():
            try:
                fault = self.check(path, self.server.get(path))
            except (OSError, http.client.HTTPException) as error:
                fault = f"{path}: {error}"
            self.n_answers += 1
            if fault:
                self.faults.append(fault)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def for_some_time():
    end = time.monotonic() + LOAD_S
    yield lambda: time.monotonic() < end


class UnderLoad(Case):
    """Every answer that says 200 is that of the revision which it names."""

    PATHS = [f"/v1/splits/train/samples/{path}" for path in
             ("7.npy", "20.npy?timestep=1000", "20.npy?as=frames", "19.npy?timestep=500")]
    OTHER = "/v1/splits/test/samples/0.bin"

    def setUp(self):
        super().setUp()
        self.versions = [(folder / "train.safetensors").read_bytes()
                         for folder in (self.data, self.other)]
        self.good = {}
        for folder in (self.data, self.other):
            with daemon.Daemon(folder, *NEVER) as server:
                for path in [*self.PATHS, self.OTHER]:
                    answer = server.get(path)
                    self.assertEqual(answer.status, 200)
                    self.good[path, revision_of(answer)] = answer.body

    def fault_of(self, path, answer, allowed=(200,)):
        if answer.status not in allowed:
            return f"{path}: {answer.status} {answer.body[:200]}"
        revision = revision_of(answer)
        # A file that is half written over may be a split of its own, if the writer rests there.
        if answer.status == 200 and answer.body != self.good.get((path, revision), answer.body):
            return f"{path}: not the bytes of revision {revision}"
        return None

    def fault_of_damaged(self, path, answer):
        return self.fault_of(path, answer, (200,) if path == self.OTHER else (200, 500))

    def load(self, change, check):
        server = self.start(*OFTEN)
        with Load(server, check, [*self.PATHS, self.OTHER]) as load, for_some_time() as goes_on:
            n = 0
            while goes_on():
                n += 1
                change(self.versions[n % 2])
        self.assertEqual(load.faults[:5], [])
        self.assertGreater(load.n_answers, 0)
        return server

    def await_healing(self, server):
        """Until the watch has found what was put in place last."""
        path, revisions = self.PATHS[0], [key[1] for key in self.good if key[0] == self.PATHS[0]]
        end = time.monotonic() + 60
        answer = server.get(path)
        while (answer.status != 200 or revision_of(answer) != revisions[0]) and \
                time.monotonic() < end:
            time.sleep(0.05)
            answer = server.get(path)
        self.assertEqual(revision_of(answer), revisions[0])

    def overwrite(self, whole):
        """As cp does it: the same inode, cut and written anew in pieces."""
        with open(self.path("train"), "wb", buffering=0) as file:
            for at in range(0, len(whole), 100_000):
                file.write(whole[at:at + 100_000])
                time.sleep(0.003)

    def write_over(self, whole):
        """As rsync --inplace does it: the length stays what it is until the end."""
        with open(self.path("train"), "r+b", buffering=0) as file:
            for at in range(0, len(whole), 100_000):
                file.write(whole[at:at + 100_000])
                time.sleep(0.003)
            file.truncate()

    def test_overwriting_in_place_serves_nothing_wrong(self):
        for change in (self.overwrite, self.write_over):
            with self.subTest(change=change.__name__):
                server = self.load(change, self.fault_of_damaged)
                self.put("train", self.versions[0])
                self.await_healing(server)
                self.expect_sound(server, "train")
                self.assertEqual(server.stop(), 0)

    def test_replacing_by_rename_fails_no_request(self):
        def replace(whole):
            self.put("train", whole)
            time.sleep(0.3)

        self.assertEqual(self.load(replace, self.fault_of).stop(), 0)


class Foreign(Case):
    """Files that have a split's name and are none."""

    def make_all(self):
        whole = self.path("test").read_bytes()
        length = int.from_bytes(whole[:8], "little")
        (self.served / "folder.safetensors").mkdir()
        os.mkfifo(self.served / "fifo.safetensors")
        (self.served / "gone.safetensors").symlink_to("nowhere")
        self.put("empty", b"")
        self.put("nonsense", b"nonsense" * 100)
        self.put("long", (1 << 21).to_bytes(8, "little") + bytes(1 << 22))
        self.put("cut", whole[:-100])
        self.put("sensor", whole.replace(b'"34x34x2"', b'"40x30x2"'))
        self.put("unit", whole.replace(b'"time_unit":"us"', b'"time_unit":"ms"'))
        header = whole[8:8 + length].rstrip()
        self.put("none", whole[:8] + header.replace(b"[21", b"[ 0").ljust(length)
                 + whole[8 + length:])
        return {"folder": "regular file", "fifo": "regular file", "gone": "No such file",
                "empty": "empty", "nonsense": "does not fit", "long": "the limit is 1048576",
                "cut": "outside", "sensor": '"40x30x2"', "unit": '"ms"', "none": "none.safetensors"}

    def test_they_do_not_keep_the_others_from_being_served(self):
        reasons = self.make_all()
        server = self.start(*NEVER)
        for name, words in reasons.items():
            lines = [line for line in server.log
                     if "passed over" in line and f"/{name}.safetensors" in line]
            self.assertEqual(len(lines), 1, name)
            self.assertIn(words, lines[0])
        names = {row["name"] for row in server.get("/v1/splits").json()["splits"]}
        self.assertEqual(names, {"train", "test", "nmnist-train", "nmnist-test"})
        self.assertEqual(server.get("/readyz").status, 200)

    def test_they_do_not_keep_a_reload_from_happening(self):
        server = self.start(*NEVER)
        self.make_all()
        before = revision_of(server.get("/v1/splits/test/samples/0.bin"))
        self.put("test", (self.other / "test.safetensors").read_bytes())
        self.reload(server)
        self.assertNotEqual(revision_of(server.get("/v1/splits/test/samples/0.bin")), before)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(sum("passed over" in line for line in server.log), 10)

    def test_a_foreign_file_in_place_of_a_split_leaves_the_split_served(self):
        server = self.start(*NEVER)
        self.put("test", b"nonsense" * 100)
        self.assertIn("served on", self.reload(server, "passed over"))
        self.expect_sound(server, "test")
        self.assertEqual(server.get("/readyz").status, 200)
        self.put("test", (self.other / "test.safetensors").read_bytes())
        self.reload(server)
        answer = server.get("/v1/splits/test/samples/0.bin")
        self.assertEqual(answer.status, 200)
        self.assertNotEqual(answer.body,
                            server.get("/v1/splits/nmnist-test/samples/0.bin").body)

    def test_a_sample_without_labels_is_served(self):
        whole = bytearray(self.path("nmnist-test").read_bytes())
        tensors, _ = safetensors_reader.read(bytes(whole))
        length = int.from_bytes(whole[:8], "little")
        labels = whole.index(tensors["labels"].tobytes(), 8 + length)
        whole[labels:labels + tensors["labels"].shape[1]] = bytes(tensors["labels"].shape[1])
        self.put("nmnist-test", safetensors_reader.seal(whole))
        server = self.start(*NEVER)
        answer = server.get("/v1/sources/nmnist-test/samples/0.bin")
        self.assertEqual((answer.status, answer.headers["Twonmnist-Labels"] or ""), (200, ""))
        self.assertIn("nmnist-test", server.get(
            "/v1/pairs/nmnist-test/1/0.bin").json()["detail"])


class Signal(Case):
    def test_a_bus_error_that_somebody_sends_neither_ends_nor_disarms_it(self):
        server = self.start(*NEVER)
        server.process.send_signal(signal.SIGBUS)
        self.expect_sound(server, "train")
        os.truncate(self.path("train"), 4096)
        self.expect_damaged(server, "train")
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
