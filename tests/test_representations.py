# SPDX-License-Identifier: Apache-2.0
"""The rules of the forms in NumPy against what Tonic and SpikingJelly themselves made of real
recordings, and against small cases counted by hand; the table in doc/representations.md."""
import csv
import gzip
import hashlib
import importlib.util
import io
import os
import pathlib
import re
import subprocess
import sys
import unittest
import zipfile

import numpy as np

import daemon
import form_rules as rules

SOURCE = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
SCRIPT = SOURCE / "doc" / "representations.py"
TRAIN = daemon.SHARED / "nmnist-small" / "Train.zip"


def recordings():
    """Events of every recording, in name order."""
    with zipfile.ZipFile(TRAIN) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".bin"))
        return [rules.events_of(archive.read(name)) for name in names]


def words_of(parameters):
    """The libraries' own arguments: "time_window=1000 include_incomplete=True" and the like."""
    words = dict(word.split("=") for word in parameters.split())
    return {name: value == "True" if value in ("True", "False") else
            value if value in ("time", "number") else
            float(value) if "." in value else int(value) for name, value in words.items()}


def tonic_frames(events, time_window=None, n_time_bins=None, event_count=None, n_event_bins=None,
                 overlap=0, include_incomplete=False, start_time=None, end_time=None):
    if time_window:
        return rules.frames(events, "window", timestep=time_window, stride=time_window - overlap,
                            incomplete=include_incomplete, start=start_time, end=end_time)
    if n_time_bins:
        return rules.frames(events, "time-bins", bins=n_time_bins, bin_overlap=overlap)
    if n_event_bins:
        return rules.frames(events, "event-bins", bins=n_event_bins)
    return rules.frames(events, "event-count", events=event_count, stride=event_count - overlap,
                        incomplete=include_incomplete)


def spikingjelly_frames(events, split_by=None, frames_number=None, duration=None):
    if duration:
        return rules.frames(events, "duration", timestep=duration)
    return rules.frames(events, split_by, bins=frames_number)


# pylint: disable=redefined-builtin
MADE = {  # (library, what) -> tensor, of events and the library's arguments
    ("tonic", "frames"): tonic_frames,
    ("spikingjelly", "frames"): spikingjelly_frames,
    ("tonic", "denoise"): lambda events, filter_time: rules.denoise(events, filter_time),
    ("tonic", "nmnist"): lambda events, stabilize=False, first_saccade_only=False:
        rules.filtered(events, stabilize, t1=100_000 if first_saccade_only else None),
    ("tonic", "crop_time"): lambda events, min, max: rules.crop(events, min, max + 1),
    ("tonic", "voxel_grid"): lambda events, n_time_bins: rules.voxel(events, n_time_bins),
}


def as_stored(made, dtype):
    return rules.pack(made) if made.dtype == rules.DTYPE else made.astype(dtype)


class Golden(unittest.TestCase):
    def test_every_row_is_what_the_library_made(self):
        daemon.need_shared()
        with gzip.open(daemon.SHARED / "golden" / "representations.csv.gz", "rt") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 1400)
        events, wrong = recordings(), []
        for row in rows:
            make = MADE[row["library"], row["what"]]
            made = as_stored(make(events[int(row["position"])], **words_of(row["parameters"])),
                             row["dtype"])
            if ("x".join(map(str, made.shape)), hashlib.sha256(made.tobytes()).hexdigest()) != (
                    row["shape"], row["sha256"]):
                wrong.append((row["what"], row["parameters"], row["position"], made.shape))
        self.assertEqual(wrong, [])


def at(*times, x=1, y=2, p=1):
    """An event at each of the times, all at one place."""
    out = np.zeros(len(times), rules.DTYPE)
    out["t"], out["x"], out["y"], out["p"] = times, x, y, p
    return out


def spots(*rows):
    """Events of (x, y, t, p)."""
    return np.array(list(rows), rules.DTYPE)


