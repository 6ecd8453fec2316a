# SPDX-License-Identifier: Apache-2.0
"""What documents tell readers to type is run, against the synthetic set of quickstart.sh, and prints what
they say."""
import os
import pathlib
import re
import unittest

import daemon
import documents

READERS = documents.ROOT / "doc/readers.md"
RULES = documents.ROOT / "doc/reproducibility.md"
QUESTIONS = documents.ROOT / "doc/faq.md"
LANGUAGES = ("python", "sh", *documents.PROGRAMS)


def setUpModule():
    global server, folder
    folder = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder()))
    quickstart = (documents.ROOT / "quickstart.sh").read_text(encoding="utf-8")
    options = re.search(r"source=\(--from synthetic (--count .*)\)", quickstart)[1].split()
    server = unittest.enterModuleContext(daemon.Daemon(
        daemon.generate(folder / "data", *options, source="synthetic")))
    (folder / "build").symlink_to(daemon.BUILD.resolve())


class Documents(unittest.TestCase):
    def test_each_block_can_be_run_and_says_what_it_prints(self):
        for path in READERS, RULES, QUESTIONS:
            blocks = documents.blocks(path)
            self.assertEqual(documents.n_fences(path), 2 * len(blocks), path)
            for block in blocks:
                with self.subTest(path=path.name, line=block.line):
                    self.assertIn(block.language, LANGUAGES)
                    if "print(" in block.text or block.language != "python":
                        self.assertIsNotNone(block.printed)

    def test_files_that_they_name_are_there(self):
        for path in READERS, RULES, QUESTIONS:
            for link in documents.links(path):
                self.assertTrue(link.exists(), f"{path.name}: {link}")


class Blocks(unittest.TestCase):
    def check(self, path, block, names=None):
        said = documents.output(block, path, server.url, folder, names)
        self.assertEqual(said, block.printed or "", f"{path.name}:{block.line}")


class Readers(Blocks):
    """All blocks of one language, with the same needs, are a test."""

    def run_those(self, language, needs=""):
        blocks = [each for each in documents.blocks(READERS) if (each.language, each.needs) == (language, needs)]
        self.assertTrue(blocks)
        missing = documents.missing(blocks[0])
        if missing:
            self.skipTest(f"there is no {', '.join(missing)}")
        for block in blocks:
            self.check(READERS, block)

    def test_no_block_is_left_out(self):
        tested = {("python", ""), ("python", "safetensors"), ("python", "torch"), ("python", "pandas"),
                  ("js", ""), ("sh", ""), ("sh", "jq"), ("sh", "sqlite3 jq"), ("r", ""), ("julia", "")}
        self.assertEqual({(each.language, each.needs) for each in documents.blocks(READERS)}, tested)

    def test_numpy(self):
        self.run_those("python")

    def test_safetensors(self):
        self.run_those("python", "safetensors")

    def test_torch(self):
        self.run_those("python", "torch")

    def test_pandas(self):
        self.run_those("python", "pandas")

    def test_javascript(self):
        self.run_those("js")

    def test_curl(self):
        self.run_those("sh")

    def test_jq(self):
        self.run_those("sh", "jq")

    def test_sqlite(self):
        self.run_those("sh", "sqlite3 jq")

    def test_r(self):
        self.run_those("r")

    def test_julia(self):
        self.run_those("julia")


class Rules(Blocks):
    def test_they_are_what_the_daemon_does(self):
        names, printed = {}, ""
        for block in documents.blocks(RULES):
            self.check(RULES, block, names)
            printed += block.printed or ""
        self.assertGreater(printed.count("True"), 50)
        self.assertNotIn("False", printed)


class Questions(Blocks):
    """Each section is a test, so that one that lacks a program hides no other."""

    def check_section(self, title):
        text = QUESTIONS.read_text(encoding="utf-8")
        begin = text[:text.index(f"\n## {title}")].count("\n")
        end = begin + 1 + (text.split(f"\n## {title}")[1] + "\n## ").split("\n## ")[0].count("\n")
        blocks = [each for each in documents.blocks(QUESTIONS) if begin < each.line <= end]
        self.assertTrue(blocks)
        for block in blocks:
            missing = documents.missing(block)
            if missing:
                self.skipTest(f"there is no {', '.join(missing)}")
            self.check(QUESTIONS, block)


def add_questions():
    """A test for each section of the document."""
    for title in re.findall(r"^## (.*)$", QUESTIONS.read_text(encoding="utf-8"), re.MULTILINE):
        name = "test_" + "_".join(re.findall(r"\w+", title.lower()))
        setattr(Questions, name, lambda case, title=title: case.check_section(title))


add_questions()

if __name__ == "__main__":
    unittest.main()
