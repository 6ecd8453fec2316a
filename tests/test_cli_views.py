# SPDX-License-Identifier: Apache-2.0
"""`twonmnist` with the words of a view as options."""
import json
import pathlib
import subprocess
import unittest

import numpy as np

import daemon
import oracle
import safetensors_reader
import view_rules

CLIENT = daemon.COMMAND_LINE
OK, USAGE = 0, 2

# Options -> the rule that they say.
VIEWS = {
    ("--kind", "pair"): {"kind": "pair"},
    ("--any", "3,8", "--none=5"): {"any": [3, 8], "none": [5]},
    ("--all", "8,3"): {"all": [3, 8]},
    ("--folds", "4", "--fold", "3", "--part", "rest", "--fold-seed", "7"):
        {"folds": 4, "fold": 3, "part": "rest", "fold_seed": 7},
    ("--folds", "4", "--part", "held"): {"folds": 4, "part": "held"},
    ("--per-class", "2", "--kind=single"): {"per_class": 2, "kind": "single"},
}

REFUSED = {
    ("--kind", "both"): '--kind is "both"; it is one of single, pair',
    ("--any", "3&kind=pair"): '--any is "3&kind=pair"; it takes labels with commas between them',
    ("--none", ""): '--none is ""; it takes labels with commas between them',
    ("--all", "3,,8"): "all is empty; it takes a whole number",
    ("--any", "10"): "any names label 10; there are 0 to 9",
    ("--folds", "1", "--part", "held"): "--folds is 1; it goes from 2 to 1000",
    ("--fold", "1"): "fold goes with folds, which says how many there are",
    ("--folds", "3"): "folds goes with part, which is held or rest",
    ("--folds", "3", "--part", "held", "--fold", "3"): "fold is 3; of 3 folds the last is 2",
    ("--fold-seed", "3"): "fold_seed goes with folds or per_class",
    ("--per-class", "0"): "--per-class is 0; it goes from 1 to 2147483647",
    ("--kind", "pair", "--kind", "pair"): "kind is given twice",
    ("--kind", "single", "--all", "3,8"):
        "the view kind=single&all=3,8 of train is empty: all=3,8 leaves no sample",
}


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(folder, "--count", "300,60", "--seed", "5", source="synthetic")
        cls.server = cls.enterClassContext(daemon.Daemon(folder))
        cls.folder = pathlib.Path(cls.enterClassContext(daemon.temporary_folder()))
        cls.labels = np.load(cls.written("labels.npy", "labels", "train"))

    @classmethod
    def run_client(cls, *words):
        return subprocess.run([CLIENT, *words, "--server", cls.server.url], capture_output=True,
                              text=True, timeout=120, check=False)

    @classmethod
    def written(cls, name, *words):
        """The file that it wrote."""
        ended = cls.run_client(*words, "--output", cls.folder / name)
        if ended.returncode != OK:
            raise AssertionError(ended.stderr)
        return cls.folder / name

    def test_labels_of_a_view(self):
        for options, rule in VIEWS.items():
            with self.subTest(options):
                at = view_rules.view(self.labels, **rule)
                np.testing.assert_array_equal(
                    np.load(self.written("view.npy", "labels", "train", *options)),
                    self.labels[at])
                lines = self.run_client("labels", "train", *options).stdout.splitlines()
                self.assertEqual(lines, [f"{i} {','.join(map(str, np.flatnonzero(row)))}"
                                         for i, row in zip(at, self.labels[at])])

    def test_batches_of_a_view(self):
        for options, rule in VIEWS.items():
            with self.subTest(options):
                at = view_rules.view(self.labels, **rule)
                path = self.written("batch.safetensors", "batch", "train", *options, "--seed", "3",
                                    "--epoch", "2", "--size", "10")
                tensors, said = safetensors_reader.read(path.read_bytes())
                self.assertEqual(tensors["indices"].tolist(),
                                 at[oracle.epoch_order(3, 2, len(at))][:10].tolist())
                for name, value in rule.items():
                    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
                    self.assertEqual(said[name], text)

    def test_what_is_said_of_a_view(self):
        for options, rule in VIEWS.items():
            with self.subTest(options):
                labels = self.labels[view_rules.view(self.labels, **rule)]
                said = json.loads(self.run_client("info", "train", *options, "--format",
                                                  "json").stdout)
                self.assertEqual((said["samples"], said["labels"]),
                                 (len(labels), labels.sum(0).tolist()))
                text = self.run_client("info", "train", *options).stdout
                self.assertIn(f"train: view {said['view']}\n", text)
                self.assertRegex(text, rf"\nsamples +{len(labels)}\b")

    def test_what_is_no_view_is_refused(self):
        for options, words in REFUSED.items():
            for command in ("info", "labels", "batch"):
                with self.subTest(options=options, command=command):
                    ended = self.run_client(command, "train", *options)
                    self.assertEqual((ended.returncode, ended.stdout), (USAGE, ""))
                    self.assertIn(words, ended.stderr)

    def test_a_view_goes_with_what_has_one(self):
        for words, said in (
                (("batch", "train", "--indices", "1", "--any", "3"),
                 "--indices says which samples; --any has no meaning beside it"),
                (("info", "--kind", "pair"),
                 "--kind says which samples of a split; SPLIT is missing"),
                (("get", "train", "1", "--kind", "pair"), "get has no option --kind")):
            with self.subTest(words):
                ended = self.run_client(*words)
                self.assertEqual((ended.returncode, ended.stdout), (USAGE, ""))
                self.assertIn(said, ended.stderr)


if __name__ == "__main__":
    unittest.main()
