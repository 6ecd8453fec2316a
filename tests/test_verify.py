# SPDX-License-Identifier: Apache-2.0
"""twonmnist-generate verify: whatever is changed in a folder of splits, it is found and named."""
import json
import pathlib
import re
import shutil
import unittest

import generator
import safetensors_reader
from daemon import Daemon, temporary_folder


def places(path):
    """{tensor: (where its bytes begin, where they end)} in the file."""
    blob = path.read_bytes()
    length = int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:8 + length])
    header.pop("__metadata__")
    return {name: tuple(8 + length + at for at in about["data_offsets"])
            for name, about in header.items()}


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = temporary_folder()
        cls.addClassCleanup(cls.made.cleanup)
        root = pathlib.Path(cls.made.name)
        source = generator.write_folder(root / "source", generator.recordings())
        cls.good = {order: root / order for order in ("time", "published")}
        for order, folder in cls.good.items():
            generator.run("splits", "--from", source, "--out", folder, "--order", order,
                          "--allow-partial")
        generator.run("export", cls.good["time"], root / "tree")
        cls.archive = root / "archive"
        generator.run("splits", "--from", root / "tree", "--out", cls.archive,
                      "--allow-partial")

    def setUp(self):
        folder = temporary_folder()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "splits"
        shutil.copytree(self.good["time"], self.folder)

    def faults(self, faulty=1):
        out, err = generator.run("verify", self.folder, expect=1)
        self.assertRegex(err, rf"^twonmnist-generate: .*: {faulty} of \d splits are faulty\n$")
        return out

    def change(self, name, tensor, at, how, seal=True):
        """Change one byte of a tensor, and mostly the header's checksums with it."""
        path = self.folder / f"{name}.safetensors"
        blob = bytearray(path.read_bytes())
        begin, end = places(path)[tensor]
        self.assertLess(begin + at, end)
        blob[begin + at] = how(blob[begin + at])
        path.write_bytes(safetensors_reader.seal(blob) if seal else blob)

    def test_good_splits_are_good(self):
        for folder in self.good.values():
            for jobs in (1, 3):
                out, err = generator.run("verify", "--jobs", jobs, folder)
                self.assertEqual(err, "")
                self.assertEqual(out.count(" ok "), 4)
                self.assertEqual(out.count("plan, mix"), 2)
                self.assertNotIn("FAULTY", out)

    def test_it_ends_with_the_revision_of_each_good_split(self):
        self.change("test", "checksums", 0, lambda byte: byte ^ 1)
        with Daemon(self.good["time"]) as server:
            served = {row["name"]: row["revision"]
                      for row in server.get("/v1/splits").json()["splits"]}
        found = re.findall(r"(?m)^(\S+) +([0-9a-f]{64})  (.*)$", self.faults())
        self.assertEqual([name for name, _, _ in found], ["nmnist-train", "nmnist-test", "train"])
        for name, revision, about in found:
            self.assertEqual(revision, served[name])
            blob = (self.folder / f"{name}.safetensors").read_bytes()
            self.assertEqual(revision, safetensors_reader.revision(blob))
            self.assertEqual(about, "NOT all of 2NMNIST, plan published, order time"
                             if name == "train" else "NOT all of N-MNIST")

    def test_revisions_of_other_splits_say_what_they_are(self):
        for words, about in ((("--plan", 7), "synthetic, plan 7, order time"),
                             (("--order", "published"), "synthetic, plan published, order published")):
            generator.run("splits", "--from", "synthetic", "--count", "40,20", "--out", self.folder,
                          *words)
            out, _ = generator.run("verify", self.folder)
            self.assertRegex(out, rf"(?m)^train +[0-9a-f]{{64}}  {about}$")
            self.assertRegex(out, r"(?m)^nmnist-train +[0-9a-f]{64}  synthetic$")

    def test_splits_of_the_archive_say_that_the_mix_is_not_checked(self):
        out, _ = generator.run("verify", self.archive)
        self.assertEqual(out.count("could not be checked: from the published archive"), 2)
        for name in ("nmnist-train", "nmnist-test"):
            (self.folder / f"{name}.safetensors").unlink()
        out, _ = generator.run("verify", self.folder)
        self.assertEqual(out.count("be checked: its source split is not in this folder"), 2)

    def test_a_flipped_byte_is_found_with_its_sample(self):
        tensors, _ = generator.read(self.folder, "train")
        event = int(tensors["offsets"][7]) * 5
        self.change("train", "events", event + 4, lambda byte: byte ^ 1)
        self.assertIn("train         FAULTY\n  sample 7: its events have checksum", self.faults())

    def test_events_with_a_fitting_checksum_are_held_against_their_sources(self):
        tensors, _ = generator.read(self.folder, "train")
        sums = tensors["checksums"]
        events = generator.samples(tensors)
        a, b = next((i, k) for i in range(len(sums)) for k in range(i)
                    if len(events[i]) == len(events[k]))
        path = self.folder / "train.safetensors"
        blob, place = bytearray(path.read_bytes()), places(path)
        offsets = [place["events"][0] + 5 * int(tensors["offsets"][i]) for i in (a, b)]
        for at, i in zip(offsets, (b, a)):
            blob[at:at + events[i].nbytes] = events[i].tobytes()
        for i, other in ((a, b), (b, a)):
            at = place["checksums"][0] + 8 * i
            blob[at:at + 8] = sums[other].tobytes()
        path.write_bytes(safetensors_reader.seal(blob))
        self.assertIn(f"sample {a}: its events are not the mix of its sources", self.faults())

    def test_a_flipped_label_is_found(self):
        tensors, _ = generator.read(self.folder, "train")
        single = int((tensors["labels"].sum(1) == 1).argmax())
        digit = int(tensors["labels"][single].argmin())
        self.change("train", "labels", 10 * single + digit, lambda byte: 1)
        self.assertIn(f"sample {single}: its labels are not those of its sources", self.faults())
        self.change("train", "labels", 10 * single + digit, lambda byte: 7)
        self.assertIn("neither 0 nor 1", self.faults())

    def test_flipped_sources_are_found(self):
        self.change("test", "sources", 8 * 5, lambda byte: byte ^ 1)
        self.assertIn("sample 5: its sources are", self.faults())

    def test_a_flipped_checksum_and_offset_are_found(self):
        self.change("test", "checksums", 0, lambda byte: byte ^ 1)
        self.assertIn("sample 0: its events have checksum", self.faults())
        self.change("test", "offsets", 7, lambda byte: 1)
        self.assertIn("offset", self.faults())

    def test_what_the_header_says_of_the_data_is_checked(self):
        """Where the checksums by sample would all fit."""
        path = self.folder / "train.safetensors"
        blob = path.read_bytes()
        said = generator.read(self.folder, "train")[1]["data_sha256"].encode()
        path.write_bytes(blob.replace(said, said[::-1]))
        self.assertRegex(self.faults(), r"(?m)^  its data has SHA-256 " + said[:12].decode())

    def test_a_byte_of_the_index_that_changes_is_found_at_once(self):
        for tensor in ("offsets", "checksums", "sources", "labels"):
            shutil.copy(self.good["time"] / "test.safetensors", self.folder)
            self.change("test", tensor, 17, lambda byte: byte ^ 1, seal=False)
            self.assertIn("its index is damaged", self.faults())

    def test_a_split_of_the_version_before_names_the_command_that_makes_it_anew(self):
        path = self.folder / "train.safetensors"
        path.write_bytes(path.read_bytes().replace(b'"version":"2"', b'"version":"1"'))
        self.assertIn('make it anew with "twonmnist-generate splits --from', self.faults())

    def test_a_changed_source_split_is_found(self):
        for tensor in ("sources", "labels"):
            shutil.copy(self.good["time"] / "nmnist-test.safetensors", self.folder)
            self.change("nmnist-test", tensor, 10, lambda byte: byte ^ 1)
            out, _ = generator.run("verify", self.folder, expect=1)
            self.assertRegex(out, r"(?m)^test +FAULTY$")

    def test_a_truncated_split_is_found(self):
        path = self.folder / "train.safetensors"
        for size in (path.stat().st_size - 1, 4096, 100, 8, 3, 0):
            path.write_bytes(path.read_bytes()[:size])
            self.assertRegex(self.faults(), r"(?m)^train +FAULTY\n  .*train\.safetensors: ")

    def test_only_the_first_ten_faults_are_shown(self):
        path = self.folder / "train.safetensors"
        blob = bytearray(path.read_bytes())
        begin, end = places(path)["checksums"]
        blob[begin:end] = bytes(end - begin)
        path.write_bytes(safetensors_reader.seal(blob))
        out = self.faults()
        n = (end - begin) // 8
        self.assertEqual(out.count("sample "), 10)
        self.assertIn(f"... and {n - 10} more", out)

    def test_a_folder_without_splits_is_named(self):
        empty = self.folder / "empty"
        empty.mkdir()
        self.assertIn("no split in it", generator.fail("verify", empty))
        self.assertIn("No such file", generator.fail("verify", self.folder / "nowhere"))
        self.assertIn("not a folder", generator.fail("verify", self.folder / "train.safetensors"))


if __name__ == "__main__":
    unittest.main()
