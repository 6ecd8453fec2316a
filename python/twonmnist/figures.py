# SPDX-License-Identifier: Apache-2.0
"""Figures of what a server has: how a pair is mixed, which digits there are, how events lie in time.

    python3 -m twonmnist.figures http://localhost:8642 figures
    python3 -m twonmnist.figures URL OUT --split train --digits 3,8 --beside OTHER_URL --format pdf

OUT then has

    mix      two recordings, the second reversed, and their mix, as pictures over time
    classes  how often each digit is shown, alone and in pairs, and which with which
    events   of some samples: events in each, how long they last, events over time
    beside   the same of two servers' splits, real and synthetic for one (with --beside)

A picture's colours: with n_on and n_off the events of a pixel and `most` the largest of all of them in
the picture (in all of one row's, where it is cut over time), level(n) = isqrt(65025 n / most), and each
channel is (ON level(n_on) + OFF level(n_off) + 127) / 255, 255 at most, in whole numbers.

Needs matplotlib 3.5 or later (Debian: python3-matplotlib).
"""
from __future__ import annotations

import argparse
import itertools
import pathlib
import sys
from typing import Any, Callable, Iterator, NamedTuple, Optional, Sequence

import numpy as np

from .checks import whole
from .datasets import Split, splits
from .loading import loader

ON, OFF = (230, 159, 0), (86, 180, 233)  # Okabe and Ito's, which colour-blind people tell apart
KINDS = {"singles": "#999999", "pairs": "#0072B2"}
BOTH = ("#000000", "#D55E00")  # a split, and the one beside it
CELLS = 9  # pictures of a recording, over time
BEGIN_US = 40_000  # a digit moves later on, and is blurred
RATE_US = 5000  # over which events are counted
_BATCH = 64


class Samples(NamedTuple):
    """What is counted of some samples: events in each, when the last one comes (ms), does it show
    two digits, and the events of each kind over time: per sample and ms, in steps of RATE_US."""

    n_events: np.ndarray
    last_ms: np.ndarray
    is_pair: np.ndarray
    rates: dict[str, np.ndarray]


class Mix(NamedTuple):
    """Rows of a figure: (what it is, events) of two recordings, and of what became of them."""

    name: str
    rows: list[tuple[str, np.ndarray]]
    last: int  # µs, of all events


# What the figures show.


def counts_of(events: np.ndarray, sensor: Sequence[int]) -> np.ndarray:
    """How many events each pixel has: int64 [2, height, width], OFF and ON."""
    width, height = sensor[:2]
    at = (events["p"] * height + events["y"]) * width + events["x"]
    return np.bincount(at, minlength=2 * height * width).reshape(2, height, width)


