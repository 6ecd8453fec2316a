#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bench/run.sh runs once everything is there.

    bench/run.py BUILD DATA RESULTS [NAME...]

BUILD is a build folder, DATA holds the full-size splits; RESULTS/RESULTS.md and the plots beside it are
written, for the rows of the given names (default: all)."""
import datetime
import pathlib
import platform
import subprocess
import sys
import tempfile

import binding
import documents
import forms
import fresh
import results
import rounds
import scale
import serving
import tools
from servers import Twonmnistd

ROWS = serving.ROWS | fresh.ROWS | documents.ROWS | forms.ROWS | tools.ROWS | binding.ROWS | scale.ROWS


SCRUB_RATE = 16 << 30  # bytes/s: at once


class Bench:
    """Where things are."""

    def __init__(self, build, data, work):
        self.build, self.data, self.work = (pathlib.Path(p).resolve() for p in (build, data, work))

    def daemon(self, *options):
        return Twonmnistd(self.build, self.data, "--scrub-rate", str(SCRUB_RATE), *options).wait_until_verified()

    def split(self, name):
        return self.data / f"{name}.safetensors"

    def folder(self, name):
        folder = self.work / name
        folder.mkdir(exist_ok=True)
        return folder


def machine():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    cores = subprocess.run(["nproc"], check=True, capture_output=True, text=True).stdout.strip()
    return f"{cores} cores of {model}, Linux {platform.release()}"


def commit(source):
    found = subprocess.run(["git", "-C", source, "describe", "--always", "--dirty", "--abbrev=12"],
                           capture_output=True, text=True, check=False)
    return found.stdout.strip() or "no git"


def main():
    if len(sys.argv) < 4 or not set(sys.argv[4:]) <= set(ROWS):
        raise SystemExit(f"{__doc__}\nNames: {' '.join(ROWS)}")
    build, data, out = (pathlib.Path(p) for p in sys.argv[1:4])
    names = sys.argv[4:] or list(ROWS)
    text = ["# One run", "", f"`bench/run.sh {' '.join(sys.argv[4:])}`".replace(" `", "`"), "",
            f"{datetime.date.today()}, commit {commit(pathlib.Path(__file__).parent)}, {machine()};",
            f"{rounds.ROUNDS} rounds of {rounds.SECONDS:g} s, in turns. CPU is the server's own, user and system.", ""]
    for name in names:
        print(f"== {name}: {ROWS[name].__doc__}", flush=True)
        text += [f"## {name}", "", ROWS[name].__doc__, "", *results.HEAD]
        plots = []
        with tempfile.TemporaryDirectory() as work:
            for found in ROWS[name](Bench(build, data, work)):
                if isinstance(found, results.Plot):
                    plots.append(found)
                    continue
                print(found.row(), flush=True)
                text.append(found.row())
        for plot in plots:
            if results.draw(plot, out / f"{plot.name}.svg"):
                text += ["", f"![{plot.title}]({plot.name}.svg)"]
        text.append("")
    (out / "RESULTS.md").write_text("\n".join(text))


if __name__ == "__main__":
    main()
