# SPDX-License-Identifier: Apache-2.0
"""The command line `twonmnist` against a running daemon."""
import io
import json
import os
import pathlib
import subprocess
import unittest

import numpy as np

import daemon
import safetensors_reader

CLIENT = daemon.COMMAND_LINE
OK, FAILED, USAGE, NOT_FOUND, UNREACHABLE = range(5)


def setUpModule():
    global server, train
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    train = safetensors_reader.read((folder / "train.safetensors").read_bytes())[0]


def run(*words, url=None):
    """Exit status, standard output as bytes, standard error."""
    ended = subprocess.run([CLIENT, *map(str, words)], capture_output=True, timeout=120,
                           env={**os.environ, "TWONMNIST_SERVER": url or server.url})
    return ended.returncode, ended.stdout, ended.stderr.decode()


class Client(unittest.TestCase):
    def said(self, *words):
        status, out, err = run(*words)
        self.assertEqual((status, err), (OK, ""))
        return out

    def refused(self, status, words_said, *words, **more):
        got, out, err = run(*words, **more)
        err = "".join(line for line in err.splitlines(keepends=True) if ": waiting for " not in line)
        self.assertEqual((got, out), (status, b""), err)
        self.assertIn(words_said, err)
        self.assertEqual(err.count("\n"), 1, err)

    def test_info_lists_the_splits_and_describes_one(self):
        lines = self.said("info").decode().splitlines()
        self.assertEqual([line.split()[0] for line in lines[3:]],
                         ["nmnist-test", "nmnist-train", "test", "train"])
        about = json.loads(self.said("info", "train", "--format", "json"))
        self.assertEqual(about["samples"], len(train["labels"]))
        self.assertIn(about["revision"], self.said("info", "train").decode())

    def test_labels_come_as_text_and_as_npy(self):
        text = self.said("labels", "train").decode().splitlines()
        self.assertEqual(len(text), len(train["labels"]))
        self.assertEqual(text[0].split()[1],
                         ",".join(map(str, np.flatnonzero(train["labels"][0]))))
        array = np.load(io.BytesIO(self.said("labels", "train", "--format", "npy")))
        np.testing.assert_array_equal(array, train["labels"])

    def test_samples_pairs_and_mixes_are_what_the_daemon_answers(self):
        for words, path in ((("get", "train", 3), "/v1/splits/train/samples/3"),
                            (("pair", "nmnist-train", 42, 7), "/v1/pairs/nmnist-train/42/7"),
                            (("mix", "nmnist-train", "200,0"), "/v1/mix/nmnist-train/200,0")):
            for name in ("bin", "npy"):
                self.assertEqual(self.said(*words, "--format", name),
                                 server.get(f"{path}.{name}").body)
            t, x, y, p = np.array(json.loads(self.said(*words, "--format", "json"))["txyp"]).T
            text = np.loadtxt(io.BytesIO(self.said(*words)), dtype=int)
            np.testing.assert_array_equal(text, np.stack([t, x, y, p], 1))
        self.assertEqual(self.said("get", "train", 3, "--order", "published", "--timestep", 1000,
                                   "--format", "bin"),
                         server.get("/v1/splits/train/samples/3.bin?order=published"
                                    "&timestep=1000").body)

    def test_batches_are_written_as_the_daemon_sent_them(self):
        with daemon.temporary_folder() as folder:
            output = pathlib.Path(folder) / "batch.safetensors"
            self.said("batch", "train", "--seed", 3, "--epoch", 1, "--k", 2, "--size", 16, "--rank",
                      1, "--world", 2, "--output", output)
            self.assertEqual(output.read_bytes(), server.get(
                "/v1/splits/train/epochs/3/1/batches/2.safetensors?size=16&rank=1&world=2").body)
            self.said("batch", "train", "--indices", "5,1", "--output", output)
            self.assertEqual(safetensors_reader.read(output.read_bytes())[0]["indices"].tolist(),
                             [5, 1])
            many = ",".join(map(str, range(200)))
            self.said("batch", "train", "--indices", many, "--output", output)
            self.assertEqual(len(safetensors_reader.read(output.read_bytes())[0]["indices"]), 200)
            self.assertEqual(os.listdir(folder), ["batch.safetensors"])
        text = self.said("batch", "train", "--indices", "5,1").decode().splitlines()
        self.assertEqual([line.split()[0] for line in text[2:]], ["5", "1"])

    def test_play_prints_each_saccade_where_there_is_no_terminal(self):
        text = self.said("play", "train", 0).decode()
        self.assertEqual(text.count("saccade"), 3)
        self.assertEqual(len(text.splitlines()), 1 + 3 * 35)
        self.assertIn("nmnist-train", self.said("play", "nmnist-train", "--pair", "1,2").decode())

    def test_errors_are_one_line_and_have_their_exit_status(self):
        n = len(train["labels"])
        self.refused(NOT_FOUND, f"split train has {n}", "get", "train", n)
        self.refused(NOT_FOUND, '"nope"', "get", "nope", 0)
        self.refused(NOT_FOUND, "the epoch has", "batch", "train", "--k", 10**6)
        self.refused(USAGE, "no command", "frobnicate")
        self.refused(USAGE, "a command is missing")
        self.refused(USAGE, "get takes SPLIT INDEX", "get", "train")
        self.refused(USAGE, "whole number", "get", "train", "x")
        self.refused(USAGE, "no option --colour", "get", "train", "0", "--colour", "red")
        self.refused(USAGE, "get has no format safetensors", "get", "train", 0, "--format",
                     "safetensors")
        self.refused(USAGE, "rank 2 of a world of 2", "batch", "train", "--rank", 2, "--world", 2)
        self.refused(USAGE, "no meaning beside it", "batch", "train", "--indices", 1, "--k", 0)
        self.refused(USAGE, "digit 0", "mix", "nmnist-train", "0,1")
        self.refused(FAILED, "nowhere", "get", "train", 0, "--output", "/nowhere/file.bin")
        self.refused(USAGE, "not a URL", "info", "--server", "not a URL")

    def test_a_server_that_is_not_there_is_told(self):
        with daemon.temporary_folder() as folder:
            output = pathlib.Path(folder) / "sample.bin"
            self.refused(UNREACHABLE, "127.0.0.1:1", "get", "train", 0, "--output", output,
                         url="http://127.0.0.1:1")
            self.assertEqual(os.listdir(folder), [])

    def test_help_and_version_are_no_errors(self):
        self.assertIn(b"batch SPLIT", self.said("--help"))
        self.assertRegex(self.said("--version").decode(), r"^twonmnist \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
