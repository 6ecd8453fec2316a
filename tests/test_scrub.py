# SPDX-License-Identifier: Apache-2.0
"""Splits that rot: what is mapped is held against its checksums in the background, and until that is
done before anything is made of it, so that no damaged sample gets a checksum that says it is good."""
import base64
import os
import pathlib
import shutil
import signal
import time
import unittest

import daemon
import safetensors_reader

SLOW = ("--scrub-rate", 1 << 20)  # the least: a second for each MiB
OFF = ("--scrub-interval-s", 0)
SAMPLE = 7
STOP_S = 30  # far less than a slow scrub would take that nobody stopped


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = daemon.generate(cls.enterClassContext(daemon.temporary_folder()), "--count",
                                   "200,20", source="synthetic")

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.data = pathlib.Path(shutil.copytree(self.made, self.folder / "data"))

    def path(self, name):
        return self.data / f"{name}.safetensors"

    def rot(self, name, sample=SAMPLE, to=None):
        """Flip a bit of the sample's events, in a file `to` or the split's own."""
        blob = bytearray(self.path(name).read_bytes())
        tensors, _ = safetensors_reader.read(bytes(blob))
        start = len(blob) - tensors["events"].nbytes
        blob[start + 5 * int(tensors["offsets"][sample]) + 4] ^= 1
        (to or self.path(name)).write_bytes(blob)

    def start(self, *options):
        return self.enterContext(daemon.Daemon(self.data, *options))

    def states(self, server):
        return {row["name"]: row for row in server.get("/v1/splits").json()["splits"]}

    def await_verified(self, server, *names):
        return daemon.wait_until(lambda: all(self.states(server)[name]["scrub"]["verified"]
                                             for name in names))


class Background(Case):
    def test_every_split_is_verified_and_says_so(self):
        begun = int(time.time())
        server = self.start()
        self.await_verified(server, "train", "test", "nmnist-train", "nmnist-test")
        for name, row in self.states(server).items():
            blob = self.path(name).read_bytes()
            size = len(blob) - 8 - int.from_bytes(blob[:8], "little")
            self.assertFalse(row["damaged"])
            self.assertEqual((row["scrub"]["bytes"], row["scrub"]["of"]), (size, size))
            self.assertGreaterEqual(row["scrub"]["finished"], begun)
            self.assertNotIn("scrub", server.get(f"/v1/splits/{name}").json())
        self.assertEqual(server.get("/v1/splits").headers["Cache-Control"], "no-cache")
        self.assertEqual(server.stop(), 0)
        order = [line for line in server.log if "verified" in line]
        self.assertEqual(len(order), 4)
        self.assertIn("split nmnist-", order[0])  # recordings first: fresh mixes are made of them

    def test_it_is_done_again_and_again(self):
        server = self.start("--scrub-interval-s", 1)
        for _ in range(3):
            server.wait_for("split test@")
            server.wait_for("split train@")

    def test_a_sample_that_rotted_is_named_and_its_split_served_no_more(self):
        self.rot("test")
        server = self.start()
        self.assertRegex(server.wait_for("is damaged"), rf"split test@.* sample {SAMPLE} is not")
        answer = server.get("/readyz")
        self.assertEqual((answer.status, answer.json()["code"]), (500, "split-damaged"))
        self.assertEqual(server.get("/v1/splits/test/samples/0.bin").status, 500)
        self.assertEqual(server.get("/v1/splits/train/samples/0.bin").status, 200)
        self.assertTrue(self.states(server)["test"]["damaged"])
        self.await_verified(server, "train", "nmnist-train", "nmnist-test")
        server.stop()
        self.assertEqual(len([line for line in server.log if "damaged" in line]), 1)

    def test_a_split_put_in_the_place_of_a_rotten_one_is_served(self):
        whole = self.path("test").read_bytes()
        self.rot("test")
        server = self.start("--watch-interval-s", 1)
        server.wait_for("is damaged")
        (self.folder / "new").write_bytes(whole)
        os.replace(self.folder / "new", self.path("test"))
        server.wait_for("reloaded")
        self.await_verified(server, "test")
        self.assertEqual(server.get("/readyz").status, 200)
        self.assertEqual(server.get("/v1/splits/test/samples/0.bin").status, 200)

    def test_a_file_that_is_cut_short_while_it_is_read_ends_nothing(self):
        server = self.start(*SLOW)
        daemon.wait_until(lambda: self.states(server)["nmnist-train"]["scrub"]["bytes"])
        os.truncate(self.path("nmnist-train"), 5000)
        daemon.wait_until(lambda: self.states(server)["nmnist-train"]["damaged"])
        self.assertEqual(server.get("/v1/splits/test/samples/0.bin").status, 200)
        self.assertEqual(server.stop(), 0)

    def test_it_stops_at_once_with_the_daemon(self):
        server = self.start(*SLOW)
        daemon.wait_until(lambda: self.states(server)["nmnist-train"]["scrub"]["bytes"])
        begun = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - begun, STOP_S)

    def test_it_stops_at_once_for_a_split_that_is_replaced(self):
        other = daemon.generate(self.folder / "other", "--count", "20,20", "--seed", 9,
                                source="synthetic")
        server = self.start(*SLOW)
        daemon.wait_until(lambda: self.states(server)["nmnist-train"]["scrub"]["bytes"])
        for name in ("nmnist-train", "train"):
            os.replace(other / f"{name}.safetensors", self.path(name))
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("reloaded")
        self.await_verified(server, "nmnist-train", "train")
        server.stop()
        blob = self.path("nmnist-train").read_bytes()
        verified = [line for line in server.log if "nmnist-train@" in line and "verified" in line]
        self.assertEqual(len(verified), 1)
        self.assertIn(safetensors_reader.revision(blob)[:12], verified[0])

    def test_it_can_be_off(self):
        server = self.start(*OFF)
        row = self.states(server)["train"]
        self.assertEqual((row["scrub"]["verified"], row["scrub"]["bytes"], row["scrub"]["finished"]),
                         (False, 0, None))
        server.stop()
        self.assertFalse([line for line in server.log if "verified" in line])


