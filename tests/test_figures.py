# SPDX-License-Identifier: Apache-2.0
"""python3 -m twonmnist.figures: that what matplotlib is given is what the server says, and that there are
files of it."""
import contextlib
import io
import math
import pathlib
import subprocess
import sys
import unittest
from unittest import mock

import numpy as np

import daemon
import oracle
import twonmnist

try:
    import matplotlib
    from matplotlib.figure import Figure
except ImportError:
    raise unittest.SkipTest("matplotlib is not installed") from None

from twonmnist import figures

SENSOR = (34, 34, 2)


def setUpModule():
    global server, other, train
    folder = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder()))
    servers = [unittest.enterModuleContext(daemon.Daemon(daemon.generate(
        folder / seed, "--count", "120,20", "--seed", seed, source="synthetic"))) for seed in "12"]
    server, other = servers
    train = twonmnist.Split(server.url, "train", order="time")


def colours(counts, most):
    """The rule of pictures, pixel by pixel, in whole numbers: counts [2, 34, 34], OFF and ON."""
    picture = np.zeros((34, 34, 3), np.uint8)
    for y, x in np.ndindex(34, 34):
        off, on = (math.isqrt(65025 * int(counts[p, y, x]) // most) for p in (0, 1))
        picture[y, x] = [min(255, (a * on + b * off + 127) // 255)
                         for a, b in zip((230, 159, 0), (86, 180, 233))]
    return picture


def counted(packed):
    t, x, y, p = (column.astype(int) for column in oracle.unpack(packed))
    counts = np.zeros((2, 34, 34), int)
    np.add.at(counts, (p, y, x), 1)
    return counts


def packed_of(path):
    return np.frombuffer(server.get(path).body, np.uint8).reshape(-1, 5)


def drawn(draw, *what):
    figure = Figure()
    draw(figure, *what)
    return figure


def images(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in figure.findobj(matplotlib.axes.Axes)
            if axes.images]


class Colours(unittest.TestCase):
    def test_they_are_those_of_the_rule(self):
        counts = np.random.RandomState(5).poisson(3, (2, 2, 34, 34)) ** 2
        made = figures.pictures(counts)
        for picture, of in zip(made, counts):
            np.testing.assert_array_equal(picture, colours(of, int(counts.max())))

    def test_what_has_no_events_is_black(self):
        self.assertFalse(figures.pictures(np.zeros((1, 2, 34, 34), int)).any())


class Mix(unittest.TestCase):
    def test_its_rows_are_the_recordings_and_the_sample(self):
        pair = server.get("/v1/splits/train/indices.json?kind=pair").json()["indices"][0]
        sample = server.get(f"/v1/splits/train/samples/{pair}.json?order=time").json()
        recordings = [packed_of(f"/v1/sources/nmnist-train/samples/{source}.bin")
                      for source in sample["sources"]]
        rows = [recordings[0], oracle.pack(*oracle.reverse(oracle.unpack(recordings[1]))),
                oracle.mix(recordings)]
        last = max(int(oracle.unpack(row)[0].max()) for row in rows)
        shown = images(drawn(figures.draw_mix, figures.mix_of(train, None), SENSOR))
        self.assertEqual(len(shown), 3 * 10)
        for row, packed in enumerate(rows):
            t = oracle.unpack(packed)[0].astype(int)
            cells = [counted(packed[t * 9 // (last + 1) == cell]) for cell in range(9)]
            most = max(int(cell.max()) for cell in cells)
            for at, cell in enumerate(cells):
                np.testing.assert_array_equal(shown[10 * row + at], colours(cell, most))
            whole = counted(packed)
            np.testing.assert_array_equal(shown[10 * row + 9], colours(whole, int(whole.max())))

    def test_the_digits_can_be_chosen(self):
        rows = server.get("/v1/splits/train/samples?kind=pair&length=1000").json()["samples"]
        first, second = rows[-1]["labels"]
        both = [row["index"] for row in rows if row["labels"] == [first, second]]
        mix = figures.mix_of(train, [second, first])
        self.assertEqual(mix.name, f"train {both[0]}: {first} and {second}")
        events, _ = train[both[0]]
        np.testing.assert_array_equal(mix.rows[2][1], events)

    def test_events_over_time_are_all_of_them(self):
        figure = drawn(figures.draw_mix, figures.mix_of(train, None), SENSOR)
        stairs = [patch for axes in figure.axes for patch in axes.patches]
        rows = [len(events) for _, events in figures.mix_of(train, None).rows]
        self.assertEqual([round(5 * float(np.sum(each.get_data().values))) for each in stairs], rows)


class Classes(unittest.TestCase):
    def test_bars_and_cells_are_what_the_server_counted(self):
        said = server.get("/v1/splits/train").json()
        together = np.array(said["cooccurrence"])
        figure = drawn(figures.draw_classes, train)
        bars, heat = figure.axes
        heights = np.array([bar.get_height() for bar in bars.patches]).reshape(2, 10)
        np.testing.assert_array_equal(heights.sum(0), said["labels"])
        np.testing.assert_array_equal(heights[1], together.sum(1) - together.diagonal())
        shown = np.ma.filled(heat.images[0].get_array(), 0)
        np.testing.assert_array_equal(shown, together - np.diag(together.diagonal()))
        texts = [int(text.get_text()) for text in heat.texts]
        self.assertEqual(sum(texts), 2 * said["pairs"])


class Events(unittest.TestCase):
    def test_of_all_samples_they_are_what_the_server_says_of_each(self):
        rows = server.get("/v1/splits/train/samples?length=1000").json()["samples"]
        samples = figures.samples_of(train, 0, 0)
        self.assertEqual(sorted(samples.n_events), sorted(row["events"] for row in rows))
        self.assertEqual(sorted(np.rint(1000 * samples.last_ms)), sorted(
            int(oracle.unpack(packed_of(f"/v1/splits/train/samples/{row['index']}.bin?order=time"))
                [0].max()) for row in rows))
        self.assertEqual(samples.is_pair.sum(), sum(len(row["labels"]) == 2 for row in rows))
        n_events = {kind: sum(row["events"] for row in rows if len(row["labels"]) == n)
                    for kind, n in (("singles", 1), ("pairs", 2))}
        n_of = {"pairs": samples.is_pair.sum(), "singles": (~samples.is_pair).sum()}
        for kind, n in n_events.items():
            both = samples.rates[f"{kind} 0"] + samples.rates[f"{kind} 1"]
            self.assertAlmostEqual(float(both.sum()) * 5 * n_of[kind], n, places=4)

    def test_the_histogram_is_the_servers(self):
        said = server.get("/v1/splits/train").json()["event_counts"]
        figure = drawn(figures.draw_events, train, figures.samples_of(train, 0, 0))
        heights = {}
        for patch in figure.axes[0].patches:
            corners = patch.get_xy()[1:-1:2]
            for x, height in corners:
                heights[x] = heights.get(x, 0) + height
        for i, n in enumerate(said["bins"]):
            self.assertEqual(heights.get(500 * i, 0), n, i)
        self.assertEqual(sum(heights.values()), len(train))

    def test_some_samples_are_those_of_the_order(self):
        n = len(train)
        order = np.random.RandomState([3, 0]).permutation(n)[:70]
        rows = server.get(f"/v1/splits/train/samples?length={n}").json()["samples"]
        self.assertEqual(figures.samples_of(train, 70, 3).n_events.tolist(),
                         [rows[i]["events"] for i in order])

    def test_recordings_are_single_digits(self):
        source = twonmnist.Split(server.url, "nmnist-train")
        samples = figures.samples_of(source, 50, 0)
        self.assertFalse(samples.is_pair.any())
        figure = drawn(figures.draw_events, source, samples)
        self.assertEqual(len(figure.axes), 3)
        self.assertEqual(len(figures.digits_in_pictures(source)), 10)


class Beside(unittest.TestCase):
    def test_pictures_and_curves_are_of_both(self):
        splits = train, twonmnist.Split(other.url, "train", order="time")
        samples = [figures.samples_of(split, 0, 0) for split in splits]
        figure = drawn(figures.draw_beside, splits, samples)
        shown = images(figure)
        at = 0
        for asked in server, other:
            rows = asked.get("/v1/splits/train/samples?length=1000").json()["samples"]
            for digit in range(10):
                alone = [row["index"] for row in rows if row["labels"] == [digit]]
                if alone:
                    body = asked.get(f"/v1/splits/train/samples/{alone[0]}.bin?order=time&t1=40000")
                    counts = counted(np.frombuffer(body.body, np.uint8).reshape(-1, 5))
                    np.testing.assert_array_equal(shown[at], colours(counts, int(counts.max())))
                    at += 1
        self.assertEqual(len(shown), at)
        rate = [axes for axes in figure.findobj(matplotlib.axes.Axes) if axes.get_xlabel()][-1]
        for patch, of in zip(rate.patches, samples):
            self.assertAlmostEqual(float(patch.get_data().values.sum()) * 5, of.n_events.mean(), places=4)


class Program(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))

    def run_program(self, *words):
        """Status, and what is said, out and to stderr."""
        out, error = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            try:
                status = figures.main(list(map(str, words)))
            except SystemExit as end:
                status = end.code
        return status, out.getvalue(), error.getvalue()

    def test_files_are_there_and_are_pictures(self):
        ended = subprocess.run(
            [sys.executable, "-m", "twonmnist.figures", server.url, "made", "--samples", "64",
             "--beside", other.url], cwd=self.folder, text=True, capture_output=True, timeout=300,
            check=False)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        names = [f"made/{name}.png" for name in ("mix", "classes", "events", "beside")]
        self.assertEqual(ended.stdout.splitlines(), names)
        for name in names:
            picture = matplotlib.image.imread(self.folder / name)
            self.assertEqual(picture.shape[1], 9 * 150, name)
            self.assertGreater(len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)), 50, name)

    def test_the_same_figures_are_the_same_bytes(self):
        for kind in "svg", "pdf":
            path = self.folder / kind / f"events.{kind}"
            made = []
            for _ in range(2):
                ended = self.run_program(server.url, path.parent, "--split", "nmnist-train",
                                         "--samples", 20, "--format", kind)
                self.assertEqual(ended, (0, f"{path}\n", ""))
                made.append(path.read_bytes())
            self.assertEqual(made[0], made[1], kind)

    def test_what_is_wrong_is_said_in_a_sentence(self):
        (self.folder / "file").write_text("")
        made = self.folder / "made"
        for words, said in (
                ([server.url, made, "--split", "none"], "none"),
                ([server.url, made, "--digits", "3,3,4,5"], "leaves no sample"),
                ([server.url, made, "--samples", "-1"], "samples -1; it has to be 0 to 2147483647"),
                ([server.url, made, "--dpi", "1"], "dpi 1; it has to be 10 to 1200"),
                ([server.url, self.folder / "file"], "file")):
            status, _, error = self.run_program(*words)
            self.assertEqual(status, 1, words)
            self.assertRegex(error, rf"^figures: [^\n]*{said}[^\n]*\n$")
        status, _, error = self.run_program(server.url, made, "--digits", "3,a")
        self.assertEqual(status, 2)
        self.assertIn("'3,a' is no list of digits", error)

    def test_without_matplotlib_it_says_what_is_missing(self):
        with mock.patch.dict(sys.modules, {"matplotlib.figure": None}):
            ended = self.run_program(server.url, self.folder / "made")
        self.assertEqual(ended, (1, "", "figures: figures need matplotlib, which is not installed "
                                        "(Debian: python3-matplotlib)\n"))

    def test_a_split_whose_recordings_are_not_there_has_no_figure_of_a_mix(self):
        data = self.folder / "alone"
        data.mkdir()
        for name in "train", "test":
            (data / f"{name}.safetensors").write_bytes(server.get(f"/v1/splits/{name}.safetensors").body)
        with daemon.Daemon(data) as alone:
            status, _, error = self.run_program(alone.url, self.folder / "made")
        self.assertEqual(status, 1)
        self.assertIn("has no recordings beside it", error)


if __name__ == "__main__":
    unittest.main()
