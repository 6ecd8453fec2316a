# SPDX-License-Identifier: Apache-2.0
"""What the tests reached: a table of lines and branches by folder, and a list of what they missed.

    coverage.py SOURCE BUILD OUT

Reads the counters that a build with --enable-coverage has written, through lcov. OUT gets
missed.txt (file, and the lines that never ran) and html/ (the same, to look at).
"""
import collections
import itertools
import os
import pathlib
import subprocess
import sys

FOLDERS = ("common", "generator", "server", "server/samples", "client", "cli")
BRANCHES = ("--rc", "lcov_branch_coverage=1")


def run(*words):
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env={**os.environ, "LC_ALL": "C"}, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} failed:\n{done.stdout}")


def capture(source, build, out):
    """The counters of all files of FOLDERS as one lcov tracefile, those that never ran as well.

    A file that has gone since may have left counters in the build.
    """
    files = [path for folder in FOLDERS for path in sorted((source / folder).glob("*.[ch]"))]
    parts = out / "none.info", out / "run.info"
    run("lcov", "-q", *BRANCHES, "-c", "-i", "-d", build, "-o", parts[0])
    run("lcov", "-q", *BRANCHES, "-c", "-d", build, "-o", parts[1])
    info = out / "coverage.info"
    run("lcov", "-q", *BRANCHES, "-a", parts[0], "-a", parts[1], "-o", info)
    run("lcov", "-q", *BRANCHES, "-e", info, *files, "-o", info)
    for part in parts:
        part.unlink()
    return info


class Counts:
    """How often each line and each branch of one file ran."""

    def __init__(self):
        self.lines = collections.Counter()
        self.branches = collections.Counter()

    def missed(self):
        """The lines that never ran, as ranges; a line without code between two does not part them."""
        coded = sorted(self.lines)
        for ran, lines in itertools.groupby(coded, lambda line: self.lines[line] > 0):
            if not ran:
                lines = list(lines)
                yield f"{lines[0]}-{lines[-1]}" if len(lines) > 1 else f"{lines[0]}"


def read(info, source):
    """{name from the top of the tree: Counts}. A file compiled several times counts once."""
    files = collections.defaultdict(Counts)
    counts = None
    for line in info.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition(":")
        values = rest.split(",")
        if kind == "SF":
            counts = files[pathlib.Path(rest).relative_to(source).as_posix()]
        elif kind == "DA":
            counts.lines[int(values[0])] += int(values[1])
        elif kind == "BRDA":
            counts.branches[tuple(values[:3])] += int(values[3].replace("-", "0"))
    return files


def share(counters):
    counts = [count for counter in counters for count in counter.values()]
    reached = sum(count > 0 for count in counts)
    return f"{reached:>6} of {len(counts):>6} {100 * reached / max(len(counts), 1):>6.1f} %"


def row(name, files):
    print(f"{name:<16} {share(f.lines for f in files)}   {share(f.branches for f in files)}")


def main():
    source, build, out = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    out.mkdir(exist_ok=True)
    info = capture(source, build, out)
    files = read(info, source)
    run("genhtml", "-q", "--branch-coverage", "--legend", "-p", source, "-o", out / "html", info)

    print(f"{'folder':<16} {'lines':>25}   {'branches':>25}")
    for folder in FOLDERS:
        row(folder, [f for name, f in files.items() if os.path.dirname(name) == folder])
    row("all", list(files.values()))
    with open(out / "missed.txt", "w", encoding="utf-8") as text:
        for name, counts in sorted(files.items()):
            for missed in counts.missed():
                print(f"{name}:{missed}", file=text)
    print(f"The lines that never ran: {out}/missed.txt, {out}/html/index.html")


if __name__ == "__main__":
    main()
