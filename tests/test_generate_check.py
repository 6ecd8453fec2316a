# SPDX-License-Identifier: Apache-2.0
"""twonmnist-generate: whether a source is whole, and all that is wrong with it at once."""
import os
import pathlib
import re
import unittest
import zipfile

import generator
from daemon import temporary_folder


class SourceTest(unittest.TestCase):
    def setUp(self):
        folder = temporary_folder()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.files = generator.recordings(per_digit=2)
        self.out = self.folder / "out"


class Whole(SourceTest):
    def test_a_source_that_is_not_whole_needs_a_word(self):
        source = generator.write_folder(self.folder / "source", self.files)
        words = "splits", "--from", source, "--out", self.out
        out, err = generator.run(*words, expect=1)
        self.assertEqual(out, "")
        self.assertFalse(self.out.exists())
        lines = err.splitlines()
        self.assertEqual(len(lines), 3, err)
        self.assertIn("Train is not all of N-MNIST: recordings: 20, not 60000; digit 0: 2, not 5923; ",
                      lines[0])
        self.assertIn("Test is not all of N-MNIST: recordings: 20, not 10000; ", lines[1])
        self.assertIn("--allow-partial", lines[2])
        _, err = generator.run(*words, "--allow-partial")
        self.assertEqual(err.splitlines(), lines[:2])
        self.assertEqual(generator.read(self.out, "nmnist-train")[1]["origin"], "recorded")

    def test_published_samples_are_asked_the_same(self):
        source = generator.write_folder(self.folder / "source", self.files)
        generator.run("splits", "--from", source, "--out", self.out, "--allow-partial")
        generator.run("export", self.out, self.folder)
        why = generator.fail("splits", "--from", self.folder / "2nmnist", "--out", self.folder / "b")
        self.assertIn("not whole", why)
        _, err = generator.run("check", self.folder / "2nmnist", expect=1)
        self.assertIn("2 faults", err)

    def test_a_simulation_of_any_size_is_whole(self):
        _, err = generator.run("splits", "--from", "synthetic", "--count", "30,10", "--out", self.out)
        self.assertEqual(err, "")
        generator.run("export", self.out, self.folder)
        _, err = generator.run("splits", "--from", self.folder / "2nmnist", "--out", self.out)
        self.assertEqual(err, "")
        generator.run("check", self.folder / "2nmnist")

    def write_test_part(self):
        """A test.zip with as many recordings of each digit as N-MNIST has."""
        counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        digits = [digit for digit, n in enumerate(counts) for _ in range(n)]
        source = self.folder / "source"
        source.mkdir()
        with zipfile.ZipFile(source / "test.zip", "w") as archive:
            for number, digit in enumerate(digits, 1):
                archive.writestr(f"Test/{digit}/{number:05}.bin", generator.recording(number, 3))
        return source

    def test_a_part_that_is_whole_is_enough_alone(self):
        source = self.write_test_part()
        _, err = generator.run("splits", "--from", source, "--out", self.out)
        self.assertEqual(err, "There is no Train here: only test is made.\n")
        self.assertEqual(generator.run("check", source)[0], "Test is whole: 10,000 recordings\n")
        out, _ = generator.run("verify", self.out)
        revisions = dict(re.findall(r"(?m)^(\S+) +[0-9a-f]{64}  (.*)$", out))
        self.assertEqual(revisions, {"nmnist-test": "all of N-MNIST",
                                     "test": "all of 2NMNIST, plan published, order time"})


