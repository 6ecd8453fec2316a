#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print what the libraries' rules make of the same recordings, and how a daemon is asked for each, as the
tables in representations.md.

    python3 doc/representations.py ~/N-MNIST/Train.zip Train/1/00201.bin Train/2/00254.bin
    python3 doc/representations.py --timestep 1000 10000 -- ~/N-MNIST Train/1/00201.bin
    python3 doc/representations.py http://localhost:8642/v1/splits/nmnist-train 0

A source is a folder, a zip file, or a split of a running daemon, whose recordings have numbers for
names. The rules are those of tests/form_rules.py, in NumPy: no library is needed.
"""
import argparse
import pathlib
import sys
import urllib.request
import zipfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import form_rules  # pylint: disable=wrong-import-position

END_US = 300_000  # what lava-dl's frames of N-MNIST cover
BY_TIME = "SpikingJelly time"  # it stops with an error where one of its frames is empty


def recording(source, name):
    """The events of one recording."""
    if "://" in source:
        with urllib.request.urlopen(f"{source.rstrip('/')}/samples/{name}.bin") as answer:
            return form_rules.events_of(answer.read())
    if pathlib.Path(source).is_dir():
        return form_rules.events_of(pathlib.Path(source, name).read_bytes())
    with zipfile.ZipFile(source) as archive:
        return form_rules.events_of(archive.read(name))


def halves_up(events, step):
    """Events of which rounding takes those between two steps to the later one, as C's round()."""
    out = events.copy()
    out["t"] += 2 * events["t"] % (2 * step) == step
    return out


def words_of(by, ones, parameters):
    """How a daemon is asked for the same: parameters of a URL, without those that are its defaults."""
    given = {"slice": by, **parameters, "overlap": "or" if ones else "sum"}
    defaults = {"slice": "timestep", "overlap": "or" if by == "timestep" else "sum"}
    return "&".join(f"{name}={'yes' if value is True else value}" for name, value in given.items()
                    if defaults.get(name) != value)


def rules_of(step):
    """(name, are they ones?, counts of events, words of a URL) of every rule, at this resolution; a daemon
    has no words for one that prepares events by itself."""
    bins = END_US // step

    def rule(name, by, ones=False, prepare=None, **parameters):
        def count(events):
            return form_rules.frames(prepare(events, step) if prepare else events, by, **parameters)
        return name, ones, count, None if prepare else words_of(by, ones, parameters)

    def timestep(name, **more):
        return rule(name, "timestep", timestep=step, bins=bins, overlap="sum", **more)

    return (
        timestep("lava-dl", ones=True),
        timestep("… halves up", ones=True, prepare=halves_up),
        timestep("… rounded down", ones=True, binning="floor"),
        timestep("… counts"),
        rule(f"Tonic time_window={step}", "window", timestep=step),
        rule("… include_incomplete=True", "window", timestep=step, incomplete=True),
        rule(f"… start_time=0 end_time={END_US}", "window", timestep=step, start=0, end=END_US),
        rule(f"SpikingJelly duration={step}", "duration", timestep=step),
        rule(f"Tonic n_time_bins={bins}", "time-bins", bins=bins),
        rule(f"{BY_TIME}, {bins}", "time", bins=bins),
        rule(f"Tonic n_event_bins={bins}", "event-bins", bins=bins),
        rule(f"SpikingJelly number, {bins}", "number", bins=bins),
    )


def n_differing(one, other):
    """Cells (t, p, y, x) that are not equal; where one has no such frame, it has nothing there."""
    n = min(len(one), len(other))
    return sum(map(np.count_nonzero, (one[:n] != other[:n], one[n:], other[n:])))


HEADING = ("rule", "frames", "events in them", "sum of cells", "largest cell",
           "first frame not empty", "cells not as lava-dl's")


def rows_of(events, step):
    """A row below HEADING for each rule."""
    first = None
    for name, ones, count, _ in rules_of(step):
        counts = count(events)
        frames = np.minimum(counts, 1) if ones else counts
        first = frames if first is None else first
        if name.startswith(BY_TIME) and not counts.any((1, 2, 3)).all():
            name += " (stops: empty frames)"
        yield (name, len(frames), counts.sum(), frames.sum(), frames.max(),
               counts.any((1, 2, 3)).argmax(), n_differing(frames, first))


def table(name, events, step):
    """Markdown: what the recording is, and a row for each rule."""
    t = events["t"]
    n_halfway = np.count_nonzero(2 * t % (2 * step) == step)
    lines = [f"**{name}**, {step / 1000:g} ms: {len(events):,} events from {t[0]:,} to {t[-1]:,} "
             f"µs, of which {n_halfway} lie halfway between two steps",
             "", f"| {' | '.join(HEADING)} |", f"|---|{'---:|' * (len(HEADING) - 1)}"]
    for rule, *numbers in rows_of(events, step):
        lines.append(f"| {rule} | {' | '.join(f'{number:,}' for number in numbers)} |")
    return "\n".join(lines)


def names(step):
    """Markdown: what each rule is called in a URL."""
    lines = ["| rule | in a URL, behind `as=frames&` |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {f'`{words}`' if words else '—'} |"
                              for name, _, _, words in rules_of(step)])


def main():
    parser = argparse.ArgumentParser(
        description="Print what the libraries' rules make of the same recordings.")
    parser.add_argument("source", help="a folder, a zip file, or the URL of a split")
    parser.add_argument("names", nargs="+", metavar="NAME", help="of a recording in it")
    parser.add_argument("--timestep", type=int, nargs="+", default=[1000], metavar="US",
                        help="resolution, µs; by default 1000")
    options = parser.parse_args()
    try:
        events = {name: recording(options.source, name) for name in options.names}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        parser.exit(1, f"representations.py: {options.source}: {error}\n")
    print(*(table(name, events[name], step)
            for step in options.timestep for name in options.names),
          f"**What they are called**, at {options.timestep[0] / 1000:g} ms", names(options.timestep[0]),
          sep="\n\n")


if __name__ == "__main__":
    main()
