# SPDX-License-Identifier: Apache-2.0
"""doc/tutorial.md: what it tells to type, in its order, with a daemon of the test's own in place of quickstart.sh
(which check.sh runs) and a network that is quickly trained."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

import daemon
import documents
import test_packaging

try:
    import torch  # noqa: F401
    import matplotlib  # noqa: F401
except ImportError as error:
    raise unittest.SkipTest(f"the tutorial takes what is not installed: {error}") from None

PATH = documents.ROOT / "doc/tutorial.md"
SMALL = ("--limit 3 --batch-size 8 --bins 10 --timestep 30000 --hidden 32")
VENV = "python3 -m venv --system-site-packages ~/twonmnist\n"


def setUpModule():
    global folder, server
    folder = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder())).resolve()
    quickstart = (documents.ROOT / "quickstart.sh").read_text(encoding="utf-8")
    options = re.search(r"source=\(--from synthetic (--count .*)\)", quickstart)[1].split()
    server = unittest.enterModuleContext(daemon.Daemon(
        daemon.generate(folder / "data", *options, source="synthetic")))


def environment_of():
    """A virtual environment as it is made there; or the test's own Python in its place, where none can be
    made."""
    made = folder / "twonmnist"
    done = subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", made],
                          capture_output=True, text=True, check=False)
    return done.returncode == 0


class Tutorial(unittest.TestCase):
    def blocks(self, language, needs=""):
        return [each for each in documents.blocks(PATH) if (each.language, each.needs) == (language, needs)]

    def test_each_block_is_run_or_is_output(self):
        blocks = documents.blocks(PATH)
        self.assertEqual(documents.n_fences(PATH), 2 * len(blocks))
        known = {("sh", ""), ("sh", "quickstart"), ("python", ""), ("text", "")}
        self.assertEqual({(each.language, each.needs) for each in blocks}, known)
        quickstart, = self.blocks("sh", "quickstart")
        self.assertTrue((documents.ROOT / quickstart.text.strip()).exists())

    def test_what_python_prints_is_what_it_says(self):
        for block in self.blocks("python"):
            self.assertEqual(documents.python(block, PATH, server.url), block.printed)

    def test_its_commands_end_with_a_network_and_what_it_reached(self):
        has_venv = environment_of()
        wheel = (f"mkdir dist && {sys.executable} {documents.ROOT}/python/wheel_backend.py dist "
                 f"{test_packaging.LIBRARY.resolve()}")
        script = documents.replaced(documents.script_of(self.blocks("sh")), [
            ("http://localhost:8642", server.url), ("--epochs 8", f"--epochs 1 {SMALL}"),
            ("--epochs 9", f"--epochs 2 {SMALL}"), (VENV, ""),
            ("make -C build wheel", wheel), ("build/dist/", "dist/")])  # make's own: test_packaging.py
        if not has_venv:
            script = documents.replaced(script, [
                (line, ":") for line in script.splitlines() if line.startswith("~/twonmnist/bin/pip")])
            script = script.replace("~/twonmnist/bin/python", sys.executable)
        (folder / "build").symlink_to(daemon.BUILD.resolve())
        (folder / "python").symlink_to(documents.ROOT / "python")
        clean = test_packaging.without_ours() if has_venv else dict(os.environ)
        status, said = documents.bash(
            f"set -euo pipefail\n{script}", folder, env={**clean, "HOME": str(folder), "PIP_NO_INDEX": "1",
                                                         "TWONMNIST_SERVER": server.url})
        self.assertEqual(status, 0, said)
        for words in ("4 splits, served by twonmnistd", "saccade 3", "figures/mix.png", "epoch 0  train: loss",
                      "epoch 1  train: loss", "| macro |", "/indices.json?"):
            self.assertIn(words, said)
        self.assertEqual(said.count("The test split, opened once"), 2, said)
        self.assertEqual((folder / "curve.png").read_bytes()[:4], b"\x89PNG")
        batch = server.get("/v1/splits/train/epochs/1/2/batches/7.safetensors?size=32&as=sparse&timestep=10000"
                           "&bins=30&folds=10&fold=0&part=rest")
        self.assertEqual((folder / "batch.safetensors").read_bytes(), batch.body)

    def test_what_it_shows_is_what_the_program_prints(self):
        shown, = self.blocks("text")
        self.assertEqual(len(re.findall(r"^epoch \d  train: loss ", shown.text, re.MULTILINE)), 8)
        addresses = re.findall(r"\| (\w+) \| (\d+) \| http://localhost:8642(/\S+) \|", shown.text)
        self.assertEqual([name for name, _, _ in addresses], ["train", "validation", "test"])
        for name, n, path in addresses:
            self.assertEqual(server.get(path).json()["samples"], int(n), name)


if __name__ == "__main__":
    unittest.main()