def pictures(counts: np.ndarray) -> np.ndarray:
    """Colours of counts [n, 2, height, width], which share what is brightest: uint8 [n, height,
    width, 3]."""
    most = max(1, int(counts.max()))
    level = np.sqrt(65025 * counts // most).astype(np.int64)
    summed = level[:, 0, ..., None] * np.array(OFF) + level[:, 1, ..., None] * np.array(ON)
    return np.minimum(255, (summed + 127) // 255).astype(np.uint8)


def cells_of(events: np.ndarray, last: int, sensor: Sequence[int]) -> np.ndarray:
    """Pictures of equal spans of time, up to `last`."""
    cell = np.minimum(CELLS - 1, events["t"] * CELLS // (last + 1))
    return pictures(np.stack([counts_of(events[cell == i], sensor) for i in range(CELLS)]))


def rate_of(times: np.ndarray, last: int, n_samples: int = 1) -> np.ndarray:
    """Events per ms and sample, in each RATE_US up to `last`."""
    counts = np.bincount(times // RATE_US, minlength=last // RATE_US + 1)
    return counts / n_samples / (RATE_US / 1000)


def digits_of(label: np.ndarray) -> str:
    return " and ".join(map(str, np.flatnonzero(label)))


def source_of(split: Split) -> Split:
    """The split of the recordings that this one is made of."""
    for other in splits(split.urls, **split._options):
        if other["revision"] == split.info["source_sha256"]:
            return Split(split.urls, other["name"], **split._options)
    raise ValueError(f"{split.name} on {split.urls[0]} has no recordings beside it, which a figure "
                     "of a mix needs")


def mix_of(split: Split, digits: Optional[Sequence[int]]) -> Mix:
    """The first pair of the split, or of those that show these digits."""
    pairs = split.view(kind="pair", all=digits)
    batch = next(iter(loader(pairs, 1, form="packed", shuffle=False, with_indices=True,
                             tensors=False)))
    mixed, label = pairs[0]
    source = source_of(split)
    (first, a), (second, b) = source.__getitems__(batch.sources[0].tolist())
    reverse = second[::-1].copy()
    reverse["t"] = second["t"].max() - reverse["t"]
    rows = [(f"a {a}", first), (f"a {b},\nreversed", reverse), ("their mix", mixed)]
    return Mix(f"{split.name} {batch.indices[0]}: {digits_of(label)}", rows,
               max(int(events["t"].max()) for _, events in rows if len(events)))


def classes_of(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """How many samples show a digit alone [10], and two of them together [10, 10], 0 on the
    diagonal, as the server counted."""
    together = np.array(split.info["cooccurrence"])
    shown = together.diagonal().copy()
    np.fill_diagonal(together, 0)
    return shown - together.sum(1), together


def samples_of(split: Split, n: int, seed: int) -> Samples:
    """Of n samples, drawn as epoch 0 of the seed; 0: of all."""
    n = min(n or len(split), len(split))
    batches = loader(split, min(_BATCH, n), form="events", labels="multihot", seed=seed,
                     tensors=False)
    n_events, last_us, is_pair = [], [], []
    times: dict[str, list[np.ndarray]] = {f"{kind} {p}": [] for kind in KINDS for p in (0, 1)}
    for events, labels in itertools.islice(batches, -(-n // _BATCH)):
        kept = min(len(labels), n - len(n_events))
        ends = events.offsets[:kept + 1]
        t, p, two = events.t[:ends[-1]].astype(np.int64), events.p[:ends[-1]], labels.sum(1)[:kept] > 1
        n_events += np.diff(ends).tolist()
        last_us += [t[begin:end].max(initial=0) for begin, end in zip(ends, ends[1:])]
        is_pair += two.tolist()
        of_pair = np.repeat(two, np.diff(ends))
        for name, of in times.items():
            of.append(t[(of_pair == name.startswith("pairs")) & (p == int(name[-1]))])
    n_of = {"pairs": max(1, sum(is_pair)), "singles": max(1, n - sum(is_pair))}
    return Samples(np.array(n_events), np.array(last_us) / 1000, np.array(is_pair),
                   {name: rate_of(np.concatenate(of), int(max(last_us)), n_of[name.split()[0]])
                    for name, of in times.items()})


def digits_in_pictures(split: Split) -> np.ndarray:
    """The first sample of each digit, where it is alone, as a picture of how it begins."""
    targets = np.asarray(split.targets)
    shown = targets if targets.ndim == 1 else np.where(targets.sum(1) == 1, targets.argmax(1), -1)
    first = [int(np.flatnonzero(shown == digit)[0]) for digit in range(len(split.classes))
             if (shown == digit).any()]
    return np.concatenate([
        pictures(counts_of(events[events["t"] < BEGIN_US], split.sensor_size)[None])
        for events, _ in split.__getitems__(first)])


def name_of(split: Split) -> str:
    return f"{split.name}, {split.info['origin']}, revision {split.revision[:12]}"


# How they show it. Each takes a Figure of matplotlib.


def draw_picture(axes: Any, picture: np.ndarray) -> None:
    axes.imshow(picture, interpolation="nearest")
    axes.set(xticks=[], yticks=[])


def hexadecimal(colour: Sequence[int]) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in colour)


def draw_mix(figure: Any, mix: Mix, sensor: Sequence[int]) -> None:
    figure.set_size_inches(9, 4.4)
    grid = figure.add_gridspec(4, CELLS + 1, height_ratios=[1, 1, 1, 1.1], wspace=0.04, hspace=0.06,
                               left=0.09, right=0.995, top=0.9, bottom=0.12)
    bounds = np.arange(CELLS + 1) * (mix.last + 1) / CELLS / 1000
    for row, (name, events) in enumerate(mix.rows):
        cells = [*cells_of(events, mix.last, sensor),
                 *pictures(counts_of(events, sensor)[None])]
        for column, cell in enumerate(cells):
            axes = figure.add_subplot(grid[row, column])
            draw_picture(axes, cell)
            if column == 0:
                axes.set_ylabel(name, rotation=0, ha="right", va="center")
            if row == 0:
                axes.set_title("all" if column == CELLS else
                               f"{bounds[column]:.0f}–{bounds[column + 1]:.0f} ms", fontsize=8)
    draw_rates(figure.add_subplot(grid[3, :CELLS]), mix)
    legend = figure.add_subplot(grid[3, CELLS])
    legend.axis("off")
    for i, (word, colour) in enumerate((("ON", ON), ("OFF", OFF))):
        legend.text(0.5, 0.62 - 0.24 * i, word, ha="center", color=hexadecimal(colour),
                    weight="bold")
    figure.suptitle(mix.name, fontsize=10)


def draw_rates(axes: Any, mix: Mix) -> None:
    for (name, events), style in zip(mix.rows, (":", "--", "-")):
        rate = rate_of(events["t"], mix.last)
        axes.stairs(rate, np.arange(len(rate) + 1) * RATE_US / 1000, label=name.replace("\n", " "),
                    linestyle=style, color="black", linewidth=1.2 if style == "-" else 1)
    axes.set(xlim=(0, (mix.last + 1) / 1000), xlabel="time (ms)", ylabel="events/ms")
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    axes.legend(fontsize=7, ncol=3, loc="upper right", frameon=False)


def draw_classes(figure: Any, split: Split) -> None:
    figure.set_size_inches(9, 3.8)
    bars, heat = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.1, 1]})
    alone, together = classes_of(split)
    for kind, counts, below in (("singles", alone, 0 * alone), ("pairs", together.sum(1), alone)):
        bars.bar(split.classes, counts, bottom=below, color=KINDS[kind], label=f"in {kind}")
    bars.set(xlabel="digit", ylabel="samples that show it")
    bars.set_ylim(0, 1.18 * max(1, (alone + together.sum(1)).max()))
    bars.legend(frameon=False, ncol=2, loc="upper right")
    draw_together(heat, together, split.classes)
    n_pairs = split.info["pairs"]
    figure.suptitle(f"{name_of(split)}: {len(split):,} samples, {len(split) - n_pairs:,} single digits "
                    f"and {n_pairs:,} pairs", fontsize=10)


def draw_together(axes: Any, together: np.ndarray, classes: Sequence[str]) -> None:
    """Which digits are shown together, and how often."""
    most = max(1, together.max())
    hidden = np.eye(len(together), dtype=bool)
    axes.imshow(np.ma.masked_array(together, hidden), cmap="Blues", vmin=0, vmax=most)
    for y, x in zip(*np.nonzero(~hidden)):
        axes.text(x, y, f"{together[y, x]}", ha="center", va="center", fontsize=7,
                  color="white" if together[y, x] > 0.6 * most else "black")
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("samples that show both", fontsize=9)


def draw_histogram(axes: Any, values: dict[str, np.ndarray], colours: Sequence[str], xlabel: str,
                   step: float, is_share: bool = False) -> None:
    """How many of each have which value, in steps; as a share of each, where they are not equally
    many."""
    present = {name: of for name, of in values.items() if len(of)}
    least = min(of.min() for of in present.values()) // step * step
    edges = np.arange(least, max(of.max() for of in present.values()) + 2 * step, step)
    for (name, of), colour in zip(values.items(), colours):
        if len(of):
            weights = np.full(len(of), 1 / len(of) if is_share else 1.0)
            axes.hist(of, edges, weights=weights, color=colour, histtype="step", linewidth=1.3,
                      label=name)
    axes.set(xlabel=xlabel, ylabel="share of samples" if is_share else "samples", xlim=edges[[0, -1]])
    axes.set_ylim(0, 1.22 * axes.get_ylim()[1])
    axes.locator_params("x", nbins=5)
    axes.legend(frameon=False, fontsize=8, loc="upper right", ncol=len(present))


def draw_rate(axes: Any, rates: Sequence[tuple[str, np.ndarray, dict[str, Any]]]) -> None:
    for name, rate, style in rates:
        axes.stairs(rate, np.arange(len(rate) + 1) * RATE_US / 1000, label=name, linewidth=1.2,
                    **style)
    axes.set(xlabel="time (ms)", ylabel="events/ms, mean of samples",
             xlim=(0, max(len(rate) for _, rate, _ in rates) * RATE_US / 1000))
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])
    axes.legend(frameon=False, fontsize=8, loc="upper right", ncol=2)


def draw_events(figure: Any, split: Split, samples: Samples) -> None:
    figure.set_size_inches(9, 3.1)
    counts, durations, rate = figure.subplots(1, 3)
    masks = {"singles": ~samples.is_pair, "pairs": samples.is_pair}
    for axes, values, xlabel, step in ((counts, samples.n_events, "events in a sample", 500),
                                       (durations, samples.last_ms, "time of the last event (ms)", 1)):
        draw_histogram(axes, {kind: values[mask] for kind, mask in masks.items()},
                       list(KINDS.values()), xlabel, step)
    draw_rate(rate, [(f"{kind}, {word}", samples.rates[f"{kind} {p}"],
                      {"color": hexadecimal(colour), "linestyle": style})
                     for kind, style in (("singles", ":"), ("pairs", "-")) if masks[kind].any()
                     for p, word, colour in ((1, "ON", ON), (0, "OFF", OFF))])
    figure.suptitle(f"{name_of(split)}: {len(samples.n_events):,} of {len(split):,} samples", fontsize=10)


def draw_beside(figure: Any, splits: Sequence[Split], samples: Sequence[Samples]) -> None:
    figure.set_size_inches(9, 5)
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.5])
    names = [split.info["origin"] for split in splits]
    if names[0] == names[1]:
        names = [f"{split.name}@{split.revision[:6]}" for split in splits]
    rows = [digits_in_pictures(split) for split in splits]
    grid = above.subplots(2, max(map(len, rows)), squeeze=False)
    for row, cells, name, colour in zip(grid, rows, names, BOTH):
        for axes in row:
            axes.axis("off")
        for axes, cell in zip(row, cells):
            draw_picture(axes, cell)
        row[0].annotate(f"{name}\nto {BEGIN_US // 1000} ms", (-0.15, 0.5), ha="right", va="center",
                        xycoords="axes fraction", color=colour, weight="bold")
    counts, durations, rate = below.subplots(1, 3)
    for axes, field, xlabel, step in ((counts, "n_events", "events in a sample", 500),
                                      (durations, "last_ms", "time of the last event (ms)", 1)):
        draw_histogram(axes, {name: getattr(of, field) for name, of in zip(names, samples)}, BOTH, xlabel,
                       step, is_share=True)
    draw_rate(rate, [(name, rate_of_all(of), {"color": colour})
                     for name, of, colour in zip(names, samples, BOTH)])
    figure.suptitle(" beside ".join(f"{len(of.n_events):,} samples of {name_of(split)}"
                                    for split, of in zip(splits, samples)), fontsize=10)


