# SPDX-License-Identifier: Apache-2.0
"""What the dataset authors' own generator and loader, and NumPy, made of the real recordings must
come out of the daemon bit for bit."""
import csv
import hashlib
import io
import unittest

import numpy as np

import daemon
import oracle
import safetensors_reader


def setUpModule():
    daemon.need_shared()
    folder = unittest.enterModuleContext(daemon.temporary_folder())
    daemon.generate(folder)
    global server
    server = unittest.enterModuleContext(daemon.Daemon(folder))


def golden(name):
    return (daemon.SHARED / "golden" / name).read_text(encoding="ascii")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Golden(unittest.TestCase):
    def body(self, path):
        answer = server.get(path)
        self.assertEqual(answer.status, 200, answer.body[:500])
        return answer.body

    def compare_listing(self, listing, path):
        """Every line "<sha256>  <i>_<labels>.bin" against the sample's answer; returns how many."""
        lines = golden(listing).splitlines()
        for line in lines:
            digest, name = line.split()
            i, labels = name.removesuffix(".bin").split("_")
            answer = server.get(path.format(i=i))
            self.assertEqual(sha256(answer.body), digest, name)
            self.assertEqual(sorted(answer.headers["Twonmnist-Labels"].split(", ")),
                             sorted(labels.split("-")))
        return len(lines)

    def test_published_order_gives_the_published_generators_files(self):
        n = sum(self.compare_listing(f"2nmnist-small-{part}.sha256",
                                     f"/v1/splits/{split}/samples/{{i}}.bin?order=published")
                for part, split in (("Train", "train"), ("Test", "test")))
        self.assertEqual(n, 565)

    def test_frames_give_the_published_loaders_tensors(self):
        asked = "order=published&as=frames&binning=round&overlap=or&axes=CHWT"
        n = sum(self.compare_listing(f"2nmnist-small-{part}-frames.sha256",
                                     f"/v1/splits/{split}/samples/{{i}}.bin?{asked}")
                for part, split in (("Train", "train"), ("Test", "test")))
        self.assertEqual(n, 565)

    def test_fresh_pairs_are_those_that_numpy_draws(self):
        rows = list(csv.DictReader(io.StringIO(golden("small-pairs.csv"))))
        self.assertEqual(len(rows), 304)
        for row in rows:
            path = f"/v1/pairs/nmnist-train/{row['seed']}/{row['index']}.bin"
            answer = server.get(path)
            self.assertEqual(answer.headers["Twonmnist-Sources"], f"{row['a']}, {row['b']}")
            self.assertEqual(answer.headers["Twonmnist-Labels"],
                             ", ".join(sorted((row["label_a"], row["label_b"]))))
            self.assertEqual(len(answer.body), 5 * int(row["events"]))
            self.assertEqual(sha256(answer.body), row["sha256_bin"])
            self.assertEqual(sha256(self.body(path + "?timestep=1000")),
                             row["sha256_bin_timestep_1000"])

    def test_mixes_of_two_to_ten_digits_are_those_that_numpy_makes(self):
        rows = list(csv.DictReader(io.StringIO(golden("small-mixes.csv"))))
        self.assertEqual(len(rows), 27)
        for row in rows:
            body = self.body(f"/v1/mix/nmnist-train/{row['sources'].replace('+', ',')}.bin")
            self.assertEqual(len(body), 5 * int(row["events"]))
            self.assertEqual(sha256(body), row["sha256_bin"])

    def test_an_epochs_batches_follow_numpys_order(self):
        rows = [row for row in csv.DictReader(io.StringIO(golden("small-orders.csv")))
                if row["n"] == "489"]
        self.assertEqual(len(rows), 4)
        for row in rows:
            order = []
            for k in range(8):
                blob = self.body(f"/v1/splits/train/epochs/{row['seed']}/{row['epoch']}"
                                 f"/batches/{k}.safetensors?size=64")
                tensors, _ = safetensors_reader.read(blob)
                order.append(tensors["indices"])
            order = np.concatenate(order)
            self.assertEqual(" ".join(map(str, order[:8])), row["first_8"])
            self.assertEqual(sha256(order.astype("<u8").tobytes()), row["sha256_of_u64_le"])

    def test_the_oracle_of_these_tests_agrees(self):
        recordings = [np.frombuffer(self.body(f"/v1/sources/nmnist-train/samples/{i}.bin"),
                                    np.uint8).reshape(-1, 5) for i in (658, 389)]
        row = next(csv.DictReader(io.StringIO(golden("small-mixes.csv"))))
        self.assertEqual(row["sources"], "658+389")
        self.assertEqual(sha256(oracle.mix(recordings).tobytes()), row["sha256_bin"])


if __name__ == "__main__":
    unittest.main()
