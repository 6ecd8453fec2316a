# SPDX-License-Identifier: Apache-2.0
"""twonmnist-generate: from each kind of source to splits, and back to the published tree."""
import csv
import gzip
import hashlib
import pathlib
import re
import shutil
import unittest
import zipfile

import numpy as np

import generator
import oracle
import safetensors_reader
from daemon import SHARED, need_shared, temporary_folder


class FolderTest(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        folder = temporary_folder()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def splits(self, source, name, *options):
        out = self.folder / name
        generator.run("splits", "--from", source, "--out", out, "--allow-partial", *options)
        return out


class Words(unittest.TestCase):
    def test_help_and_version_are_no_errors(self):
        self.assertIn("splits", generator.run("--help")[0])
        self.assertRegex(generator.run("--version")[0], r"^twonmnist-generate \d+\.\d+")
        for command in ("splits", "join", "check", "verify", "export"):
            text, _ = generator.run(command, "--help")
            self.assertRegex(text, rf"^Usage: twonmnist-generate {command} ")
            self.assertIn("--jobs N", text)

    def test_wrong_usage_exits_with_2_and_names_the_word(self):
        for words, reason in (
                ((), "command is missing"),
                (("frobnicate",), '"frobnicate"'),
                (("splits", "--out", "x"), "--from PATH is missing"),
                (("splits", "--from", "x"), "--out DIR is missing"),
                (("splits", "--from"), "--from needs a value"),
                (("splits", "--colour=red"), "--colour"),
                (("splits", "--jobs", "0"), '--jobs: the value is 0; it goes from 1 to 1024'),
                (("splits", "--plan", "4294967296"), '--plan: "4294967296"'),
                (("splits", "--plan", "-1"), '--plan: "-1"'),
                (("splits", "--order", "size"), '--order: "size"'),
                (("splits", "--count", "7"), '--count: "7"'),
                (("splits", "--count", "0,0"), "no recordings at all"),
                (("splits", "--seed", "1e3"), '--seed: the value takes a whole number, not "1e3"'),
                (("splits", "--from", "x", "--out", "y", "--seed", "1"), "synthetic"),
                (("verify",), "DIR is missing"),
                (("verify", "a", "b"), '"b"'),
                (("export", "a"), "OUT is missing")):
            with self.subTest(words):
                self.assertIn(reason, generator.fail(*words, expect=2))


class Sources(FolderTest):
    def setUp(self):
        super().setUp()
        self.files = generator.recordings()
        self.source = generator.write_folder(self.folder / "source", self.files)

    def test_source_splits_hold_the_files_in_name_order(self):
        out = self.splits(self.source, "out")
        for part, split in generator.PARTS.items():
            tensors, metadata = generator.read(out, f"nmnist-{split}")
            names = sorted(name for name in self.files if name.startswith(part + "/"))
            contents = [self.files[name] for name in names]
            self.assertEqual([s.tobytes() for s in generator.samples(tensors)], contents)
            self.assertEqual(tensors["labels"].argmax(1).tolist(),
                             [int(name.split("/")[1]) for name in names])
            self.assertEqual(tensors["labels"].sum(), len(names))
            self.assertEqual(tensors["sources"].tolist(),
                             [[int(pathlib.Path(n).stem), -1] for n in names])
            self.assertEqual(metadata["source_sha256"],
                             hashlib.sha256(b"".join(contents)).hexdigest())
            self.assertEqual((metadata["kind"], metadata["split"], metadata["origin"]),
                             ("source", split, "recorded"))

    def test_samples_are_the_mix_of_their_sources(self):
        for order in ("time", "published"):
            out = self.splits(self.source, order, "--order", order)
            for split in generator.PARTS.values():
                singles = generator.samples(generator.read(out, f"nmnist-{split}")[0])
                digits = generator.read(out, f"nmnist-{split}")[0]["labels"].argmax(1)
                tensors, metadata = generator.read(out, split)
                self.assertTrue((tensors["sources"][:, 1] >= 0).any())
                for i, events in enumerate(generator.samples(tensors)):
                    sources = [s for s in tensors["sources"][i] if s >= 0]
                    mixed = oracle.mix([singles[s] for s in sources], order=order)
                    self.assertTrue(np.array_equal(events, mixed), f"{split} {i}")
                    shown = np.flatnonzero(tensors["labels"][i])
                    self.assertEqual(set(shown), set(digits[sources]))
                source_file = (out / f"nmnist-{split}.safetensors").read_bytes()
                self.assertEqual(metadata["source_sha256"], safetensors_reader.revision(source_file))
                self.assertEqual((metadata["kind"], metadata["order"], metadata["plan"]),
                                 ("2nmnist", order, "published"))

    def test_zip_and_folder_give_the_same_files_whatever_the_order_in_the_zip(self):
        wanted = generator.digest(self.splits(self.source, "folder"))
        self.assertEqual(len(wanted), 4)
        for name, order in (("sorted", sorted), ("reversed", lambda n: sorted(n, reverse=True))):
            zips = generator.write_zips(self.folder / f"{name}.zips", self.files, order)
            self.assertEqual(generator.digest(self.splits(zips, name)), wanted)

    def test_files_that_are_no_recordings_are_passed_over(self):
        wanted = generator.digest(self.splits(self.source, "clean"))
        clutter = "README", "Train/.DS_Store", "Train/0/._00001.bin", "Train/0/notes.txt"
        generator.write_folder(self.source, {name: b"x" for name in clutter})
        self.assertEqual(generator.digest(self.splits(self.source, "cluttered")), wanted)

    def test_the_number_of_threads_does_not_show(self):
        one, four = (self.splits(self.source, f"j{n}", "--jobs", n) for n in (1, 4))
        self.assertEqual(generator.digest(one), generator.digest(four))
        synthetic = "--count", "120,30", "--seed", 3
        one, four = (self.splits("synthetic", f"s{n}", "--jobs", n, *synthetic) for n in (1, 4))
        self.assertEqual(generator.digest(one), generator.digest(four))

    def test_one_part_alone_is_enough_and_said(self):
        wanted = generator.digest(self.splits(self.source, "both"))
        shutil.rmtree(self.source / "Train")
        for source in (self.source, self.source / "Test", f"{self.source}/Test/"):
            out = self.folder / "alone"
            _, err = generator.run("splits", "--from", source, "--out", out, "--allow-partial")
            self.assertTrue(err.startswith("There is no Train here: only test is made.\n"), err)
            self.assertEqual(generator.digest(out),
                             {name: wanted[name] for name in wanted if "test" in name})

    def test_another_plan_mixes_other_pairs(self):
        made = [self.splits(self.source, f"p{plan}", "--plan", plan) for plan in ("42", "43")]
        published, other = (generator.read(out, "train") for out in made)
        self.assertEqual((published[1]["plan"], other[1]["plan"]), ("published", "43"))
        self.assertFalse(np.array_equal(published[0]["sources"], other[0]["sources"]))

    def test_a_time_overflow_marker_moves_what_follows(self):
        name = "Test/4/00005.bin"
        marked = bytes([1, 2, 0, 0, 9]) + bytes([0, 240, 0, 0, 0]) + bytes([3, 4, 0x80, 0, 1])
        files = {**self.files, name: marked}
        out = self.splits(generator.write_folder(self.folder / "marked", files), "out")
        tensors, metadata = generator.read(out, "nmnist-test")
        i = sorted(n for n in files if n.startswith("Test/")).index(name)
        self.assertEqual(generator.samples(tensors)[i].tolist(),
                         [[1, 2, 0, 0, 9], [3, 4, 0x80, 32, 1]])
        contents = [files[n] for n in sorted(files) if n.startswith("Test/")]
        self.assertEqual(metadata["source_sha256"], hashlib.sha256(b"".join(contents)).hexdigest())

    def test_the_table_at_the_end_counts_what_was_written(self):
        out, _ = generator.run("splits", "--from", self.source, "--out", self.folder / "out",
                               "--allow-partial")
        lines = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
        self.assertEqual(lines["split"], "samples pairs singles events bytes seconds".split())
        for name in ("nmnist-train", "train", "nmnist-test", "test"):
            tensors, _ = generator.read(self.folder / "out", name)
            n, pairs = len(tensors["labels"]), int((tensors["labels"].sum(1) == 2).sum())
            size = (self.folder / "out" / f"{name}.safetensors").stat().st_size
            wanted = [n, pairs, n - pairs, len(tensors["events"]), size]
            self.assertEqual([int(word.replace(",", "")) for word in lines[name][:5]], wanted)


class Exported(FolderTest):
    def setUp(self):
        super().setUp()
        self.source = generator.write_folder(self.folder / "source", generator.recordings())
        self.out = self.splits(self.source, "out")
        self.tree = self.folder / "tree"
        generator.run("export", self.out, self.tree)

    def test_the_tree_does_not_depend_on_the_order_of_the_splits(self):
        published = self.splits(self.source, "published", "--order", "published")
        generator.run("export", published, self.folder / "other")
        names = generator.tree(self.tree)
        self.assertEqual(generator.tree(self.folder / "other"), names)
        for name in names:
            if name.endswith(".bin"):
                self.assertEqual((self.tree / name).read_bytes(),
                                 (self.folder / "other" / name).read_bytes())

    def test_splits_of_the_tree_are_those_it_was_made_from(self):
        for order in ("time", "published"):
            wanted = self.splits(self.source, f"wanted-{order}", "--order", order)
            for i, place in enumerate(("", "2nmnist", "2nmnist/data")):
                again = self.splits(self.tree / place, f"again-{order}-{i}", "--order", order)
                self.assertEqual(generator.tree(again), ["test.safetensors", "train.safetensors"])
                for split in generator.PARTS.values():
                    (a, _), (b, metadata) = (generator.read(f, split) for f in (wanted, again))
                    for tensor in ("offsets", "events", "labels", "checksums"):
                        self.assertTrue(np.array_equal(a[tensor], b[tensor]), (split, tensor))
                    self.assertEqual(set(b["sources"].ravel()), {-1})
                    self.assertEqual((metadata["origin"], metadata["order"]),
                                     ("published-archive", order))
                    self.assertNotIn("source_sha256", metadata)

    def test_the_zipped_tree_gives_the_same_files(self):
        wanted = generator.digest(self.splits(self.tree, "wanted"))
        paths = self.folder / "2nmnist.zip", self.folder / "renamed.zip", self.folder
        for path in paths[:2]:
            self.zip_tree(self.tree, path)
        for i, path in enumerate(paths):
            self.assertEqual(generator.digest(self.splits(path, f"zip-{i}")), wanted)

    @staticmethod
    def zip_tree(tree, path):
        with zipfile.ZipFile(path, "w") as archive:
            for name in reversed(generator.tree(tree)):
                archive.write(tree / name, name)

    def test_a_tree_of_simulated_samples_says_so(self):
        made = self.splits("synthetic", "simulated", "--count", "60,0")
        self.assertEqual(generator.read(made, "train")[1]["origin"], "synthetic")
        generator.run("export", made, self.folder / "simulated-tree")
        self.zip_tree(self.folder / "simulated-tree", self.folder / "simulated.zip")
        for source in ("simulated-tree", "simulated.zip"):
            again = self.splits(self.folder / source, f"again-{source}")
            metadata = generator.read(again, "train")[1]
            self.assertEqual((metadata["origin"], metadata["licence"]), ("synthetic", "Apache-2.0"))

    def test_a_tree_that_is_there_is_not_written_over(self):
        before = generator.tree(self.tree)
        self.assertIn("not empty", generator.fail("export", self.out, self.tree))
        self.assertEqual(generator.tree(self.tree), before)

    def test_without_the_right_source_split_there_is_no_tree(self):
        out = self.folder / "none"
        again = self.splits(self.tree, "again")
        self.assertIn("published tree", generator.fail("export", again, out))
        lone = self.folder / "lone"
        shutil.copytree(self.out, lone)
        (lone / "nmnist-test.safetensors").unlink()
        self.assertIn("is needed", generator.fail("export", lone, out))
        shutil.copy(lone / "nmnist-train.safetensors", lone / "nmnist-test.safetensors")
        self.assertIn("it was mixed from", generator.fail("export", lone, out))
        self.assertIn("no split in it", generator.fail("export", self.tree, out))
        self.assertFalse(out.exists())


class Real(FolderTest):
    def setUp(self):
        super().setUp()
        need_shared()

    def test_every_file_is_that_of_the_authors_generator(self):
        out = self.splits(SHARED / "nmnist-small", "out")
        text, _ = generator.run("verify", out)
        self.assertEqual(len(re.findall(r" ok .*samples: ", text)), 4, text)
        generator.run("export", out, self.folder / "tree")
        n = 0
        for part in generator.PARTS:
            lines = (SHARED / f"golden/2nmnist-small-{part}.sha256").read_text().splitlines()
            wanted = {name: sha for sha, name in map(str.split, lines)}
            folder = self.folder / "tree/2nmnist/data" / part
            found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
            self.assertEqual(found, wanted)
            n += len(found)
        self.assertEqual(n, 565)

    def test_unzipped_recordings_give_the_same_files(self):
        for part in generator.PARTS:
            with zipfile.ZipFile(SHARED / f"nmnist-small/{part}.zip") as archive:
                archive.extractall(self.folder / "unzipped")
        zipped = self.splits(SHARED / "nmnist-small", "a", "--jobs", 1)
        self.assertEqual(generator.digest(self.splits(self.folder / "unzipped", "b", "--jobs", 4)),
                         generator.digest(zipped))

    def test_the_full_test_set_is_planned_as_published(self):
        out = self.splits("synthetic", "out", "--count", "0,10000")
        with gzip.open(SHARED / "golden/plan-test.csv.gz", "rt") as rows:
            plan = [[int(row[c]) for c in ("source_a", "source_b")] for row in csv.DictReader(rows)]
        self.assertEqual(generator.read(out, "test")[0]["sources"].tolist(), plan)


if __name__ == "__main__":
    unittest.main()