class Unverified(Case):
    """What is made of recordings before they were scrubbed."""

    def refuse(self, *paths, name):
        for path in paths:
            with self.subTest(path), daemon.Daemon(self.data, *OFF) as server:
                answer = server.get(path)
                self.assertEqual((answer.status, answer.json()["code"]), (500, "split-damaged"))
                self.assertIn(f"split {name}: sample {SAMPLE} is damaged", answer.json()["detail"])
                server.stop()
                self.assertTrue([line for line in server.log
                                 if f"split {name}@" in line and f"sample {SAMPLE} " in line])

    def test_no_mix_is_made_of_what_rotted(self):
        self.rot("nmnist-train")
        with daemon.Daemon(self.made, *OFF) as server:  # a pair, and its place, that has it
            pairs, _ = safetensors_reader.read(server.get(
                "/v1/pairs/nmnist-train/1/batches/0.safetensors?size=500").body)
        pair = int((pairs["sources"] == SAMPLE).any(1).argmax())
        self.assertIn(SAMPLE, pairs["sources"][pair])
        labels = safetensors_reader.read(self.path("nmnist-train").read_bytes())[0]["labels"]
        other = int((labels.argmax(1) != labels[SAMPLE].argmax()).argmax())
        self.refuse(f"/v1/mix/nmnist-train/{other},{SAMPLE}.bin",
                    f"/v1/mix/nmnist-train/{SAMPLE},{other}.json",
                    f"/v1/pairs/nmnist-train/1/{pair}.npy?as=frames",
                    f"/v1/pairs/nmnist-train/1/batches/{pair}.safetensors?size=1",
                    f"/v1/sources/nmnist-train/samples/{SAMPLE}.bin?timestep=1000",
                    name="nmnist-train")

    def test_no_form_is_made_of_what_rotted(self):
        self.rot("train")
        self.refuse(*(f"/v1/splits/train/{path}" for path in (
            f"samples/{SAMPLE}.npy", f"samples/{SAMPLE}.json", f"samples/{SAMPLE}.bin?as=frames",
            f"samples/{SAMPLE}.bin", f"samples?offset={SAMPLE - 1}&length=3",
            f"batch.json?indices=1,{SAMPLE}", f"batch.safetensors?indices=1,{SAMPLE}&as=frames",
            f"batch.safetensors?indices=1,{SAMPLE}&timestep=500")), name="train")

    def test_stored_samples_keep_the_checksum_that_they_were_written_with(self):
        self.rot("train")
        server = self.start(*OFF)
        answer = server.get(f"/v1/splits/train/batch.safetensors?indices=1,{SAMPLE}")
        crc = base64.b64encode(safetensors_reader.crc32c(answer.body).to_bytes(4, "big")).decode()
        self.assertEqual(answer.status, 200)
        self.assertNotEqual(answer.headers["Repr-Digest"], f"crc32c=:{crc}:")
        tensors, _ = safetensors_reader.read(answer.body)
        sums = [safetensors_reader.crc32c(tensors["events"][a:b].tobytes())
                for a, b in zip(tensors["offsets"], tensors["offsets"][1:])]
        self.assertEqual((tensors["checksums"] == sums).tolist(), [True, False])

    def test_what_is_sound_is_served_beside_it(self):
        self.rot("nmnist-train")
        server = self.start(*OFF)
        for path in ("/v1/sources/nmnist-train/samples/3.npy", "/v1/splits/train/samples/0.npy"):
            self.assertEqual(server.get(path).status, 200)

    def test_a_split_whose_index_rotted_is_passed_over(self):
        blob = bytearray(self.path("train").read_bytes())
        tensors, _ = safetensors_reader.read(bytes(blob))
        label = len(blob) - tensors["events"].nbytes - 5
        blob[label] ^= 1
        self.path("train").write_bytes(blob)
        server = self.start(*OFF)
        self.assertTrue([line for line in server.log
                         if "passed over" in line and "its index is damaged" in line])
        self.assertEqual(server.get("/v1/splits/train").status, 404)


if __name__ == "__main__":
    unittest.main()
