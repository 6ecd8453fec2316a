# SPDX-License-Identifier: Apache-2.0
"""The web page's modules without a browser: who imports whom; and, in Node, what they make of blobs, against
NumPy and the daemon."""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

import daemon
import picture_rules as rules

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
FOLDER = ROOT / "viewer"
SIDE = 34

# From the ground up: a module imports those on floors below it.
ORDER = [
    ["crc32c", "events", "place", "saccades", "npy"],
    ["safetensors", "colour", "mix", "api", "dom"],
    ["take", "dialogs", "facts"],
    ["clock", "screen", "code", "filters", "controls", "chart_bars", "chart_labels", "chart_rate", "spacetime", "saving"],
    ["player", "gallery", "forms"],
    ["page_splits", "page_split", "page_samples", "page_sample", "page_mixer", "page_epoch"],
    ["app"],
]


def imports(path):
    return re.findall(r'\bfrom "\./(\w+)\.js"', path.read_text(encoding="utf-8"))


def event_type(rows):
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def pack(rows):
    """Packed events of rows t, x, y, p."""
    t, x, y, p = event_type(rows).T
    return np.stack([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255], 1).astype("u1").tobytes()


def some_events(seed, n=3000, last=300_000):
    """In the order of time; some at one time, and some the same."""
    random = np.random.RandomState(seed)
    rows = np.stack([np.sort(random.randint(0, last, n)), random.randint(0, SIDE, n), random.randint(0, SIDE, n),
                     random.randint(0, 2, n)], 1)
    rows[10] = rows[9]
    rows[20:24, 0] = rows[20, 0]
    return rows


def counts_of(rows):
    return rules.counts(dict(zip("txyp", rows.T)))


def mixed(recordings):
    """The mix in Python: rows, and the recording of each."""
    entries = []
    for which, rows in enumerate(recordings):
        if which % 2:
            rows = rows[::-1].copy()
            rows[:, 0] = rows[0, 0] - rows[:, 0]
        entries += [(*map(int, row), which) for row in rows]
    kept = {}
    for entry in sorted(entries, key=lambda entry: entry[0]):  # stable: the first recording's come first
        kept.setdefault(entry[:4], entry[4])
    return [list(row) for row in kept], list(kept.values())


class Order(unittest.TestCase):
    def test_modules_import_from_floors_below(self):
        floors = {name: i for i, names in enumerate(ORDER) for name in names}
        found = {path.stem: imports(path) for path in FOLDER.glob("*.js")}
        self.assertEqual(set(found), set(floors))
        self.assertGreater(sum(map(len, found.values())), 50)
        faults = [f"{name} imports {other}" for name, others in found.items() for other in others
                  if floors.get(other, len(ORDER)) >= floors[name]]
        self.assertEqual(faults, [])

    def test_every_file_is_built_in(self):
        makefile = (ROOT / "Makefile.am").read_text(encoding="utf-8")
        listed = set(re.search(r"^viewer_files = ((?:.*\\\n)+.*)", makefile, re.MULTILINE).group(1).replace("\\", " ").split())
        there = {f"viewer/{path.name}" for path in FOLDER.iterdir() if path.suffix in (".js", ".css", ".html", ".svg")}
        self.assertEqual(listed, there)

    def test_no_file_names_another_host_or_holds_what_the_policy_forbids(self):
        for path in sorted(FOLDER.iterdir()):
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            with self.subTest(path.name):
                self.assertNotRegex(text, r"(?<![$`'\"]{2})https?://(?!\$)")
                self.assertNotRegex(text, r"\b(eval|innerHTML|insertAdjacentHTML|document\.write)\b|new Function|style=\"|<script>|<style")
                self.assertIn("SPDX-License-Identifier: Apache-2.0", text[:200] if path.suffix != ".svg" else text)


class Style(unittest.TestCase):
    def rules(self):
        """(the condition of @media or "", selector, properties) in the order of the file."""
        text = re.sub(r"/\*.*?\*/", "", (FOLDER / "app.css").read_text(encoding="utf-8"), flags=re.DOTALL)
        condition, at = "", 0
        while found := re.compile(r"\s*(?:@media ([^{]+)\{|(\})|([^{}@]+)\{([^{}]*)\})").match(text, at):
            at = found.end()
            if found[1] or found[2]:
                condition = (found[1] or "").strip()
                continue
            names = {part.split(":")[0].strip() for part in found[4].split(";") if part.strip()}
            for selector in found[3].split(","):
                yield condition, selector.strip(), names
        self.assertEqual(text[at:].strip(), "")

    def test_what_holds_at_some_widths_is_not_undone_below_it(self):
        rules = list(self.rules())
        self.assertGreater(len(rules), 150)
        undone = [f"{condition}: {selector}: {', '.join(names & others)}" for i, (condition, selector, names) in enumerate(rules)
                  if condition for other, same, others in rules[i + 1:] if not other and same == selector and names & others]
        self.assertEqual(undone, [])


