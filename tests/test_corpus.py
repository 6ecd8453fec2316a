# SPDX-License-Identifier: Apache-2.0
"""Every fuzz target over its corpus: inputs that reach different code, and all that ever failed."""
import os
import pathlib
import subprocess
import unittest

from daemon import BUILD

SOURCE = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
CORPUS = SOURCE / "tests" / "corpus"
TARGETS = sorted(path.name.removesuffix("_fuzz.c")
                 for path in (SOURCE / "tests" / "fuzz").glob("*_fuzz.c"))
MAX_BYTES = 1_000_000  # of all corpora


class Corpus(unittest.TestCase):
    def replay(self, target):
        inputs = [path for path in (CORPUS / target).iterdir() if not path.name.startswith(".")]
        self.assertTrue(inputs, "its corpus is empty")
        done = subprocess.run([BUILD / "tests" / "fuzz" / f"{target}_fuzz", CORPUS / target],
                              capture_output=True, text=True, errors="replace", timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        self.assertEqual(done.stdout, f"{len(inputs)} inputs\n")

    def test_every_corpus_has_its_target(self):
        self.assertEqual(sorted(path.name for path in CORPUS.iterdir()), TARGETS)

    def test_the_corpora_are_small(self):
        sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
        self.assertLess(sum(sizes), MAX_BYTES)


def test_of(target):
    def test(self):
        self.replay(target)
    return test


for name in TARGETS:
    setattr(Corpus, f"test_{name}_stands_its_corpus", test_of(name))

if __name__ == "__main__":
    unittest.main()
