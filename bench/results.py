# SPDX-License-Identifier: Apache-2.0
"""What a run of the bench found: lines of a table, and series of a plot."""
import dataclasses
import typing


@dataclasses.dataclass
class Line:
    what: str
    against: str           # the yardstick
    ratio: typing.Any      # rounds.Ratio, or a number
    aim: str = ""          # ">= 1.2", "<= 0.5 s": empty where it is only told
    remark: str = ""

    @property
    def value(self):
        return getattr(self.ratio, "value", self.ratio)

    def met(self):
        """Whether the aim is reached, in a word."""
        if not self.aim:
            return ""
        sign, number = self.aim.split()[:2]
        reached = self.value >= float(number) if sign == "≥" else self.value <= float(number)
        return "yes" if reached else "**no**"

    def row(self):
        told = f"{self.ratio:.2f}" if isinstance(self.ratio, float) else str(self.ratio)
        return f"| {self.what} | {self.against} | {told} | {self.aim} | {self.met()} | {self.remark} |"


HEAD = ["| what | against | ratio, median (spread) | aim | met | remark |", "|---|---|---|---|---|---|"]


@dataclasses.dataclass
class Plot:
    name: str              # of the file
    title: str
    x: str
    y: str
    series: dict           # name: [(x, y), ...]
    logarithmic: bool = True
    marker: str = "o"


def draw(plot, path):
    """As SVG, where matplotlib is there. False: it is not."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = plot.name
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, points in plot.series.items():
        axes.plot(*zip(*points), marker=plot.marker, label=name)
    if plot.logarithmic:
        axes.set_xscale("log", base=2)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y, ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)
    return True
