# SPDX-License-Identifier: Apache-2.0
"""twonmnist-generate: parts of a run, made anywhere and in any order, are joined to what one run
makes, byte for byte; what does not belong together or is not whole is named."""
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import time
import unittest

import generator
from daemon import GENERATE, SHARED, need_shared, set_metadata, temporary_folder


def part_name(i, n):
    return f"splits-{i}-of-{n}.part"


def splits(folder):
    """The bytes of the splits, by name; parts and what is hidden are others."""
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


class PartsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(temporary_folder()))
        self.files = generator.recordings(per_digit=2)
        self.source = generator.write_folder(self.folder / "source", self.files)

    def whole(self, source, *options, name="whole"):
        generator.run("splits", "--from", source, "--out", self.folder / name, "--allow-partial",
                      *options)
        return splits(self.folder / name)

    def command(self, source, i, n, *options, name="parts"):
        return ["splits", "--from", source, "--out", self.folder / name, "--allow-partial",
                "--part", f"{i}/{n}", "--jobs", 1, *options]

    def part(self, *words, **more):
        return generator.run(*self.command(*words, **more))

    def parts(self, source, n, *options, name="parts"):
        for i in range(1, n + 1):
            self.part(source, i, n, *options, name=name)

    def join(self, name="parts"):
        generator.run("join", self.folder / name)
        return splits(self.folder / name)

    def refused(self, name="parts"):
        """Why; and there are no splits then, nor anything hidden."""
        before = generator.tree(self.folder / name)
        why = generator.fail("join", self.folder / name)
        self.assertEqual(generator.tree(self.folder / name), before)
        return why


