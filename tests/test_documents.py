# SPDX-License-Identifier: Apache-2.0
"""What documents tell readers to type is run, against the synthetic set of quickstart.sh, and prints what
they say."""
import contextlib
import io
import pathlib
import re
import shutil
import subprocess
import unittest

import numpy as np

import daemon
import documents
import twonmnist

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

    def test_what_documents_name_is_there(self):
        for path in (documents.ROOT / "README.md", documents.ROOT / "python/README.md",
                     *(documents.ROOT / "doc").glob("*.md")):
            self.assertEqual(documents.dangling(path), [], path.name)

    def test_what_is_not_there_is_found(self):
        path = folder / "some.md"
        path.write_text("# A b\n[x](some.md#a-b) [x](#a-b) [x](#c) [x](none.md) `tests/none.py` `tests/tap.py`\n")
        self.assertEqual(documents.dangling(path), [f"{folder}/none.md", "tests/none.py", "#c"])


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
                  ("js", ""), ("sh", ""), ("sh", "jq"), ("sh", "sqlite3"), ("r", ""), ("julia", "")}
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
        self.run_those("sh", "sqlite3")

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


class Readme(unittest.TestCase):
    """What the project and its package begin with."""

    PATHS = documents.ROOT / "README.md", documents.ROOT / "python/README.md"

    def block(self, language):
        found, = [each for each in documents.blocks(self.PATHS[0]) if each.language == language]
        return found

    def test_newcomers_are_led_to_all_documents(self):
        pages = {path.name for path in (documents.ROOT / "doc").glob("*.md")}
        self.assertEqual({link.name for link in documents.links(self.PATHS[0])} & pages, pages)

    def test_what_quickstart_shows_is_there_and_a_page_first(self):
        text = (documents.ROOT / "quickstart.sh").read_text(encoding="utf-8")
        paths = re.findall(r"^  http://127\.0\.0\.1:\$port(/\S*)$", text, re.MULTILINE)
        self.assertGreater(len(paths), 4)
        kinds = [server.get(path, Accept="text/html,*/*;q=0.8").headers["Content-Type"].split(";")[0] for path in paths]
        self.assertEqual(kinds, ["text/html"] + ["application/json"] * (len(paths) - 1))

    def test_the_table_says_something_of_everybody(self):
        lines = [line for line in self.PATHS[0].read_text(encoding="utf-8").splitlines()
                 if line.startswith("| ") and line.count("|") > 5]
        self.assertGreater(len(lines), 8)
        for line in lines:
            cells = line.strip("|").split("|")
            self.assertEqual(len(cells), 7, line)
            self.assertTrue(all(cell.strip() for cell in cells[1:]), line)

    def test_curl_fetches_what_it_says(self):
        block = self.block("sh")
        if documents.missing(block):
            self.skipTest("there is no curl")
        self.assertEqual(documents.output(block, self.PATHS[0], server.url, folder), "")
        self.assertEqual(np.load(folder / "sample.npy").dtype.names, ("x", "y", "t", "p"))
        self.assertEqual(np.load(folder / "pair.npy").dtype.names, ("x", "y", "t", "p"))
        size = server.get("/v1/splits/train/epochs/1/0/batches/0.safetensors?size=64&as=frames", "HEAD")
        self.assertEqual((folder / "batch.safetensors").stat().st_size,
                         int(size.headers["Content-Length"]))

    def test_python_has_the_shapes_that_it_says(self):
        block, names = self.block("python"), {}
        block.text = documents.replaced(block.text, [("    ...\n", "    break\n")])
        documents.python(block, self.PATHS[0], server.url, names)
        self.assertIn("float32 [300, 64, 2, 34, 34] and [64, 10]", block.text)
        self.assertEqual((tuple(names["frames"].shape), tuple(names["labels"].shape)),
                         ((300, 64, 2, 34, 34), (64, 10)))
        self.assertIn("float32", str(names["frames"].dtype))

    def test_c_compiles_and_reads_an_epoch(self):
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            self.skipTest("there is no C compiler")
        (folder / "readme.c").write_text(self.block("c").text.replace(documents.SERVER, server.url))
        libraries = (daemon.BUILD / ".libs").resolve()
        made = subprocess.run(
            [compiler, "-Wall", "-Wextra", "-Werror", "-o", folder / "readme", folder / "readme.c",
             "-I", documents.ROOT / "client", "-L", libraries, "-ltwonmnist", f"-Wl,-rpath,{libraries}"],
            capture_output=True, text=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        ended = subprocess.run([folder / "readme"], capture_output=True, text=True, timeout=120, check=True)
        counts = [int(line.removesuffix(" events")) for line in ended.stdout.splitlines()]
        self.assertEqual((len(counts), sum(counts)),
                         (22, server.get("/v1/splits/train").json()["events"]))

    def test_the_package_does_what_its_page_shows(self):
        """All that is indented before it is installed, as one program that takes the first batch of each
        loop."""
        try:
            import torch
        except ImportError:
            self.skipTest("PyTorch is not installed")
        text = self.PATHS[1].read_text(encoding="utf-8").split("## Installing")[0]
        code = "".join(line[4:] + "\n" for line in text.splitlines() if line.startswith("    "))
        code = documents.replaced(code, [
            (documents.SERVER, server.url), ("range(10)", "range(2)"), ('device="cuda"', 'device="cpu"'),
            ("    ...\n", "    pass\n"), ("seed=1)", "seed=1, timestep=30_000, bins=10)"),
            ("batches.state_dict()   # load", "batches.state_dict(); break   # load")])
        code = re.sub(r"^(for inputs.*|for frames, labels, indices.*)\n    pass\n", r"\1\n    break\n", code,
                      flags=re.MULTILINE)
        train = twonmnist.Split(server.url, "train")
        batches = twonmnist.loader(train.subset(range(64)), 32, timestep=30_000, bins=10)
        names = {"url": server.url, "checkpoint": {}, "test_batches": batches,
                 "network": lambda frames: frames.sum((0, 2, 3, 4))[:, None] * torch.ones(10),
                 "scores": torch.rand(32, 10), "targets": torch.randint(2, (32, 10))}
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(code, str(self.PATHS[1]), "exec"), names)
        self.assertIn("the bottleneck is", out.getvalue())
        self.assertIn("| macro |", out.getvalue())
        self.assertEqual(len(names["folds"]), 10)
        self.assertTrue(names["checkpoint"]["data"])


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