class Modules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        node = shutil.which("node") or shutil.which("nodejs")
        if node is None:
            raise unittest.SkipTest("there is no Node (Debian: apt install nodejs)")
        cls.node = node
        cls.folder = tempfile.TemporaryDirectory(prefix="twonmnist-test-")
        cls.addClassCleanup(cls.folder.cleanup)
        for path in FOLDER.glob("*.js"):
            shutil.copy(path, cls.folder.name)
        (pathlib.Path(cls.folder.name) / "package.json").write_text('{"type": "module"}')

    def ask(self, *asked):
        """What the modules answer to [name, argument] each."""
        def plain(value):
            return base64.b64encode(value).decode() if isinstance(value, bytes) else value
        text = json.dumps([[name, {key: [plain(v) for v in value] if isinstance(value, list) else plain(value)
                                   for key, value in argument.items()}] for name, argument in asked])
        answer = subprocess.run([self.node, ROOT / "tests/viewer_unit.mjs", self.folder.name], input=text, text=True,
                                capture_output=True, check=False)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return json.loads(answer.stdout)

    def test_crc32c_is_that_of_the_standard(self):
        # RFC 3720, B.4
        cases = [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43),
                 (bytes(range(32)), 0x46DD794E)]
        self.assertEqual(self.ask(*(["crc", {"bytes": data}] for data, _ in cases)), [crc for _, crc in cases])

    def test_the_digest_of_a_header_is_read(self):
        header = f"crc32c=:{base64.b64encode((0xE3069283).to_bytes(4, 'big')).decode()}:"
        cases = [header, f"sha-256=:AAAA:, {header}", "sha-256=:AAAA:", None, "crc32c=:####:", "xcrc32c=:AAAAAA==:"]
        self.assertEqual(self.ask(*(["stated", {"header": case}] for case in cases)),
                         [0xE3069283, 0xE3069283, None, None, None, None])

    def test_events_are_unpacked(self):
        rows = np.concatenate([some_events(1), [[(1 << 23) - 1, 33, 33, 1], [(1 << 23) - 1, 0, 33, 0]]])
        got, none, fault = self.ask(["unpack", {"bytes": pack(rows)}], ["unpack", {"bytes": b""}], ["fault", {"bytes": b"1234567"}])
        self.assertEqual(got, rows.tolist())
        self.assertEqual(none, [])
        self.assertIn("7 bytes", fault)

    def test_a_time_is_found(self):
        rows = some_events(2)
        times = [0, 1, int(rows[20, 0]), int(rows[20, 0]) + 1, int(rows[-1, 0]), 400_000]
        self.assertEqual(self.ask(["before", {"bytes": pack(rows), "times": times}]),
                         [np.searchsorted(rows[:, 0], times).tolist()])

    def test_arrays_of_numpy_are_read(self):
        import io
        arrays = [np.arange(24, dtype=t).reshape(2, 3, 4) for t in ("u1", "<u2", "<i2", "<f4", "<f8")] + [np.arange(3, dtype="u1")]
        files = []
        for array in arrays:
            file = io.BytesIO()
            np.save(file, array)
            files.append(["npy", {"bytes": file.getvalue()}])
        for array, got in zip(arrays, self.ask(*files)):
            self.assertEqual(got, {"shape": list(array.shape), "values": array.ravel().tolist()})

    def test_a_level_is_the_whole_root_of_the_share(self):
        import math
        for largest, got in zip((1, 7, 255, 4000), self.ask(*(["levels", {"largest": n}] for n in (1, 7, 255, 4000)))):
            self.assertEqual(got, [math.isqrt(65025 * n // largest) for n in range(largest + 1)])

    def test_pictures_are_those_of_the_rule(self):
        rows = some_events(3, n=9000)
        part = rows[(rows[:, 0] >= 20_000) & (rows[:, 0] < 60_000)]
        merged = rows.copy()
        merged[:, 3] = 0
        whole, slice_, bright, white = self.ask(
            ["picture", {"bytes": pack(rows)}], ["picture", {"bytes": pack(rows), "from": 20_000, "to": 60_000}],
            ["picture", {"bytes": pack(rows), "largest": 40}], ["picture", {"bytes": pack(merged), "isMerged": True}])
        for got, counts, largest, is_merged in [
                (whole, counts_of(rows), None, False), (slice_, counts_of(part), None, False),
                (bright, counts_of(rows), 40, False), (white, counts_of(merged), None, True)]:
            rgba = np.array(got).reshape(SIDE, SIDE, 4)
            self.assertTrue((rgba[..., 3] == 255).all())
            np.testing.assert_array_equal(rgba[..., :3], rules.colours(counts, is_merged, largest))

    def test_the_largest_count_of_any_window_is_found(self):
        rows = some_events(4, n=1200)
        for width, got in zip((1, 5000, 90_000), self.ask(*(["largest", {"bytes": pack(rows), "width": w}] for w in (1, 5000, 90_000)))):
            starts = rows[:, 0]
            most = max(counts_of(rows[(starts >= t) & (starts < t + width)]).max() for t in np.unique(starts))
            self.assertEqual(got, most)

    def test_the_mix_is_that_of_the_rule(self):
        a, b, c = some_events(5, 900), some_events(6, 700), some_events(7, 500)
        b[-5] = [b[-1, 0] - a[30, 0], *a[30, 1:]]  # meets one of a's when it runs backwards
        b = b[np.argsort(b[:, 0], kind="stable")]
        for recordings in ([a, b], [b, a], [a, b, c]):
            rows, origins = mixed(recordings)
            got, = self.ask(["mix", {"recordings": [pack(r) for r in recordings]}])
            self.assertEqual(got["events"], rows)
            self.assertEqual(got["from"], origins)
            self.assertEqual(got["dropped"], sum(map(len, recordings)) - len(rows))
            self.assertEqual(got["colours"], len(recordings))
            self.assertTrue(got["same"] and not got["other"])
        got, = self.ask(["mix", {"recordings": [pack(a), pack(b)]}])
        self.assertEqual([row for row, meets in zip(got["events"], got["meets"]) if meets], [a[30].tolist()])

    def test_what_the_address_says_is_read_and_said_again(self):
        hashes = ["#/samples/train?kind=pair&all=3,8&page=2", "", "#/", "#/mix/nmnist-train/12,40", "#/pair/a%20b/18446744073709551615/0",
                  "#/split/train?kind=single&x="]
        answers = self.ask(*(["place", {"hash": text}] for text in hashes))
        self.assertEqual(answers[0], {"page": "samples", "words": ["train"], "view": {"kind": "pair", "all": "3,8"}, "again": hashes[0]})
        self.assertEqual([answer["page"] for answer in answers[1:3]], ["", ""])
        self.assertEqual([answer["again"] for answer in answers[3:5]], hashes[3:5])
        self.assertEqual(answers[4]["words"][0], "a b")
        self.assertEqual(answers[5]["again"], "#/split/train?kind=single")

    def test_a_batch_of_the_daemon_is_read(self):
        with daemon.temporary_folder() as folder:
            data = daemon.generate(folder, "--count", "40,4", "--seed", "3", source="synthetic")
            with daemon.Daemon(data) as server:
                batch = server.get("/v1/splits/train/batch.safetensors?indices=0,5,2").body
                told = [server.get(f"/v1/splits/train/samples/{i}.json").json() for i in (0, 5, 2)]
                pair = server.get("/v1/pairs/nmnist-train/1/18446744073709551615.safetensors").body
                parts = [server.get(f"/v1/sources/nmnist-train/samples/{i}.bin").body
                         for i in server.get("/v1/pairs/nmnist-train/1/18446744073709551615.json").json()["sources"]]
        samples, (single,), mix = self.ask(["batch", {"bytes": batch}], ["batch", {"bytes": pair}], ["mix", {"recordings": parts}])
        for sample, row in zip(samples, told):
            self.assertEqual((sample["index"], sample["labels"], sample["sources"]), (str(row["index"]), row["labels"], row["sources"]))
            self.assertEqual(sample["events"], np.stack([row[name] for name in "txyp"], 1).tolist())
        self.assertEqual(single["index"], "18446744073709551615")
        self.assertEqual(single["events"], mix["events"])


if __name__ == "__main__":
    unittest.main()