class Joined(PartsTest):
    def check(self, source, counts, *options):
        wanted = self.whole(source, *options)
        for n in counts:
            with self.subTest(n):
                name = f"parts-{n}"
                self.parts(source, n, *options, name=name)
                self.assertEqual(self.join(name), wanted)

    def test_any_number_of_parts_gives_what_one_run_makes(self):
        self.check(self.source, (1, 2, 3, 7, 100))  # there are 20 recordings in each part

    def test_simulated_recordings_too(self):
        self.check("synthetic", (1, 2, 3, 7, 40), "--count", "30,9", "--seed", 4)

    def test_another_plan_and_order_too(self):
        self.check(self.source, (3,), "--plan", 7, "--order", "published")

    def test_train_or_test_alone_too(self):
        self.check(self.source / "Test", (2, 3))

    def test_the_published_samples_too(self):
        made = self.folder / "made"
        generator.run("splits", "--from", self.source, "--out", made, "--allow-partial")
        generator.run("export", made, self.folder / "tree")
        self.check(self.folder / "tree", (1, 2, 3, 7, 50))
        self.check(self.folder / "tree", (2,), "--order", "published")

    def test_markers_of_time_overflow_too(self):
        marked = bytes([1, 2, 0, 0, 9]) + bytes([0, 240, 0, 0, 0]) + bytes([3, 4, 0x80, 0, 1])
        source = generator.write_folder(self.folder / "marked",
                                        {**self.files, "Test/4/00005.bin": marked})
        self.check(source, (3,))

    def test_folder_and_zip_make_parts_of_one_another(self):
        wanted = self.whole(self.source)
        zips = generator.write_zips(self.folder / "zips", self.files)
        lower = generator.write_folder(self.folder / "lower", {
            name.lower(): content for name, content in self.files.items()})
        for i, source in enumerate((self.source, zips, lower), 1):
            self.part(source, i, 3)
        self.assertEqual(self.join(), wanted)

    def test_names_whose_order_is_not_that_of_their_numbers(self):
        files = {name.replace("/000", "/"): content for name, content in self.files.items()}
        files["Train/0/9.bin"] = generator.recording(9)  # behind "21.bin"
        self.check(generator.write_folder(self.folder / "short", files), (3,))

    def test_parts_in_any_order_and_all_at_once(self):
        wanted = self.whole(self.source)
        for i in (3, 1, 2):
            self.part(self.source, i, 3)
        self.assertEqual(self.join(), wanted)
        running = [subprocess.Popen([GENERATE, *map(str, self.command(self.source, i, 7,
                                                                      name="at-once"))],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for i in range(1, 8)]
        self.assertEqual([process.wait() for process in running], [0] * 7)
        self.assertEqual(self.join("at-once"), wanted)

    def test_splits_that_are_there_are_replaced_and_the_parts_stay(self):
        self.parts(self.source, 2)
        wanted = self.join()
        self.parts(self.source, 2, "--plan", 3)
        self.assertNotEqual(self.join(), wanted)
        self.assertEqual(sorted(p.name for p in (self.folder / "parts").iterdir()),
                         sorted([*wanted, part_name(1, 2), part_name(2, 2)]))

    def test_a_part_says_what_it_is_and_how_much(self):
        out, _ = self.part(self.source, 1, 2)
        self.assertRegex(out, r"^splits-1-of-2\.part  \d+ recordings and samples  [\d.]+ seconds\n$")
        out, _ = self.part(self.source / "Test", 1, 100, name="none")
        self.assertIn("not needed", out)
        self.assertFalse((self.folder / "none").exists())


class Refused(PartsTest):
    def test_a_folder_without_parts(self):
        self.assertIn("there is no part in it", self.refused("source"))
        self.assertIn("No such file", generator.fail("join", self.folder / "nowhere"))

    def test_missing_parts_are_named_and_made_again_alone(self):
        wanted = self.whole(self.source)
        self.parts(self.source, 7)
        for i in (2, 6):
            (self.folder / "parts" / part_name(i, 7)).unlink()
        why = self.refused()
        self.assertIn("of 7 parts 2 are missing: splits-2-of-7.part, splits-6-of-7.part", why)
        self.part(self.source, 2, 7)
        self.part(self.source, 6, 7)
        self.assertEqual(self.join(), wanted)

    def test_damaged_parts_are_named_and_made_again_alone(self):
        wanted = self.whole(self.source)
        self.parts(self.source, 3)
        folder = self.folder / "parts"
        whole = {i: (folder / part_name(i, 3)).read_bytes() for i in (1, 2, 3)}
        header = 8 + int.from_bytes(whole[2][:8], "little")

        def damage(i, content):
            (folder / part_name(i, 3)).write_bytes(content)

        def flip(content, at):
            return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]

        for what, content in (("cut short", whole[2][:-1]),
                              ("longer", whole[2] + b"x"),
                              ("empty", b""),
                              ("its header", flip(whole[2], 9)),
                              ("its index", flip(whole[2], header + 3)),
                              ("its last event", flip(whole[2], len(whole[2]) - 5)),
                              ("its last byte", flip(whole[2], len(whole[2]) - 1)),
                              ("another part", whole[1])):
            with self.subTest(what):
                damage(2, content)
                self.assertIn("splits-2-of-3.part", self.refused())
                damage(3, flip(whole[3], len(whole[3]) - 1) if "its last" in what else b"?")
                why = self.refused()
                self.assertIn("of 3 parts 2 are damaged, make them again: "
                              "splits-2-of-3.part, splits-3-of-3.part", why)
                damage(3, whole[3])
        self.part(self.source, 2, 3)
        self.assertEqual(self.join(), wanted)

    def test_parts_of_another_number(self):
        self.parts(self.source, 3)
        self.part(self.source, 1, 2)
        why = self.refused()
        self.assertIn("parts of ", why)
        self.assertIn("of-3.part", why)
        self.assertIn("splits-1-of-2.part", why)

    def test_parts_of_another_run(self):
        for word, others, what in (
                ("plan", ("--plan", 7), 'another --plan: "7", and there "published"'),
                ("order", ("--order", "published"), 'another --order: "published", and there "time"'),
                ("seed", ("--seed", 8), 'another --seed: "8", and there "0"'),
                ("count", ("--count", "30,8"), "another list of recordings")):
            with self.subTest(word):
                usual = () if "--count" in others else ("--count", "30,9")
                for i in (1, 3):
                    self.part("synthetic", i, 3, "--count", "30,9", name=word)
                self.part("synthetic", 2, 3, *usual, *others, name=word)
                why = self.refused(word)
                self.assertIn("splits-2-of-3.part does not belong to splits-1-of-3.part", why)
                self.assertIn(what, why)

    def test_a_part_of_another_edition(self):
        self.parts(self.source, 2)
        set_metadata(self.folder / "parts" / part_name(2, 2),
                     generator="twonmnist-generate, edition 1")
        self.assertIn('another edition of the generator: "twonmnist-generate, edition 1"',
                      self.refused())

    def test_parts_of_other_sources(self):
        self.parts(self.source, 3)
        generator.write_folder(self.source, {"Train/0/99999.bin": generator.recording(5)})
        self.part(self.source, 2, 3)
        self.assertIn("another list of recordings", self.refused())

    def test_parts_of_recordings_that_only_have_the_same_names(self):
        other = generator.write_folder(self.folder / "other", {
            name: generator.recording(i + 50) for i, name in enumerate(self.files)})
        self.parts(self.source, 3)
        self.part(other, 2, 3)
        self.assertIn("were mixed from other recordings", self.refused())

    def test_a_bad_recording_leaves_no_part(self):
        generator.write_folder(self.source, {"Train/3/00004.bin": b"1234567"})
        done = [subprocess.run([GENERATE, *map(str, self.command(self.source, i, 3))],
                               capture_output=True, text=True, check=False) for i in (1, 2, 3)]
        failed = [i for i, each in enumerate(done, 1) if each.returncode == 1]
        self.assertTrue(failed)
        for i in failed:
            self.assertIn("Train/3/00004.bin: 7 bytes", done[i - 1].stderr)
        self.assertEqual(sorted(path.name for path in (self.folder / "parts").iterdir()),
                         [part_name(i, 3) for i in (1, 2, 3) if i not in failed])

    def test_wrong_usage_exits_with_2_and_names_the_word(self):
        for value, words in (("3", '--part: "3" is not I/N'), ("4/3", "--part: I is 4"),
                             ("0/3", "--part: I is 0"), ("1/513", "--part: N is 513")):
            why = generator.fail("splits", "--from", "x", "--out", "y", "--part", value, expect=2)
            self.assertIn(words, why)
        self.assertIn("DIR is missing", generator.fail("join", expect=2))