class ByHand(unittest.TestCase):
    """Nothing of a recording needed: events in each frame, counted by hand."""

    def counts(self, times, slice, **parameters):
        frames = rules.frames(at(*times), slice, **parameters)
        self.assertEqual(frames.shape[1:], (2, 34, 34))
        self.assertEqual(frames.sum(), frames[:, 1, 2, 1].sum())
        return frames[:, 1, 2, 1].tolist()

    def test_timestep_rounds_half_to_even_from_time_0(self):
        times = (0, 499, 500, 1500, 2500, 2501, 3500)
        self.assertEqual(self.counts(times, "timestep", bins=4), [1, 0, 1, 1])
        self.assertEqual(self.counts(times, "timestep", bins=4, overlap="sum"), [3, 0, 2, 1])
        self.assertEqual(self.counts(times, "timestep", bins=4, overlap="sum", binning="floor"),
                         [3, 1, 2, 1])

    def test_windows_begin_with_the_first_event_and_end_before_what_is_incomplete(self):
        times = (7, 16, 17, 17, 30, 37)
        self.assertEqual(self.counts(times, "window", timestep=10), [2, 2, 1])
        self.assertEqual(self.counts(times[:-1], "window", timestep=10), [2, 2])
        self.assertEqual(self.counts(times[:-1], "window", timestep=10, incomplete=True), [2, 2, 1])
        self.assertEqual(self.counts(times, "window", timestep=10, stride=5), [2, 3, 2, 1, 1])
        self.assertEqual(self.counts(times, "window", timestep=10, stride=20), [2, 1])
        self.assertEqual(self.counts(times, "window", timestep=100), [6])
        self.assertEqual(self.counts(times, "window", timestep=10, start=0, end=30), [1, 3, 0])
        self.assertEqual(self.counts((50,), "window", timestep=10, start=0, end=20), [0, 0])

    def test_time_bins_are_of_whole_microseconds_and_the_rest_is_dropped(self):
        times = (5, 7, 8, 10, 11, 12)  # 7 µs in 2 bins: 5 to 7, 8 to 10
        self.assertEqual(self.counts(times, "time-bins", bins=2), [2, 2])
        self.assertEqual(self.counts(times, "time-bins", bins=2, bin_overlap=0.5), [3, 3])
        self.assertEqual(self.counts(times, "time", bins=2), [2, 4])
        self.assertEqual(self.counts((5, 6), "time-bins", bins=2), [0, 0])
        self.assertEqual(self.counts((5, 6), "time", bins=2), [0, 2])

    def test_counts_of_events(self):
        times = range(7)
        self.assertEqual(self.counts(times, "event-count", events=3), [3, 3])
        self.assertEqual(self.counts(times, "event-count", events=3, incomplete=True), [3, 3, 1])
        self.assertEqual(self.counts(times, "event-count", events=3, stride=2), [3, 3, 3])
        self.assertEqual(self.counts(times, "event-count", events=9), [7])
        self.assertEqual(self.counts(times, "event-bins", bins=3), [2, 2, 2])
        self.assertEqual(self.counts(times, "number", bins=3), [2, 2, 3])
        self.assertEqual(self.counts(times, "number", bins=9), [0] * 8 + [7])

    def test_a_durations_last_frame_takes_its_own_end(self):
        self.assertEqual(self.counts((3, 12, 13, 22, 23), "duration", timestep=10), [2, 3])
        self.assertEqual(self.counts((3, 12, 13, 24), "duration", timestep=10), [2, 1, 1])
        self.assertEqual(self.counts((3, 3), "duration", timestep=10), [2])

    def test_without_events_there_are_empty_frames(self):
        for slice, parameters, n in (
                ("timestep", {"bins": 3}, 3), ("window", {"timestep": 9}, 1),
                ("window", {"timestep": 9, "start": 0, "end": 27}, 3),
                ("time-bins", {"bins": 3}, 3), ("event-count", {"events": 9}, 1),
                ("event-bins", {"bins": 3}, 3), ("number", {"bins": 3}, 3),
                ("time", {"bins": 3}, 3), ("duration", {"timestep": 9}, 1)):
            self.assertEqual(self.counts((), slice, **parameters), [0] * n, slice)
        self.assertEqual(rules.voxel(at(), 3).tolist(), np.zeros((3, 1, 34, 34)).tolist())
        self.assertEqual(len(rules.filtered(at(), True, 1, 2, 3, True)), 0)

    def test_events_that_go_back_have_no_windows(self):
        with self.assertRaisesRegex(ValueError, "not in order"):
            rules.frames(at(3, 2), "window", timestep=1)

    def test_stabilize_drops_by_where_an_event_is_not_by_where_it_is_rounded_to(self):
        # Shifts: (4, 2) at time 0, (0.5, -5) at 105,000, (-3, 2) at 210,000, and then back to x 4.
        events = spots((29, 31, 0, 1), (30, 31, 0, 1), (5, 5, 105_000, 0), (5, 4, 105_000, 0),
                       (32, 33, 105_001, 1), (33, 33, 105_001, 0), (10, 5, 210_000, 1),
                       (10, 31, 210_001, 1), (10, 32, 210_001, 1))
        self.assertEqual(rules.stabilize(events).tolist(),
                         [(33, 33, 0, 1), (6, 0, 105_000, 0), (32, 28, 105_001, 1),
                          (7, 7, 210_000, 1), (7, 33, 210_001, 1)])

    def test_crop_keeps_what_is_before_its_end(self):
        self.assertEqual(rules.crop(at(1, 2, 3, 4), 2, 4)["t"].tolist(), [2, 3])
        self.assertEqual(rules.crop(at(1, 2, 3, 4), 2)["t"].tolist(), [2, 3, 4])

    def test_denoise_asks_for_a_neighbour_that_was_just_there(self):
        far = (20, 20, 99, 0)  # how large the memory is
        for events, kept in (
                (((5, 5, 99, 1), far), 1),  # pixels begin alive, to time 99
                (((5, 5, 100, 1), far), 0),
                (((5, 5, 500, 1), (6, 5, 599, 0), far), 1),
                (((5, 5, 500, 1), (6, 5, 600, 0), far), 0),
                (((5, 5, 500, 1), (6, 6, 500, 0), far), 0),  # at a corner
                (((5, 5, 500, 1), (5, 5, 501, 0), far), 0),  # itself
                (((5, 5, 0, 1), ), 1),  # on the border: its other neighbours live
                (((0, 0, 0, 1), ), 0)):  # a memory of one pixel
            result = rules.denoise(spots(*events), 100).tolist()
            self.assertEqual(sum(event != far for event in result), kept, events)

    def test_merged_polarities_are_off_and_once(self):
        events = spots((1, 2, 3, 1), (1, 2, 3, 0), (2, 1, 3, 1), (1, 2, 4, 0), (1, 2, 4, 0))
        merged = rules.merge_polarity(events)
        self.assertEqual(merged.tolist(), [(1, 2, 3, 0), (2, 1, 3, 0), (1, 2, 4, 0)])
        self.assertEqual(rules.frames(merged, "number", channels=1, bins=1).shape, (1, 1, 34, 34))
        with self.assertRaisesRegex(ValueError, "both polarities"):
            rules.frames(events, "number", channels=1, bins=1)

    def test_sparse_and_bits_are_the_frames_again(self):
        events = spots((1, 0, 0, 0), (33, 33, 0, 1), (1, 0, 1, 0), (3, 1, 2000, 0))
        counts = rules.frames(events, "timestep", bins=9, overlap="sum")
        places, per_bin = rules.sparse(counts)
        self.assertEqual(places.tolist(), [1, 1, 2311, 37])
        self.assertEqual(per_bin.tolist(), [3, 0, 1, 0, 0, 0, 0, 0, 0])
        self.assertEqual((places.dtype, per_bin.dtype), (np.int16, np.int32))
        packed = rules.bits(counts)
        self.assertEqual(packed.shape, (2, 2, 34, 34))
        self.assertEqual((packed[0, 0, 0, 1], packed[0, 0, 1, 3], packed.sum()), (128, 32, 288))
        large = np.array([0, 255, 256, 70000])
        self.assertEqual(rules.as_values(large).tolist(), [0, 255, 255, 255])
        self.assertEqual(rules.as_values(large, np.uint16).tolist(), [0, 255, 256, 65535])

    def test_a_voxel_shares_an_event_between_two_bins(self):
        grid = rules.voxel(spots((1, 2, 10, 1), (1, 2, 15, 0), (4, 3, 25, 1), (0, 0, 30, 1)), 2)
        self.assertEqual(grid.shape, (2, 1, 34, 34))
        self.assertEqual(grid[:, 0, 2, 1].tolist(), [0.5, -0.5])  # 1 at 0, -1 at 0.5
        self.assertEqual(grid[:, 0, 3, 4].tolist(), [0, 0.5])  # at 1.5
        self.assertEqual(grid[:, 0, 0, 0].tolist(), [0, 0])  # the last is behind all bins
        self.assertEqual(rules.voxel(at(5, 5), 2)[:, 0, 2, 1].tolist(), [2, 0])

    def test_packed_events_are_the_events_again(self):
        events = spots((33, 1, (1 << 23) - 1, 1), (0, 33, 257, 0))
        self.assertEqual(rules.pack(events).tolist(), [[33, 1, 255, 255, 255], [0, 33, 0, 1, 1]])
        np.testing.assert_array_equal(rules.events_of(rules.pack(events).tobytes()), events)


