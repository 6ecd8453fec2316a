# SPDX-License-Identifier: Apache-2.0
"""What answers say of themselves: the CRC-32C of the whole body, and in a batch what was asked for."""
import unittest

import daemon
import safetensors_reader
from fake_server import digest_of
from safetensors_reader import crc32c


# Path -> whether a HEAD tells the digest: where nothing has to be made for it.
PATHS = {
    "/healthz": True,
    "/v1/splits": True,
    "/v1/splits/train": True,
    "/v1/splits/train/labels.json": True,
    "/v1/splits/train/labels.npy": True,
    "/v1/splits/train/samples?length=7": False,
    "/v1/splits/train/samples/3.bin": True,
    "/v1/splits/train/samples/3.bin?timestep=500": False,
    "/v1/splits/train/samples/3.npy": False,
    "/v1/splits/train/samples/3.json": False,
    "/v1/splits/train/samples/3.bin?as=frames&bins=4": False,
    "/v1/splits/train/samples/3.npy?as=frames&bins=4": False,
    "/v1/splits/train/batch.safetensors?indices=5,1,5": True,
    "/v1/splits/train/batch.safetensors?indices=5,1,5&timestep=2000": False,
    "/v1/splits/train/batch.safetensors?indices=5,1,5&as=frames&bins=3": False,
    "/v1/splits/train/batch.json?indices=5,1": False,
    "/v1/splits/train/epochs/1/2/batches/0.safetensors?size=20": True,
    "/v1/mix/nmnist-train/0,299.bin": False,
    "/v1/pairs/nmnist-train/7/9.bin": False,
    "/v1/pairs/nmnist-train/7/batches/1.safetensors?size=3": False,
}


EPOCH = {"split": "train", "request": "/v1/splits/train/epochs/1/2/batches/0", "order_seed": "1",
         "epoch": "2", "k": "0", "size": "20", "rank": "0", "world": "1", "last": "short",
         "order": "time", "as": "events"}
PAIRS = {"split": "nmnist-train", "request": "/v1/pairs/nmnist-train/7/batches/1", "seed": "7",
         "k": "1", "size": "3", "rank": "1", "world": "2", "order": "time", "as": "frames",
         "timestep": "1000", "bins": "5", "binning": "round", "overlap": "or", "axes": "TCHW"}

# Path -> what the metadata of its batch says, beside the revision.
BATCHES = {
    "/v1/splits/train/epochs/1/2/batches/0.safetensors?size=20": EPOCH,
    "/v1/splits/train@{revision}/epochs/1/2/batches/0.safetensors?size=20": EPOCH,
    "/v1/splits/train/epochs/1/2/batches/0.safetensors?size=20&timestep=250":
        {**EPOCH, "timestep": "250"},
    "/v1/splits/train/batch.safetensors?indices=3,1&order=published":
        {"split": "train", "request": "/v1/splits/train/batch", "order": "published",
         "as": "events"},
    "/v1/pairs/nmnist-train/7/batches/1.safetensors?size=3&as=frames&bins=5&rank=1&world=2": PAIRS,
}


class About(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(folder, "--count", "300,60", "--seed", "5", source="synthetic")
        cls.server = cls.enterClassContext(daemon.Daemon(folder)).wait_until_verified()

    def test_the_digest_is_that_of_the_whole_body(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)  # RFC 3720
        for path in PATHS:
            with self.subTest(path):
                answer = self.server.get(path)
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.headers["Repr-Digest"], digest_of(answer.body))

    def test_head_says_the_digest_where_nothing_has_to_be_made_for_it(self):
        for path, known in PATHS.items():
            with self.subTest(path):
                head, answer = self.server.get(path, "HEAD"), self.server.get(path)
                self.assertEqual((head.status, head.body), (200, b""))
                self.assertEqual(head.headers["Repr-Digest"],
                                 answer.headers["Repr-Digest"] if known else None)

    def test_a_batch_says_the_request_and_every_value_that_shaped_it(self):
        splits = {row["name"]: row for row in self.server.get("/v1/splits").json()["splits"]}
        for path, said in BATCHES.items():
            with self.subTest(path):
                path = path.replace("{revision}", splits["train"]["revision"])
                _, metadata = safetensors_reader.read(self.server.get(path).body)
                self.assertEqual(metadata, {**said, "revision": splits[said["split"]]["revision"]})

    def test_a_batch_by_post_has_its_digest(self):
        answer = self.server.get("/v1/splits/train/batch.safetensors", "POST",
                                 body=b'{"indices": [4, 2]}')
        self.assertEqual(answer.headers["Repr-Digest"], digest_of(answer.body))


if __name__ == "__main__":
    unittest.main()