class Check(SourceTest):
    def check(self, source, *options, expect=1):
        """The faults; and nothing was written beside the source."""
        before = generator.tree(self.folder)
        out, err = generator.run("check", source, *options, expect=expect)
        self.assertEqual(generator.tree(self.folder), before)
        lines = out.splitlines()
        if expect:
            said = sum("is not all of" in line for line in lines if "--allow-partial" in options)
            n = len(lines) - said + sum(int(n.replace(",", "")) - 1
                                       for n in re.findall(r"(?m)^\.\.\. and ([0-9,]+) more$", out))
            self.assertRegex(err.replace(",", ""), rf": {n} faults?\n$")
        return lines

    def spoil(self):
        """Put one of each fault into the files; returns what is to be said of each."""
        good = generator.recording(1, n_events=17)
        bad = {
            "Train/3/00004.bin": (b"1234567", "7 bytes"),
            "Train/5/00016.bin": (good + b"\x22\x00\x85\x00\x00", "event 17: pixel (34, 0)"),
            "Train/6/00007.bin": (good + bytes(5), "event 17: time goes back"),
            "Test/2/00003.bin": (b"", "no events"),
            "Test/2/00013.bin": (bytes((1 << 24) + 5), "the limit of 16777216"),
            "Test/11/00001.bin": (good, '"11" is not a digit'),
            "Test/1/one.bin": (good, "not <number>.bin"),
            "Test/0_1.bin": (good, "side by side"),
        }
        self.files.update({name: content for name, (content, _) in bad.items()})
        return {name: reason for name, (_, reason) in bad.items()}

    def test_every_bad_file_is_named_in_folders_and_in_archives(self):
        wanted = self.spoil()
        for source in (generator.write_folder(self.folder / "folder", self.files),
                       generator.write_zips(self.folder / "zips", self.files)):
            lines = self.check(source)
            for name, reason in wanted.items():
                self.assertEqual(len([line for line in lines
                                      if line.startswith(f"{name}: ") and reason in line]), 1,
                                 (name, lines))
            # Those, and that neither part is whole.
            self.assertEqual(len(lines), len(wanted) + 2, lines)

    def test_damage_in_an_archive_does_not_hide_what_lies_behind_it(self):
        self.files["Train/9/00099.bin"] = b"bad"
        source = generator.write_zips(self.folder / "zips", self.files, sorted)
        path = source / "Train.zip"
        with zipfile.ZipFile(path) as archive:
            places = [archive.getinfo(f"Train/{digit}/0000{digit + 1}.bin").header_offset
                      for digit in (1, 5)]
        blob = bytearray(path.read_bytes())
        for at in places:
            blob[at + 60:at + 70] = b"\xff" * 10
        path.write_bytes(blob)
        (source / "Test.zip").write_bytes(b"no zip at all")
        lines = "\n".join(self.check(source, "--allow-partial"))
        for words in ("Train/1/00002.bin: ", "Train/5/00006.bin: ", "Train/9/00099.bin: 3 bytes",
                      "Test.zip: "):
            self.assertIn(words, lines)

    def test_names_that_come_twice_or_lack_are_all_named(self):
        content = generator.recording(1)
        files = {f"Train/{name}.bin": content for name in ("0_1", "3_1", "3_2", "7_5-6")}
        lines = "\n".join(self.check(generator.write_folder(self.folder / "samples", files)))
        for words in ("Train/3_1.bin: sample 1 is missing", "Train/3_2.bin: there is Train/3_1.bin",
                      "Train/7_5-6.bin: sample 4 is missing"):
            self.assertIn(words, lines)

    def test_files_that_cannot_be_read_are_named(self):
        source = generator.write_folder(self.folder / "source", self.files)
        os.mkfifo(source / "Train/3/00009.bin")
        (source / "Train/4/00009.bin").symlink_to("nowhere")
        lines = "\n".join(self.check(source))
        self.assertIn("Train/3/00009.bin: it is no regular file", lines)
        self.assertIn("Train/4/00009.bin: No such file", lines)

    def test_the_first_hundred_are_shown(self):
        files = {f"Train/1/{i}.bin": b"bad" for i in range(1, 1500)}
        for source in (generator.write_folder(self.folder / "folder", files),
                       generator.write_zips(self.folder / "zips", files)):
            lines = self.check(source, "--allow-partial")
            self.assertEqual(lines[-1], "... and 1,399 more")
            self.assertEqual(len([line for line in lines if "3 bytes" in line]), 100)

    def test_a_good_source_has_no_faults(self):
        source = generator.write_folder(self.folder / "source", self.files)
        lines = self.check(source, "--allow-partial", expect=0)
        self.assertEqual([line.split(":")[0] for line in lines],
                         ["Train is not all of N-MNIST", "Test is not all of N-MNIST"])

    def test_a_place_without_a_source_is_named(self):
        self.assertIn("No such file", generator.fail("check", self.folder / "nowhere"))
        self.assertIn("no data here", generator.fail("check", self.folder))


class LowerCase(SourceTest):
    def test_a_source_as_tonic_keeps_it_gives_the_same_splits(self):
        source = generator.write_zips(self.folder / "upper", self.files)
        words = "--allow-partial", "--out"
        generator.run("splits", "--from", source, *words, self.out)
        wanted = generator.digest(self.out)
        for part in ("Train", "Test"):
            (source / f"{part}.zip").rename(source / f"{part.lower()}.zip")
        generator.run("splits", "--from", source, *words, self.folder / "zips")
        self.assertEqual(generator.digest(self.folder / "zips"), wanted)
        lower = {name.lower(): content for name, content in self.files.items()}
        folder = generator.write_folder(self.folder / "lower", lower)
        generator.run("splits", "--from", folder, *words, self.folder / "folders")
        self.assertEqual(generator.digest(self.folder / "folders"), wanted)

    def test_two_spellings_are_an_error_that_names_both(self):
        source = generator.write_zips(self.folder / "source", self.files)
        (source / "train.zip").write_bytes((source / "Train.zip").read_bytes())
        why = generator.fail("splits", "--from", source, "--out", self.out, "--allow-partial")
        self.assertIn(f"{source}/Train.zip and {source}/train.zip", why)


if __name__ == "__main__":
    unittest.main()