def printed(*words):
    """What the script prints."""
    ran = subprocess.run([sys.executable, SCRIPT, *map(str, words)], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, encoding="utf-8", check=False,
                         env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    if ran.returncode:
        raise AssertionError(ran.stderr)
    return ran.stdout


def script():
    """As a module."""
    spec = importlib.util.spec_from_file_location("representations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Document(unittest.TestCase):
    def setUp(self):
        text = (SOURCE / "doc" / "representations.md").read_text(encoding="utf-8")
        self.prose = text[:text.index("## The tables")]
        command = re.search(r"^    python3 doc/representations.py (.*)$", text, re.M)[1]
        self.words = [TRAIN if word == "Train.zip" else word for word in command.split()]
        self.tables = re.search(r"<!-- what the script prints begins -->\n(.*)"
                                r"<!-- what the script prints ends -->", text, re.S)[1].strip()

    def test_its_tables_are_what_the_script_prints(self):
        daemon.need_shared()
        self.assertEqual(self.tables, printed(*self.words).strip())

    def test_its_numbers_are_those_of_the_tables(self):
        figures = set(re.findall(r"[\d,.]*\d", self.tables))
        differences = {"23", "48", "246"}  # between two of the table's
        prose = set(re.findall(r"(?<![\w`.])\d[\d,]{2,}\b|(?<= and )\d\d+", self.prose))
        self.assertGreater(len(prose), 9)
        self.assertEqual(prose - figures - differences, set())


class Script(unittest.TestCase):
    def test_a_folder_a_zip_and_a_daemon_give_the_same(self):
        folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        splits = daemon.generate(folder / "splits", "--count", "20,10", source="synthetic")
        server = self.enterContext(daemon.Daemon(splits))
        body = server.get("/v1/splits/nmnist-train/samples/3.bin").body
        (folder / "3").write_bytes(body)
        with zipfile.ZipFile(folder / "some.zip", "w") as archive:
            archive.writestr("3", body)
        tables = [printed("--timestep", 10000, 5000, "--", source, 3) for source in
                  (folder, folder / "some.zip", f"{server.url}/v1/splits/nmnist-train")]
        self.assertIn(f"**3**, 10 ms: {len(body) // 5:,} events", tables[0])
        self.assertEqual(tables[1:], tables[:1] * 2)

    def test_daemons_know_the_rules_by_the_words_that_it_prints(self):
        folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        server = self.enterContext(daemon.Daemon(
            daemon.generate(folder, "--count", "20,10", source="synthetic")))
        path = "/v1/splits/nmnist-train/samples/3"
        rules_of = script().rules_of(10_000)
        events = rules.events_of(server.get(f"{path}.bin").body)
        text = printed("--timestep", 10000, "--", f"{server.url}/v1/splits/nmnist-train", 3)
        n_compared = 0
        for name, ones, count, words in rules_of:
            self.assertIn(f"| {name} | {f'`{words}`' if words else '—'} |", text)
            if words:
                answer = server.get(f"{path}.npy?as=frames&values=u16&{words}")
                self.assertEqual(answer.status, 200, answer.body)
                counts = np.minimum(count(events), 1) if ones else count(events)
                np.testing.assert_array_equal(np.load(io.BytesIO(answer.body)), counts, words)
                n_compared += 1
        self.assertEqual(n_compared, len(rules_of) - 1)

    def test_what_is_not_there_is_named(self):
        with self.assertRaisesRegex(AssertionError, "^representations.py: nowhere.zip: .*No such"):
            printed("nowhere.zip", "3")

    def test_rows_are_those_counted_by_hand(self):
        # Nearest: 1 2 2 2 3; halves up: 1 2 2 3 3; down: 1 1 1 2 2; from 120 ms on: 0 0 0 1 1.
        events = at(120_000, 150_000, 150_000, 250_000, 260_000)
        rows = {name: numbers for name, *numbers in script().rows_of(events, 100_000)}
        for name, numbers in (
                ("lava-dl", [3, 4, 2, 1, 1, 0]), ("… halves up", [3, 3, 2, 1, 1, 0]),
                ("… rounded down", [3, 5, 2, 1, 1, 0]), ("… counts", [3, 4, 4, 3, 1, 1]),
                ("Tonic time_window=100000", [1, 3, 3, 3, 0, 3]),
                ("… include_incomplete=True", [2, 5, 5, 3, 0, 3]),
                ("… start_time=0 end_time=300000", [3, 5, 5, 3, 1, 2]),
                ("SpikingJelly duration=100000", [2, 5, 5, 3, 0, 3]),
                ("Tonic n_event_bins=3", [3, 3, 3, 1, 0, 1]),
                ("SpikingJelly number, 3", [3, 5, 5, 3, 0, 2])):
            self.assertEqual(rows[name], numbers, name)
        self.assertIn("SpikingJelly time, 3 (stops: empty frames)", rows)


if __name__ == "__main__":
    unittest.main()