def rate_of_all(samples: Samples) -> np.ndarray:
    """Events of both polarities over time, per ms, mean of all samples."""
    n_pairs, n = samples.is_pair.sum(), len(samples.is_pair)
    share = {"pairs": n_pairs / n, "singles": (n - n_pairs) / n}
    return sum(rate * share[name.split()[0]] for name, rate in samples.rates.items())


# The program.


def figures(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Name of each figure, and what draws it; what it shows is fetched when its turn comes."""
    split = Split(options.url, options.split, order="time", ca_file=options.ca_file,
                  token_file=options.token_file)
    samples = samples_of(split, options.samples, options.seed)
    if not split.is_source:
        mix = mix_of(split, options.digits)
        yield "mix", lambda figure: draw_mix(figure, mix, split.sensor_size)
        yield "classes", lambda figure: draw_classes(figure, split)
    yield "events", lambda figure: draw_events(figure, split, samples)
    if options.beside:
        other = Split(options.beside, options.split, order="time", ca_file=options.ca_file,
                      token_file=options.token_file)
        both = samples, samples_of(other, options.samples, options.seed)
        yield "beside", lambda figure: draw_beside(figure, (split, other), both)


def save(draw: Callable[[Any], None], path: pathlib.Path, dpi: int) -> None:
    """The same figure gives the same bytes, whenever it is drawn."""
    import matplotlib
    from matplotlib.figure import Figure
    own = {"svg.hashsalt": path.stem, "font.size": 9, "axes.spines.top": False,
           "axes.spines.right": False, "figure.dpi": dpi}
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with matplotlib.rc_context(own):
        figure = Figure(layout=None if path.stem == "mix" else "constrained")
        draw(figure)
        figure.savefig(path, dpi=dpi, metadata=dates.get(path.suffix, {"Software": None}))


def digit_list(text: str) -> list[int]:
    try:
        return [whole("digit", int(word), 0, 9) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of digits, as 3,8 is") from None


def parse(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m twonmnist.figures", description="Draw figures of what a server has.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("url", metavar="URL", help="of a server")
    parser.add_argument("out", metavar="OUT", type=pathlib.Path, help="folder for the figures")
    parser.add_argument("--split", default="train", help="what they are of")
    parser.add_argument("--digits", type=digit_list, help="what the pair of the first figure shows")
    parser.add_argument("--samples", type=int, default=1000,
                        help="of how many samples events are counted; 0: of all")
    parser.add_argument("--seed", type=int, default=0, help="of which samples these are")
    parser.add_argument("--beside", metavar="URL", help="a server whose split is set beside")
    parser.add_argument("--format", choices=("png", "svg", "pdf"), default="png", help="of the files")
    parser.add_argument("--dpi", type=int, default=150, help="of png")
    parser.add_argument("--token-file", help="file of a token, where the servers want one")
    parser.add_argument("--ca-file", help="certificates of who signed the servers' own")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    whole("samples", options.samples, 0, 2**31 - 1)
    whole("dpi", options.dpi, 10, 1200)
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise OSError("figures need matplotlib, which is not installed (Debian: "
                      "python3-matplotlib)") from None
    options.out.mkdir(parents=True, exist_ok=True)
    for name, draw in figures(options):
        path = options.out / f"{name}.{options.format}"
        save(draw, path, options.dpi)
        print(path)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    try:
        run(parse(arguments))
    except (OSError, ValueError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
