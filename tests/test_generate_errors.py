# SPDX-License-Identifier: Apache-2.0
"""twonmnist-generate: what is wrong is named in one line, and nothing half written stays behind."""
import os
import pathlib
import resource
import signal
import subprocess
import unittest
import warnings

import generator
from daemon import GENERATE, temporary_folder


class BadSources(unittest.TestCase):
    def setUp(self):
        folder = temporary_folder()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"
        self.files = generator.recordings(parts=("Train",), per_digit=2)

    def reason(self, source, *options, **more):
        """Why the source is refused; and the output folder is not there afterwards."""
        why = generator.fail("splits", "--from", source, "--out", self.out, "--allow-partial",
                             *options, **more)
        self.assertFalse(self.out.exists())
        return why

    def with_file(self, name, content):
        """Why a source with this file is refused; the same from folder and zip."""
        files = {**self.files, name: content}
        number = len(list(self.folder.iterdir()))
        folder = generator.write_folder(self.folder / f"f{number}", files)
        zips = generator.write_zips(self.folder / f"z{number}", files)
        why = self.reason(folder)
        self.assertEqual(self.reason(zips), why)
        return why

    def test_a_damaged_recording_is_named_with_its_event(self):
        good = generator.recording(1, n_events=17)
        late = (0x80 | 5).to_bytes(1, "big") + b"\x00\x00"
        for content, wanted in (
                (b"1234567", "7 bytes"),
                (good + b"\x22\x00" + late, r"event 17: pixel (34, 0)"),
                (good + b"\x00\x22" + late, r"event 17: pixel (0, 34)"),
                (good + b"\x00\x00\x00\x00\x00", "event 17: time goes back"),
                (b"", "no events")):
            why = self.with_file("Train/3/00004.bin", content)
            self.assertTrue(why.startswith("Train/3/00004.bin: "), why)
            self.assertIn(wanted, why)

    def test_a_name_that_says_nothing_is_named(self):
        content = generator.recording(1)
        for name, wanted in (("Train/x/00001.bin", '"x" is not a digit'),
                             ("Train/10/00001.bin", '"10" is not a digit'),
                             ("Train/1/one.bin", "not <number>.bin"),
                             ("Train/1/99999999999.bin", "not <number>.bin"),
                             ("Train/0_1.bin", "side by side")):
            why = self.with_file(name, content)
            self.assertIn(wanted, why)

    def test_a_published_sample_with_a_wrong_name_is_named(self):
        content = generator.recording(1)
        self.files = {"Train/0_1.bin": content}
        for name, wanted in (("1_2-2", "must differ"),
                             ("1_x", '"x" is not a digit'),
                             ("1_2-34", '"2-34" is not a digit'),
                             ("1", "not <i>_"),
                             ("2_2", "sample 1 is missing"),
                             ("0_2", "there is Train/0_1.bin already")):
            with self.subTest(name):
                self.assertIn(wanted, self.with_file(f"Train/{name}.bin", content))

    def test_a_published_sample_may_go_back_in_time_once_and_a_single_never(self):
        a, b = generator.recording(1), generator.recording(2)
        self.files = {"Train/0_1.bin": a}
        self.assertIn("event 40: time goes back", self.with_file("Train/1_2.bin", a + b))
        self.assertIn("event 80: time goes back", self.with_file("Train/1_2-3.bin", a + b + a))

    def test_a_file_that_comes_twice_in_a_zip_is_named(self):
        source = self.folder / "twice"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile's, that a name comes twice
            generator.write_zips(source, self.files, lambda names: [n for n in names for _ in "ab"])
        self.assertIn("Train/0/00001.bin: it comes twice", self.reason(source))

    def test_a_source_without_data_is_named(self):
        empty = self.folder / "empty"
        empty.mkdir()
        self.assertIn("no data here", self.reason(empty))
        (empty / "Train").mkdir()
        self.assertIn("nothing in Train", self.reason(empty))
        self.assertIn("No such file", self.reason(self.folder / "nowhere"))

    def test_a_zip_that_is_cut_off_or_damaged_is_named(self):
        source = generator.write_zips(self.folder / "zips", self.files)
        whole = (source / "Train.zip").read_bytes()
        for content in (whole[:len(whole) // 2], whole[:-10], b"", b"no zip at all"):
            (source / "Train.zip").write_bytes(content)
            self.assertIn("Train.zip: ", self.reason(source))
        flipped = bytearray(whole)
        flipped[60] ^= 0x55
        (source / "Train.zip").write_bytes(flipped)
        self.assertIn("Train.zip: ", self.reason(source))

    def test_a_fifo_among_the_recordings_is_named_and_not_waited_for(self):
        source = generator.write_folder(self.folder / "source", self.files)
        os.mkfifo(source / "Train/3/00009.bin")
        self.assertIn("Train/3/00009.bin: it is no regular file", self.reason(source, timeout=60))
        for name in ("Train.zip", "alone"):
            zips = self.folder / name
            os.mkfifo(zips)
            self.assertIn(f"{name}: it is no regular file", self.reason(zips, timeout=60))

    def test_names_in_an_archive_do_not_command_the_terminal(self):
        for name in ("Train/\x1b]0;owned\x07/1.bin", "Train/1/\x9b31m\u202e.bin",
                     "Train/1/two\nlines.bin"):
            source = self.folder / f"z{len(list(self.folder.iterdir()))}"
            generator.write_zips(source, {**self.files, name: generator.recording(1)})
            why = self.reason(source)
            self.assertIn("Train/", why)
            self.assertTrue(why.isprintable(), why)

    def test_a_plan_for_the_published_archive_is_refused(self):
        files = {"Train/0_1.bin": generator.recording(1)}
        source = generator.write_folder(self.folder / "published", files)
        self.assertIn("--plan", self.reason(source, "--plan", "7"))


class BadPlaces(unittest.TestCase):
    def setUp(self):
        folder = temporary_folder()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"
        generator.run("splits", "--from", "synthetic", "--count", "30,10", "--out", self.out)
        self.before = generator.digest(self.out)

    def check_untouched(self):
        self.assertEqual(generator.digest(self.out), self.before)

    def test_an_output_that_cannot_be_is_named(self):
        words = "splits", "--from", "synthetic", "--count", "30,10", "--out"
        self.assertIn("not a folder", generator.fail(*words, self.out / "train.safetensors"))
        self.assertIn("No such file", generator.fail(*words, self.folder / "a/b"))

    def test_a_limit_of_file_size_leaves_the_older_splits_alone(self):
        for source in (("synthetic", "--count", "200,10"), (self.zips(),)):
            why = generator.fail("splits", "--out", self.out, "--allow-partial", "--from", *source,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                       (1 << 20, 1 << 20)))
            self.assertIn("File too large", why)
            self.check_untouched()

    def zips(self):
        files = {f"Train/{i % 10}/{i:05}.bin": generator.recording(i, 5000) for i in range(1, 61)}
        return generator.write_zips(self.folder / "zips", files)

    def test_a_full_disk_leaves_the_older_splits_alone(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk],
                               capture_output=True, check=False)
        if mount.returncode:
            self.skipTest("a small tmpfs cannot be mounted here")
        try:
            self.out = disk / "out"
            for source in (("synthetic", "--count", "200,10"), (self.zips(),)):
                why = generator.fail("splits", "--out", self.out, "--allow-partial", "--from",
                                     *source)
                self.assertIn("No space left", why)
                self.assertEqual(generator.tree(disk), [])
            self.assertIn("No space left", generator.fail("export", *self.big_splits()))
            self.assertEqual(generator.tree(disk), [])
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_folder_that_takes_nothing_is_named(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", self.out], capture_output=True,
                       check=False)
        if not os.path.ismount(self.out):
            self.skipTest("a read-only tmpfs cannot be mounted here")
        try:
            for words in (("splits", "--from", "synthetic", "--count", "30,10", "--out", self.out),
                          ("splits", "--from", "synthetic", "--count", "30,10", "--out",
                           self.out / "more")):
                why = generator.fail(*words)
                self.assertIn(str(self.out), why)
                self.assertIn("Read-only file system", why)
        finally:
            subprocess.run(["umount", self.out], check=True)
        self.check_untouched()

    def big_splits(self):
        made = self.folder / "big"
        generator.run("splits", "--from", "synthetic", "--count", "200,10", "--out", made)
        return made, self.out

    def test_output_that_does_not_arrive_is_told(self):
        if not pathlib.Path("/dev/full").exists():
            self.skipTest("there is no /dev/full")
        for words in (("verify", self.out), ("--help",), ("--version",), ("splits", "--help"),
                      ("splits", "--from", "synthetic", "--count", "3,3", "--out",
                       self.folder / "more")):
            with self.subTest(words), open("/dev/full", "wb") as full:
                done = subprocess.run([GENERATE, *map(str, words)], stdout=full, text=True,
                                      stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("standard output: cannot write: ", done.stderr)

    def start_long_run(self):
        process = subprocess.Popen([GENERATE, "splits", "--from", "synthetic", "--count",
                                    "2000000,0", "--out", self.out], stderr=subprocess.PIPE,
                                   text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        # Said before the first sample, when its signals are caught already.
        self.assertIn("There is no Test", process.stderr.readline())
        return process

    def hidden(self):
        return sorted(path for path in self.out.iterdir() if path.name.startswith(".twonmnist-"))

    def test_what_killed_runs_left_goes_with_the_next_run_and_what_living_ones_have_stays(self):
        killed = self.start_long_run()
        left = self.hidden()
        self.assertEqual(len(left), 1)
        killed.kill()
        killed.wait()
        (self.out / ".twonmnist-abcdef").mkdir()  # of one that was killed before its lock
        (self.out / ".twonmnist-ghijkl").mkdir()  # of no run: there is something else in it
        (self.out / ".twonmnist-ghijkl" / "mine").touch()
        (self.out / ".twonmnist-mnopqr").symlink_to(self.folder)
        living = self.start_long_run()
        now = self.hidden()
        self.assertNotIn(left[0], now)
        self.assertEqual(len(now), 3)
        generator.run("splits", "--from", "synthetic", "--count", "30,10", "--out", self.out)
        self.assertEqual(self.hidden(), now)
        own, = (path for path in now if path.name[-6:] not in ("ghijkl", "mnopqr"))
        self.assertTrue(any(path.name.startswith("nmnist-train") for path in own.iterdir()))
        living.send_signal(signal.SIGTERM)
        self.assertIn("stopped by signal 15", living.stderr.read())
        self.assertEqual([path.name for path in self.hidden()],
                         [".twonmnist-ghijkl", ".twonmnist-mnopqr"])
        self.assertTrue((self.folder / "out").is_dir())

    def test_a_signal_stops_it_and_leaves_the_older_splits_alone(self):
        with subprocess.Popen([GENERATE, "splits", "--from", "synthetic", "--count", "2000000,0",
                               "--out", self.out], stderr=subprocess.PIPE, text=True) as process:
            # Said before the first sample, when its signals are caught already.
            self.assertIn("There is no Test", process.stderr.readline())
            process.send_signal(signal.SIGTERM)
            self.assertIn("stopped by signal 15", process.stderr.read())
        self.assertEqual(process.returncode, 1)
        self.check_untouched()


if __name__ == "__main__":
    unittest.main()