class Killed(PartsTest):
    """A part stands whole or not at all, whenever its run or that of `join` is killed."""
    MOMENTS = 40
    SYNTHETIC = "--count", "12,12"

    def killed_at(self, words, moment_s):
        process = subprocess.Popen([GENERATE, *map(str, words)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(moment_s)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    def check(self, words, wanted):
        """Kill the run at many moments; `wanted` are the files that it makes. Returns how many
        runs were killed."""
        begun, n = time.monotonic(), 0
        generator.run(*words)
        duration_s = time.monotonic() - begun
        rng, out = random.Random(1), self.folder / "parts"
        for _ in range(self.MOMENTS):
            for name in wanted:
                (out / name).unlink(missing_ok=True)
            n += self.killed_at(words, rng.uniform(0, 1.1 * duration_s))
            for name, content in wanted.items():
                if (out / name).exists():
                    self.assertEqual((out / name).read_bytes(), content, name)
        generator.run(*words)
        self.assertEqual([name for name in os.listdir(out) if name.startswith(".")], [])
        return n

    def test_part_and_join(self):
        wanted = self.whole("synthetic", *self.SYNTHETIC)
        self.parts("synthetic", 2, *self.SYNTHETIC)
        part = {part_name(2, 2): (self.folder / "parts" / part_name(2, 2)).read_bytes()}
        n = self.check(self.command("synthetic", 2, 2, *self.SYNTHETIC), part)
        n += self.check(["join", self.folder / "parts"], wanted)
        self.assertGreater(n, self.MOMENTS // 4)
        self.assertEqual(splits(self.folder / "parts"), wanted)


class Real(PartsTest):
    def test_every_file_of_joined_parts_is_that_of_the_authors_generator(self):
        need_shared()
        source = SHARED / "nmnist-small"
        self.parts(source, 3)
        self.assertEqual(self.join(), self.whole(source))
        generator.run("export", self.folder / "parts", self.folder / "tree")
        n = 0
        for part in generator.PARTS:
            lines = (SHARED / f"golden/2nmnist-small-{part}.sha256").read_text().splitlines()
            wanted = {name: sha for sha, name in map(str.split, lines)}
            found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest()
                     for p in (self.folder / "tree/2nmnist/data" / part).iterdir()}
            self.assertEqual(found, wanted)
            n += len(found)
        self.assertEqual(n, 565)

    def test_splits_of_joined_parts_are_verified(self):
        self.parts(self.source, 3)
        self.join()
        text, _ = generator.run("verify", self.folder / "parts")
        self.assertEqual(text.count(" ok "), 4, text)


if __name__ == "__main__":
    unittest.main()
